"""Waits that end in time, from outside the call that blocks.

A socket's own timeout is for one read of it: a server that drips a byte a second, or never stops
sending interim answers, keeps ``http.client`` busy for ever. So one thread for the process watches
all waits, and shuts the connection of each down when its time is over, whatever it is wrapped in
by then (TLS, a proxy's tunnel, TLS in TLS).
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError, wait
from contextvars import ContextVar
from types import TracebackType
from typing import Self, TypeVar
from weakref import WeakSet

T = TypeVar("T")


class Overdue(TimeoutError):
    """The time for this wait is over."""


class Deadline:
    """Seconds for all the waits of one piece of work; the time between them does not count.

    Not shared between threads, but for the one that watches.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.passed = False
        self._left = seconds
        self._since: float | None = None
        self._line: socket.socket | None = None
        self._changing = threading.Lock()

    @property
    def left(self) -> float:
        """Seconds that remain."""
        left, since = self._left, self._since  # in this order: see __exit__
        return left if since is None else max(0.0, left - (time.monotonic() - since))

    def renew(self) -> None:
        """Count from the start again: something has come."""
        self._left = self.seconds

    def __enter__(self) -> Self:
        """Start to wait."""
        self._since = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """:raises Overdue: it took too long, however it ended."""
        left = self.left
        self._since = None  # first, or the watchdog would count this wait twice
        self._left = left
        if self.passed:
            raise Overdue(f"no end within {self.seconds:g} s") from value

    def attach(self, fileno: int) -> None:
        """Watch this connection from now on, by a separate handle that no wrapper closes."""
        self.detach()
        self._line = socket.socket(fileno=os.dup(fileno))
        _watchdog.watch(self)

    def detach(self) -> None:
        """Leave the connection alone from now on."""
        _watchdog.leave(self)
        with self._changing:
            if self._line is not None:
                self._line.close()
                self._line = None

    @contextlib.contextmanager
    def on(self, fileno: int) -> Iterator[None]:
        """Wait for this connection."""
        self.attach(fileno)
        try:
            with self:
                yield
        finally:
            self.detach()

    def cut(self) -> None:
        """Called by the watchdog: whoever reads from the connection sees it end."""
        self.passed = True
        with self._changing, contextlib.suppress(OSError):
            if self._line is not None:
                self._line.shutdown(socket.SHUT_RDWR)


class _Watchdog:
    """One thread that sleeps until the next deadline."""

    def __init__(self) -> None:
        self._watched: WeakSet[Deadline] = WeakSet()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._wakes = 0.0
        """When the thread looks again; later ones need not wake it."""

    def watch(self, deadline: Deadline) -> None:
        with self._changed:
            self._watched.add(deadline)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            if time.monotonic() + deadline.left < self._wakes:
                self._changed.notify()

    def leave(self, deadline: Deadline) -> None:
        with self._changed:
            self._watched.discard(deadline)

    def _run(self) -> None:
        with self._changed:
            while True:
                for deadline in [d for d in self._watched if d.left <= 0]:
                    deadline.cut()
                    self._watched.discard(deadline)
                nearest = min((d.left for d in self._watched), default=threading.TIMEOUT_MAX)
                self._wakes = time.monotonic() + nearest
                self._changed.wait(nearest)


_watchdog = _Watchdog()
_current: ContextVar[Deadline] = ContextVar("_current")


@contextlib.contextmanager
def under(deadline: Deadline) -> Iterator[None]:
    """Let connections that this thread opens or reads from meanwhile keep to it."""
    token = _current.set(deadline)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Deadline:
    """The deadline of this thread."""
    return _current.get()


def in_time(work: Callable[[], T], deadline: Deadline, too_late: Callable[[T], object]) -> T:
    """Run ``work`` in a separate thread, as it cannot be cancelled (looking up a name).

    :param too_late: gets a result that nobody waits for any more
    :raises Overdue: it took too long
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            with contextlib.suppress(InvalidStateError):
                future.set_exception(error)
            return
        try:
            future.set_result(result)
        except InvalidStateError:
            too_late(result)

    threading.Thread(target=run, daemon=True).start()
    wait([future], deadline.left)
    if future.cancel():
        deadline.passed = True
        raise Overdue(f"no end within {deadline.seconds:g} s")
    return future.result()
