"""A forward proxy: CONNECT for TLS, absolute addresses for plain HTTP.

Every name is this machine.
"""

from __future__ import annotations

import select
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

_PIECE = 1 << 16
_LONGEST = 120
"""Seconds that are far too long for anything here to take."""


class ForwardProxy:
    """Sends what is meant for any host to a server on this machine."""

    def __init__(self, upstream: str, *, authorization: str = "") -> None:
        """What there is to set.

        :param upstream: ``HOST:PORT`` that stands for every name
        :param authorization: the ``Proxy-Authorization`` that is wanted
        """
        self.upstream = upstream
        self.authorization = authorization
        self.asked: list[str] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: ForwardProxy


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def any_method(self) -> None:
        proxy = self.server.proxy
        proxy.asked.append(f"{self.command} {self.path}")
        if self.headers.get("Proxy-Authorization", "") != proxy.authorization:
            self.send_response_only(407)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        host, _, port = proxy.upstream.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=_LONGEST) as upstream:
            if self.command == "CONNECT":
                self.send_response_only(200)
                self.end_headers()
            else:
                upstream.sendall(self._head())
                left = int(self.headers.get("Content-Length") or 0)
                while left and (data := self.rfile.read(min(left, _PIECE))):
                    upstream.sendall(data)
                    left -= len(data)
            self._tunnel(upstream)

    do_CONNECT = do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = any_method  # noqa: N815

    def _head(self) -> bytes:
        parts = urlsplit(self.path)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        lines = [f"{self.command} {path} HTTP/1.1"]
        lines += [f"{k}: {v}" for k, v in self.headers.items() if not k.startswith("Proxy-")]
        lines += ["Connection: close", "", ""]
        return "\r\n".join(lines).encode()

    def _tunnel(self, upstream: socket.socket) -> None:
        self.close_connection = True
        while True:
            ready, _, _ = select.select([self.rfile, upstream], [], [], _LONGEST)
            if not ready:
                return
            for source in ready:
                data = self.rfile.read1(_PIECE) if source is self.rfile else upstream.recv(_PIECE)
                if not data:
                    return
                (upstream.sendall if source is self.rfile else self.wfile.write)(data)
                self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass
