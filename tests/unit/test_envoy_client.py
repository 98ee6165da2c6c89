"""The client in front of Envoy: when it waits for more, and when it gives up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from wasmpack.envoy.client import AT_ONCE, Patience, answered, delivered, sent_back
from wasmpack.envoy.messages import Request

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def port_of(server: socket.socket) -> int:
    port: int = server.getsockname()[1]
    return port


def test_a_proxy_that_is_idle_will_not_answer(server: socket.socket) -> None:
    idle = Patience(0.01, lambda: False)
    with pytest.raises(TimeoutError):
        answered(b"x", port_of(server), patience=idle)
    with pytest.raises(TimeoutError):
        delivered(b"x", port_of(server), idle)


def test_a_proxy_that_waits_for_its_turn_is_waited_for(server: socket.socket) -> None:
    """The clock does not decide: it answers after it was found busy three times."""
    asked = threading.Semaphore(0)

    def busy() -> bool:
        asked.release()
        return True

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            for _ in range(3):
                asked.acquire()
            connection.sendall(ANSWER)

    threading.Thread(target=serve, daemon=True).start()
    patience = Patience(0.01, busy)
    assert answered(b"x", port_of(server), patience=patience).status == 204


def test_the_clock_decides_where_nobody_knows(server: socket.socket) -> None:
    unknown = Patience(0.01, lambda: True, longest=0.05)
    with pytest.raises(TimeoutError):
        answered(b"x", port_of(server), patience=unknown)


def test_a_connection_that_ends_is_no_silence(server: socket.socket) -> None:
    def serve() -> None:
        for _ in range(2):
            connection, _ = server.accept()
            connection.recv(10)
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    patience = Patience(0.01, lambda: True)
    with pytest.raises(ConnectionError):
        answered(b"x", port_of(server), patience=patience)
    assert not delivered(b"x", port_of(server), patience)


@pytest.mark.parametrize("reset", [False, True])
def test_a_connection_that_the_proxy_closes_at_once_brings_nothing_back(
    reset: bool, server: socket.socket
) -> None:
    def serve() -> None:
        connection, _ = server.accept()
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        connection.close()

    threading.Thread(target=serve, daemon=True).start()
    assert sent_back(Request(body=b"x" * 10_000_000), port_of(server)).body == b""
