"""The server behind the proxy: it keeps what reached it, and answers as it is told."""

import contextlib
import http.client
import json
import socket
import ssl
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Self, TypeVar

from wasmpack.envoy.client import AT_ONCE
from wasmpack.envoy.http1 import MOST_BYTES, BadMessage, read_request, response_bytes
from wasmpack.envoy.messages import Headers, Request, Response
from wasmpack.errors import WrongUsage

T = TypeVar("T")
_MOST_KEPT = 1000
"""Requests that nobody took; older ones are dropped."""
_BACKLOG = 128
_RELAY_TIMEOUT = 30.0
_LONGEST_DELAY = 60.0
_OF_ONE_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "host", "trailer"}
"""Headers that are not passed on (RFC 9110, 7.6.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How the upstream behaves."""

    response: Response
    delay: float = 0.0
    """Seconds before it answers."""
    reset: bool = False
    """Close the connection instead of answering."""


Behaviour = Callable[[Request], Answer]


def echo(request: Request) -> Answer:
    """Answer with what came, as JSON."""
    value = {
        "method": request.method,
        "path": request.path,
        "headers": _grouped(request.headers),
        "body": request.body.decode(errors="replace"),
    }
    if request.trailers:
        value["trailers"] = _grouped(request.trailers)
    body = json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"
    return Answer(response=Response(headers=(("content-type", "application/json"),), body=body))


def always(answer: Answer) -> Behaviour:
    """Answer every request alike."""
    return lambda _request: answer


@dataclass(frozen=True, slots=True)
class Relay:
    """Send each request to a server elsewhere, and answer as it does."""

    url: urllib.parse.SplitResult

    @classmethod
    def to(cls, url: str) -> Self:
        """:raises WrongUsage: not an http(s) URL"""
        found = urllib.parse.urlsplit(url)
        with contextlib.suppress(ValueError):
            if found.scheme in {"http", "https"} and found.hostname and found.port != 0:
                return cls(found)
        raise WrongUsage(f"--upstream {url}: expected http://HOST[:PORT] or https://HOST[:PORT]")

    def __call__(self, request: Request) -> Answer:
        connection = self._connection()
        passed = [pair for pair in request.headers if pair[0].lower() not in _OF_ONE_HOP]
        path = self.url.path.rstrip("/") + request.path
        try:
            connection.putrequest(request.method, path, skip_accept_encoding=True)
            for name, value in passed:
                connection.putheader(name, value)
            connection.endheaders(request.body or None)
            got = connection.getresponse()
            body = got.read(MOST_BYTES)
        except (OSError, ValueError, http.client.HTTPException) as error:
            text = f"wasmpack: {self.url.hostname} cannot be reached: {error}\n"
            return Answer(response=Response(status=502, body=text.encode()))
        finally:
            connection.close()
        headers = tuple((k.lower(), v) for k, v in got.getheaders() if k.lower() not in _OF_ONE_HOP)
        return Answer(response=Response(status=got.status, headers=headers, body=body))

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self.url.hostname or "", self.url.port
        if self.url.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=_RELAY_TIMEOUT)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=_RELAY_TIMEOUT, context=context)


class Upstream:
    """A server on a free loopback port, for as long as its context lasts."""

    def __init__(self, behaviour: Behaviour = echo, *, raw: bool = False) -> None:
        """:param raw: send back the bytes of each connection as they are"""
        self._behaviour = behaviour
        self._requests: list[Request] = []
        self._responses: list[Response] = []
        self._raw = raw
        self._ended = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self.port: int = self._server.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._server.close()

    def take(self) -> tuple[tuple[Request, ...], tuple[Response, ...]]:
        """Requests that came since this was called before, and the responses, of which resets have
        none.
        """
        requests, self._requests = self._requests, []
        responses, self._responses = self._responses, []
        return tuple(requests), tuple(responses)

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            if self._raw:
                _send_back(connection)
                return
            with connection.makefile("rb") as stream:
                for request in _requests(stream):
                    if not self._answered(request, connection):
                        return

    def _answered(self, request: Request, connection: socket.socket) -> bool:
        """False: the connection is to be closed."""
        _keep(request, self._requests)
        answer = self._behaviour(request)
        self._ended.wait(min(answer.delay, _LONGEST_DELAY))
        if answer.reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            return False
        _keep(answer.response, self._responses)
        data = response_bytes(answer.response)
        if request.method == "HEAD":
            data = data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        connection.sendall(data)
        return True


def _keep(message: T, kept: list[T]) -> None:
    kept.append(message)
    del kept[:-_MOST_KEPT]


def _requests(stream: IO[bytes]) -> Iterator[Request]:
    with contextlib.suppress(BadMessage):
        while (request := read_request(stream)) is not None:
            yield request


def _send_back(connection: socket.socket) -> None:
    while data := connection.recv(1 << 16):
        connection.sendall(data)


def _grouped(headers: Headers) -> dict[str, str | list[str]]:
    """Values by name; several of one name as a list."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name, []).append(value)
    return {name: rows[0] if len(rows) == 1 else rows for name, rows in found.items()}
