"""The client in front of the proxy: one connection for each request, and waits that end."""

import contextlib
import io
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from wasmpack.envoy.http1 import MOST_BYTES, read_response, request_bytes
from wasmpack.envoy.messages import Request, Response

_LONGEST = 600.0
"""Seconds by the clock for a response; the bounds of the process end a wait much earlier."""
_AT_A_TIME = 1 << 16
AT_ONCE = struct.pack("ii", 1, 0)
"""``SO_LINGER``: a connection that is closed is reset (socket(7))."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a proxy that sends nothing is waited for."""

    seconds: float
    """Of silence, after which one that has nothing to do will not answer."""
    busy: Callable[[], bool]
    """True while it still works, or waits for its turn on a busy machine."""
    longest: float = _LONGEST
    """Seconds of silence by the clock, where the system does not say if it is busy."""


def exchanged(request: Request, port: int) -> Response:
    """The response to a request.

    :raises ConnectionError: the connection ended without one
    """
    return answered(request_bytes(request), port, request.method)


def answered(
    data: bytes, port: int, method: str = "GET", *, patience: Patience | None = None
) -> Response:
    """The response to the bytes of a request.

    :param method: that of the request
    :raises TimeoutError: there is none, and the proxy has nothing left to do
    :raises ConnectionError: the connection ended without one
    """
    with _connected(port, patience) as (connection, stream):
        connection.sendall(data)
        return read_response(stream, method)


def sent_back(request: Request, port: int) -> Response:
    """The bytes that come back for a body, through network plugins, until the connection ends.

    A proxy may close or reset it at any time.
    """
    found = bytearray()
    with contextlib.suppress(OSError), _connected(port) as (connection, _):
        connection.sendall(request.body)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        while len(found) < MOST_BYTES and (data := connection.recv(_AT_A_TIME)):
            found += data
    return Response(body=bytes(found))


def delivered(data: bytes, port: int, patience: Patience | None = None) -> bool:
    """True if these bytes come back through network plugins, while the connection stays open.

    It is then reset: a proxy that passes on an orderly end waits for the upstream's.

    :raises TimeoutError: fewer come, and the proxy has nothing left to do
    :raises ConnectionError: the proxy refuses the connection
    """
    with _connected(port, patience) as (connection, stream):
        connection.sendall(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        return stream.read(len(data)) == data


@contextlib.contextmanager
def _connected(
    port: int, patience: Patience | None = None
) -> Iterator[tuple[socket.socket, IO[bytes]]]:
    with socket.create_connection(("127.0.0.1", port), timeout=_LONGEST) as connection:
        raw = None if patience is None else _PatientStream(connection, patience)
        with connection.makefile("rb") if raw is None else io.BufferedReader(raw) as stream:
            yield connection, stream


class _PatientStream(io.RawIOBase):
    """The bytes that come from a proxy, as long as it may still send some."""

    def __init__(self, connection: socket.socket, patience: Patience) -> None:
        self._connection = connection
        self._patience = patience

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        patience, until = self._patience, time.monotonic() + self._patience.longest
        while not select.select([self._connection], [], [], patience.seconds)[0]:
            if not patience.busy() or time.monotonic() > until:
                raise TimeoutError("silent, with nothing left to do")
        return self._connection.recv_into(buffer)
