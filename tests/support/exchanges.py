"""Requests for plugins in a real Envoy: how its listener answers, and what the client sends.

``PLAIN`` is what ``wasmpack validate`` tries: a GET that the listener answers itself. ``FULL`` has
everything an HTTP/1.1 exchange can have: bodies and trailers both ways, through an upstream.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from wasmpack.envoy import plain
from wasmpack.envoy.bootstrap import Plugin, answering, forwarding
from wasmpack.envoy.client import Patience, answered, delivered
from wasmpack.envoy.http1 import request_bytes
from wasmpack.envoy.upstream import Upstream
from wasmpack.oci.canonical import JsonObject

UPSTREAM = "upstream"
_FULL_REQUEST = (
    b"POST /path?query HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl/8.0\r\nAccept: */*\r\n"
    b"TE: trailers\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    b"6\r\nhello\n\r\n0\r\nx-trailer: 1\r\n\r\n"
)
_FULL_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"
    b"Trailer: x-trailer\r\n\r\n6\r\nhello\n\r\n0\r\nx-trailer: 2\r\n\r\n"
)


@dataclass(frozen=True)
class Exchange:
    """One way to ask."""

    request: bytes
    upstream: bool
    """The answer comes from a server, not from the listener."""

    def listener(self, plugin: Plugin, name: str) -> JsonObject:
        """A listener with that plugin, for a list of them."""
        if self.upstream:
            return forwarding([plugin], name=name, cluster=UPSTREAM)
        return answering([plugin], name=name, body=plain.BODY)

    def server(self) -> AbstractContextManager[int]:
        """The upstream's port; 0 if the exchange needs none."""
        return upstream() if self.upstream else contextlib.nullcontext(0)

    def ask(self, port: int, seconds: float, busy: Callable[[], bool]) -> int:
        """Send the request and read the whole answer.

        :param seconds: without a byte, after which a proxy that is idle counts as silent
        :returns: its status
        :raises TimeoutError: the proxy is silent
        :raises OSError: the connection ended, or there is none
        """
        return answered(self.request, port, patience=Patience(seconds, busy)).status


class Connection(Exchange):
    """Bytes for a network plugin, sent back by an upstream; the status is 200 if they came."""

    def listener(self, plugin: Plugin, name: str) -> JsonObject:
        """With the plugin as a network filter in front of ``tcp_proxy``, as in a mesh."""
        return super().listener(replace(plugin, network=True), name)

    def server(self) -> AbstractContextManager[int]:
        """The upstream's port."""
        return _echo()

    def ask(self, port: int, seconds: float, busy: Callable[[], bool]) -> int:
        """Send the bytes and wait for them."""
        if not delivered(self.request, port, Patience(seconds, busy)):
            raise ConnectionError("closed")
        return plain.DELIVERED


@contextlib.contextmanager
def _echo() -> Iterator[int]:
    with Upstream(raw=True) as server:
        yield server.port


CONNECTION = Connection(plain.BODY.encode(), upstream=True)
PLAIN = Exchange(request_bytes(plain.PLAIN), upstream=False)
FULL = Exchange(_FULL_REQUEST, upstream=True)


@contextlib.contextmanager
def upstream() -> Iterator[int]:
    """A server that answers each request once it has all of it; its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        threading.Thread(target=_accept, args=(server,), daemon=True).start()
        yield server.getsockname()[1]


def _accept(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return  # closed
        threading.Thread(target=_serve, args=(connection,), daemon=True).start()


def _serve(connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        waiting = b""
        while more := connection.recv(65536):
            waiting += more
            while (end := _end_of_request(waiting)) is not None:
                waiting = waiting[end:]
                connection.sendall(_FULL_ANSWER)


def _end_of_request(data: bytes) -> int | None:
    """The number of bytes of the first request; None if it is not all there."""
    head, blank, rest = data.partition(b"\r\n\r\n")
    if not blank:
        return None
    at = len(head) + 4
    lines = head.lower().split(b"\r\n")
    if b"transfer-encoding: chunked" in lines:
        return _end_of_chunks(data, at)
    length = next((int(n[15:]) for n in lines if n.startswith(b"content-length:")), 0)
    return at + length if len(rest) >= length else None


def _end_of_chunks(data: bytes, at: int) -> int | None:
    while (line := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:line], 16)
        at = line + 2
        if size == 0:
            end = data.find(b"\r\n", at)
            while end > at:  # a trailer
                at = end + 2
                end = data.find(b"\r\n", at)
            return end + 2 if end >= 0 else None
        at += size + 2
    return None
