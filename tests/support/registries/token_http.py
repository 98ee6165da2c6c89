"""The token protocol on the wire: read a request, write the answer.

GET takes parameters and Basic credentials (Distribution, "Token Authentication Specification"),
POST a form with a password or a refresh token ("OAuth2 Token Authentication").
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from support.registries.scopes import Scope, parse_scopes

BODY_LIMIT = 64 * 1024
GRANTS = ("password", "refresh_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request for a token, read but not judged."""

    method: str
    path: str
    service: str | None
    scopes: tuple[Scope, ...]
    username: str | None
    password: str | None
    refresh_token: str | None
    wants_refresh_token: bool

    @property
    def has_credentials(self) -> bool:
        """Whether the client claims to be someone."""
        return self.username is not None or self.refresh_token is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: status and JSON document."""

    status: int
    document: Mapping[str, object]


def refusal(status: int, message: str) -> Reply:
    """An error in the form registries use."""
    code = "UNAUTHORIZED" if status == 401 else "UNSUPPORTED"
    return Reply(status=status, document={"errors": [{"code": code, "message": message}]})


def listen(answer: Callable[[Asked], Reply]) -> ThreadingHTTPServer:
    """A server on a free loopback port; the caller runs and closes it."""

    class Handler(BaseHTTPRequestHandler):
        """Reads one request and hands it to `answer`."""

        def do_GET(self) -> None:
            """Parameters in the URL, credentials in the header."""
            self._respond("")

        def do_POST(self) -> None:
            """All in a form."""
            length = min(int(self.headers.get("Content-Length") or 0), BODY_LIMIT)
            self._respond(self.rfile.read(length).decode("utf-8", errors="replace"))

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on stderr: the server records its requests."""

        def _respond(self, body: str) -> None:
            try:
                authorization = self.headers.get("Authorization")
                reply = answer(read_request(self.command, self.path, authorization, body))
            except ValueError as error:
                reply = refusal(400, str(error))
            data = json.dumps(reply.document).encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def read_request(method: str, target: str, authorization: str | None, body: str) -> Asked:
    """Read a request; ValueError says what is wrong with it."""
    url = urlsplit(target)
    values = parse_qs(body if method == "POST" else url.query)
    single = {name: given[0] for name, given in values.items()}
    if method == "POST":
        if single.get("grant_type") not in GRANTS:
            raise ValueError(f"grant_type is {single.get('grant_type')!r}, not one of {GRANTS}")
        username, password = single.get("username"), single.get("password")
        wants_refresh_token = single.get("access_type") == "offline"
    else:
        username, password = read_basic(authorization)
        wants_refresh_token = single.get("offline_token") == "true"
    return Asked(
        method=method,
        path=url.path,
        service=single.get("service"),
        scopes=parse_scopes(values.get("scope", [])),
        username=username,
        password=password,
        refresh_token=single.get("refresh_token") if method == "POST" else None,
        wants_refresh_token=wants_refresh_token,
    )


def read_basic(header: str | None) -> tuple[str | None, str | None]:
    """User and password of an `Authorization` header; none without one."""
    if header is None:
        return None, None
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise ValueError(f"the authorization is {scheme!r}, not Basic")
    try:
        username, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError(f"the Basic credentials cannot be read: {error}") from error
    return username, password
