"""The proxy itself: HTTP/1.1, one thread a connection, everything in order but for the faults."""

from __future__ import annotations

import base64
import contextlib
import http.client
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

from support.faults.schedule import Fault, Rule

_PIECE = 1 << 16
_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "proxy-connection"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request that came in."""

    host: str
    """``first``, or ``second`` where uploads are redirected to."""
    method: str
    path: str
    headers: dict[str, str]
    size: int
    """Bytes of its body, as its head says."""
    certificate: bool = False
    """Whether the client has shown one."""


class FaultyProxy:
    """Stands before a registry (``HOST:PORT``, plain HTTP) while its context lasts."""

    def __init__(
        self,
        upstream: str,
        rules: Sequence[Rule] = (),
        *,
        tls: ssl.SSLContext | None = None,
        address: str = "127.0.0.1",
        listening_after: Callable[[], object] | None = None,
        second_login: tuple[str, str] | None = None,
    ) -> None:
        """What there is to set.

        :param listening_after: nobody answers before this returns
        :param second_login: user and password that the second host shows to the registry
        """
        self.upstream = upstream
        self.rules = list(rules)
        self.seen: list[Seen] = []
        self.lock = threading.Lock()
        self.over = threading.Event()
        self._tls = tls
        self._address = address
        self._after = listening_after
        self.second_login = second_login
        self._servers: dict[str, _Server] = {}

    def __enter__(self) -> Self:
        for name in ("first", "second"):
            self._servers[name] = self._listen(name, 0)
        if self._after:
            self.refuse(self._after)
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for server in self._servers.values():
            server.end()

    @property
    def host(self) -> str:
        """What stands before a repository's name."""
        return self._host("first")

    @property
    def second(self) -> str:
        """The host that uploads are redirected to."""
        return self._host("second")

    @property
    def scheme(self) -> str:
        return "https" if self._tls else "http"

    def refuse(self, over: Callable[[], object]) -> None:
        """Let nobody listen until this returns, at the same port."""
        server = self._servers["first"]
        port = server.server_port
        server.end()

        def again() -> None:
            over()
            if not self.over.is_set():
                self._servers["first"] = self._listen("first", port)

        threading.Thread(target=again, daemon=True).start()

    def fault(self, method: str, path: str) -> Fault:
        """What is to go wrong with this request."""
        with self.lock:
            taken = [rule for rule in self.rules if rule.takes(method, path)]
        return taken[0].fault if taken else Fault()

    def _host(self, name: str) -> str:
        address = f"[{self._address}]" if ":" in self._address else self._address
        return f"{address}:{self._servers[name].server_port}"

    def _listen(self, name: str, port: int) -> _Server:
        server = _Server((self._address, port), self, name, self._tls)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(
        self, address: tuple[str, int], proxy: FaultyProxy, name: str, tls: ssl.SSLContext | None
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.proxy, self.name, self.tls = proxy, name, tls
        self.open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        if self.tls:
            connection = self.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        self.open.add(connection)
        return connection, address

    def end(self) -> None:
        self.shutdown()
        self.server_close()
        for connection in list(self.open):
            reset(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Broken connections are what this is for."""


def reset(connection: socket.socket) -> None:
    """Close with a reset, not with an end."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        connection.close()


class _Broken(Exception):
    """The fault has ended this connection."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle(self) -> None:
        try:
            super().handle()
        except (_Broken, OSError, http.client.HTTPException):
            self.close_connection = True
            reset(self.connection)
        finally:
            self.server.open.discard(self.connection)

    def log_message(self, *_: object) -> None:
        pass

    def _certified(self) -> bool:
        shown = isinstance(self.connection, ssl.SSLSocket) and self.connection.getpeercert()
        return bool(shown)

    def any_method(self) -> None:
        proxy = self.server.proxy
        size = int(self.headers.get("Content-Length") or 0)
        with proxy.lock:
            proxy.seen.append(
                Seen(
                    host=self.server.name, method=self.command, path=self.path,
                    headers=dict(self.headers), size=size, certificate=self._certified(),
                )
            )  # fmt: skip
        fault = proxy.fault(self.command, self.path)
        if fault.refuse_for:
            proxy.refuse(lambda: proxy.over.wait(fault.refuse_for))
            raise _Broken
        if fault.request_bytes is not None:
            self._read_some(fault)
        if fault.never_answer:
            self._drain(size)
            self._wait()
        if fault.status:
            self._answer(fault.status, fault.headers, read_body=fault.read_body, size=size)
        elif fault.elsewhere and size:
            address = f"{proxy.scheme}://{proxy.second}{self.path}"
            self._answer(307, (("Location", address),), read_body=True, size=size)
        else:
            self._forward(fault, size)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = any_method  # noqa: N815

    def _read_some(self, fault: Fault) -> None:
        left = fault.request_bytes or 0
        while left and (data := self.rfile.read(min(left, _PIECE))):
            left -= len(data)
        if fault.stall:
            self._wait()
        raise _Broken

    def _wait(self) -> None:
        """Until the client has had enough, or the test is over."""
        self.connection.settimeout(0.1)
        for _ in range(600):
            if self.server.proxy.over.is_set():
                break
            try:
                if self.connection.recv(1, socket.MSG_PEEK if not self.server.tls else 0) == b"":
                    break
                time.sleep(0.05)
            except TimeoutError:
                continue
            except OSError:
                break
        raise _Broken

    def _drain(self, size: int) -> None:
        while size and (data := self.rfile.read(min(size, _PIECE))):
            size -= len(data)

    def _answer(
        self, status: int, headers: Sequence[tuple[str, str]], *, read_body: bool, size: int
    ) -> None:
        if read_body:
            self._drain(size)
        self.send_response_only(status)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Length", "0")
        if not read_body:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()

    def _body(self, size: int) -> Iterator[bytes]:
        while size and (data := self.rfile.read(min(size, _PIECE))):
            size -= len(data)
            yield data

    def _forward(self, fault: Fault, size: int) -> None:
        proxy = self.server.proxy
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
        if fault.no_ranges:
            headers.pop("Range", None)
        if fault.forget_login:
            headers.pop("Authorization", None)
        if self.server.name == "second" and proxy.second_login:
            pair = ":".join(proxy.second_login).encode()
            headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        path = self.path
        if path.startswith("http://"):  # to a proxy, an address is absolute (RFC 9112 3.2.2)
            path = urlunsplit(("", "", *urlsplit(path)[2:]))
        if "state-of=" in path:
            if "state-of=&" not in path:
                return self._answer(400, (), read_body=True, size=size)
            path = path.replace("state-of=&", "")
        upstream = http.client.HTTPConnection(proxy.upstream, timeout=120)
        try:
            upstream.request(
                self.command, path, body=self._body(size) if size else None, headers=headers
            )
            self._pass_back(fault, upstream.getresponse())
        finally:
            upstream.close()

    def _pass_back(self, fault: Fault, response: http.client.HTTPResponse) -> None:
        headers = [(k, v) for k, v in response.getheaders() if k.lower() not in _HOP]
        length = int(response.getheader("Content-Length") or 0)
        send = length
        if fault.cut:
            send = min(length, fault.response_bytes or 0)
        self.send_response_only(response.status)
        for key, value in headers:
            self.send_header(key, self._changed(fault, key, value, send))
        for key, value in fault.headers:
            self.send_header(key, value)
        if fault.least_chunk:
            self.send_header("OCI-Chunk-Min-Length", str(fault.least_chunk))
        self.end_headers()
        if self.command != "HEAD" and length:
            self._pass_body(fault, response, send)

    def _changed(self, fault: Fault, key: str, value: str, send: int) -> str:
        name = key.lower()
        if name == "content-length" and fault.cut:
            return str(send)
        if name == "docker-content-digest" and fault.wrong_digest:
            return "sha256:" + "0" * 64
        if name == "location" and fault.elsewhere:
            parts = urlsplit(value)
            return urlunsplit(parts._replace(netloc=self.server.proxy.second))
        if name == "location" and fault.relative_location:
            return urlunsplit(("", "", *urlsplit(value)[2:]))
        if name == "location" and fault.blank_query:
            return value.replace("?", "?state-of=&")
        return value

    def _pass_body(self, fault: Fault, response: http.client.HTTPResponse, send: int) -> None:
        sent = 0
        stop = send if fault.response_bytes is None else min(fault.response_bytes, send)
        while sent < stop:
            data = response.read(min(_PIECE, stop - sent))
            if not data:
                break
            if fault.flip and not sent:
                data = bytes([data[0] ^ 1]) + data[1:]
            self._write(data, fault.drip)
            sent += len(data)
        if sent < send:
            self.wfile.flush()
            if fault.stall:
                self._wait()
            raise _Broken

    def _write(self, data: bytes, drip: float) -> None:
        if not drip:
            self.wfile.write(data)
            return
        for number in range(len(data)):
            if self.server.proxy.over.is_set():
                raise _Broken
            self.wfile.write(data[number : number + 1])
            self.wfile.flush()
            time.sleep(drip)
