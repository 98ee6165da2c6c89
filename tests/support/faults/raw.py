"""A server that answers byte by byte as it is told, beyond what any HTTP library would send."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Self

OK = b"HTTP/1.1 200 OK\r\n"
_HANDSHAKE = b"\x16"
"""The first byte of TLS (RFC 8446 5.1), which a client may try after a refusal."""
Pieces = Iterator[bytes | float]
"""What to send, piece by piece, and seconds to wait in between."""
Script = Callable[[str, dict[str, str]], Pieces]
"""From the request line and the headers to what to answer."""


def answer(
    status: str = "200 OK", body: bytes = b"", headers: Mapping[str, str] | None = None
) -> bytes:
    """A regular answer."""
    lines = [f"{key}: {value}" for key, value in (headers or {}).items()]
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *lines, "", ""])
    return head.encode("latin-1") + body


def drip(data: bytes, pause: float = 0.2) -> Pieces:
    """Bytes one by one; the last one again and again."""
    for number in range(len(data)):
        yield data[number : number + 1]
        yield pause
    yield from endless(data[-1:], pause)


def endless(data: bytes, pause: float = 0.0) -> Pieces:
    """The same without end."""
    while True:
        yield data
        if pause:
            yield pause


class RawServer:
    """One answer of the script for each request, on this machine."""

    def __init__(
        self,
        script: Script,
        *,
        tls: ssl.SSLContext | None = None,
        at_once: bool = False,
        port: int = 0,
    ) -> None:
        """What there is to set.

        :param at_once: answer before anything is asked
        """
        self._script = script
        self._at_once = at_once
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", port))
        self._over = threading.Event()
        self.seen: list[str] = []
        """Request lines, in their order."""
        self.certificates: list[bool] = []
        """Whether each TLS connection came with a client certificate."""
        self.authorizations: set[str] = set()
        """All the credentials that were sent here."""

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._over.is_set():
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(connection)
            if self._tls:
                secured = self._tls.wrap_socket(connection, server_side=True)
                connection = stack.enter_context(secured)
                self.certificates.append(bool(secured.getpeercert()))
            if self._at_once:
                self._send(connection, self._script("", {}))
            with connection.makefile("rb") as file:
                while (line := file.readline()) and line[:1] != _HANDSHAKE:
                    headers = dict(_headers(iter(file.readline, b"")))
                    file.read(int(headers.get("content-length", 0)))
                    request = line.decode("latin-1").strip()
                    self.seen.append(request)
                    self.authorizations |= {headers.get("authorization", "")} - {""}
                    self._send(connection, self._script(request, headers))

    def _send(self, connection: socket.socket, pieces: Pieces) -> None:
        for piece in pieces:
            if self._over.is_set():
                return
            if isinstance(piece, bytes):
                connection.sendall(piece)
            else:
                self._over.wait(piece)


def _headers(lines: Iterator[bytes]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if not line.strip():
            return
        key, _, value = line.decode("latin-1").partition(":")
        yield key.strip().lower(), value.strip()
