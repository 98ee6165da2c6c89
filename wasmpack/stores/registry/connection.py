"""Connections that keep to a deadline, and answers whose heads are bounded.

``http.client`` bounds lines (64 KiB) and header fields (100), but not interim answers, and urllib3
knows one timeout for each read and none for a whole head.
"""

import http.client
import socket
from typing import Any

from wasmpack.stores.registry.deadline import current, in_time

_MOST_INTERIM = 16
"""Interim answers before the real one: a client must bear several (RFC 9110 15.2)."""


class _Response(http.client.HTTPResponse):
    """Skips interim answers of any kind, within reason; keeps no cookies."""

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(_MOST_INTERIM + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200 or status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException(f"more than {_MOST_INTERIM} interim answers")

    def begin(self, *arguments: Any, **named: Any) -> None:
        super().begin(*arguments, **named)
        for name in ("Set-Cookie", "Set-Cookie2"):  # requests would parse them, at length
            del self.headers[name]


def bounded(connection: type[Any], seconds: float) -> type[Any]:
    """The class of connection with a deadline for what is read, and a timeout for what is sent.

    urllib3 keeps the timeout of connecting while it sends, on old connections too.
    """

    class Bounded(connection):  # type: ignore[misc]
        response_class = _Response

        def _new_conn(self) -> socket.socket:
            found: socket.socket = in_time(super()._new_conn, current(), socket.socket.close)
            current().attach(found.fileno())
            return found

        def connect(self) -> None:
            """Connecting, a proxy's answer and the TLS handshake."""
            try:
                with current():
                    super().connect()
            finally:
                current().detach()
            self.sock.settimeout(seconds)

        def request(self, *arguments: Any, **named: Any) -> None:
            if self.sock is not None:  # else connecting comes first, and has its own
                self.timeout = seconds
            super().request(*arguments, **named)

        def getresponse(self) -> Any:
            """The head of the answer."""
            with current().on(self.sock.fileno()):
                return super().getresponse()

    return Bounded
