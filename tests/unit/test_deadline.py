"""Waits that end, and only when their own time is over."""

from __future__ import annotations

import gc
import queue
import socket
import threading
import weakref
from collections.abc import Iterator

import pytest

from wasmpack.stores.registry import deadline as module
from wasmpack.stores.registry.deadline import Deadline, Overdue, in_time

LONG = 120.0
SHORT = 0.05
SAFETY_NET = 60.0


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    here, there = socket.socketpair()
    here.settimeout(SAFETY_NET)
    with here, there:
        yield here, there


class Clock:
    """Time that passes when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)


def test_a_wait_without_end_is_cut(pair: tuple[socket.socket, socket.socket]) -> None:
    here, _ = pair
    deadline = Deadline(SHORT)
    with pytest.raises(Overdue), deadline.on(here.fileno()):
        here.recv(1)
    assert deadline.passed


def test_a_drip_is_cut(pair: tuple[socket.socket, socket.socket]) -> None:
    here, there = pair
    over = threading.Event()

    def drip() -> None:
        try:
            while not over.wait(0.01):
                there.send(b"x")
        except OSError:
            pass

    threading.Thread(target=drip, daemon=True).start()
    with pytest.raises(Overdue), Deadline(SHORT).on(here.fileno()):
        read_all(here)
    over.set()


def read_all(connection: socket.socket) -> None:
    while connection.recv(1):
        pass


def test_an_end_that_the_cut_made_is_not_taken_for_one(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """A body without a length ends with its connection."""
    here, _ = pair
    with pytest.raises(Overdue), Deadline(SHORT).on(here.fileno()):
        assert here.recv(1) == b""


def test_a_wrapper_that_takes_the_handle_over_does_not_escape(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """As :mod:`ssl` does, in the middle of a handshake."""
    here, _ = pair
    deadline = Deadline(SHORT)
    deadline.attach(here.fileno())
    with socket.socket(fileno=here.detach()) as wrapped:
        wrapped.settimeout(SAFETY_NET)
        with pytest.raises(Overdue), deadline:
            wrapped.recv(1)
    deadline.detach()


def test_what_comes_in_time_is_left_alone(pair: tuple[socket.socket, socket.socket]) -> None:
    here, there = pair
    deadline = Deadline(LONG)
    there.send(b"x")
    with deadline.on(here.fileno()):
        assert here.recv(1) == b"x"
    there.send(b"y")
    assert here.recv(1) == b"y"
    assert not deadline.passed


def test_the_nearest_deadline_is_watched_whichever_came_first(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    here, there = pair
    with (
        Deadline(LONG).on(there.fileno()),
        pytest.raises(Overdue),
        Deadline(SHORT).on(here.fileno()),
    ):
        here.recv(1)


def test_only_waits_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    deadline = Deadline(10)
    with deadline:
        clock.now += 4
        assert deadline.left == 6
    clock.now += 100
    assert deadline.left == 6
    with deadline:
        clock.now += 5
    assert deadline.left == 1
    deadline.renew()
    assert deadline.left == 10


def test_nobody_waits_for_what_cannot_be_broken_off() -> None:
    """What it comes to in the end is given back."""
    release, late = threading.Event(), queue.Queue[str]()

    def work() -> str:
        release.wait(SAFETY_NET)
        return "late"

    deadline = Deadline(SHORT)
    with pytest.raises(Overdue):
        in_time(work, deadline, late.put)
    assert deadline.passed
    release.set()
    assert late.get(timeout=SAFETY_NET) == "late"


def test_work_that_ends_in_time() -> None:
    assert in_time(lambda: "done", Deadline(LONG), pytest.fail) == "done"
    with pytest.raises(ZeroDivisionError):
        in_time(lambda: 1 // 0, Deadline(LONG), pytest.fail)


@pytest.mark.stress
def test_a_deadline_that_is_forgotten_is_not_watched(
    pair: tuple[socket.socket, socket.socket], recwarn: pytest.WarningsRecorder
) -> None:
    deadline = Deadline(LONG)
    deadline.attach(pair[0].fileno())
    gone = weakref.ref(deadline)
    del deadline
    gc.collect()
    assert gone() is None
