"""A token server of our own: Distribution's token protocol on a loopback port.

It runs in threads of the test process, so that a test can change its settings and read what it
was asked. The requests themselves are read in `token_http`.
"""

import secrets
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from support.registries.scopes import Scope, User
from support.registries.signing import Signer
from support.registries.token_http import Asked, Reply, listen, refusal

SKEW = 10
"""Seconds a token is valid before it is made, for clocks that differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """A request the token server answered."""

    method: str
    path: str
    service: str | None
    scopes: tuple[str, ...]
    """As asked for, not as granted."""
    user: str | None
    """The name given, even with a wrong password; None is anonymous."""
    status: int


class TokenServer:
    """Grants tokens for the length of its context.

    `pusher` may pull and push, `puller` may pull, anyone may pull below `public/`. Settings a
    test may change while it runs:

    - `expires_in`: seconds a token is valid. The registry allows a minute more, so an expired
      token needs a value well below -60.
    - `strict`: grant nothing beyond what was asked. False: all the user may do in the
      repositories asked for.
    """

    service = "wasmpack-test-registry"
    issuer = "wasmpack-test-tokens"

    def __init__(self, *, expires_in: int = 300, strict: bool = True) -> None:
        self.expires_in = expires_in
        self.strict = strict
        self.pusher = User(
            name="pusher", password=secrets.token_urlsafe(12), actions=("pull", "push")
        )
        self.puller = User(name="puller", password=secrets.token_urlsafe(12), actions=("pull",))
        self._signer = Signer(self.issuer)
        self._refresh_tokens: dict[str, User] = {}
        self._requests: list[TokenRequest] = []
        self._lock = threading.Lock()
        self._listener = listen(self.answer)

    def __enter__(self) -> Self:
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.shutdown()
        self._listener.server_close()

    @property
    def realm(self) -> str:
        """The URL a registry names in its challenge."""
        return f"http://127.0.0.1:{self._listener.server_port}/token"

    @property
    def certificate(self) -> bytes:
        """The certificate of the signing key as PEM: a registry's `rootcertbundle`."""
        return self._signer.certificate

    @property
    def requests(self) -> tuple[TokenRequest, ...]:
        """All requests so far, oldest first."""
        with self._lock:
            return tuple(self._requests)

    def clear_requests(self) -> None:
        """Forget the requests so far, for a test that shares the server with others."""
        with self._lock:
            self._requests.clear()

    def answer(self, asked: Asked) -> Reply:
        """Answer one request and record it."""
        reply = self._reply(asked)
        request = TokenRequest(
            method=asked.method,
            path=asked.path,
            service=asked.service,
            scopes=tuple(str(scope) for scope in asked.scopes),
            user=asked.username,
            status=reply.status,
        )
        with self._lock:
            self._requests.append(request)
        return reply

    def _reply(self, asked: Asked) -> Reply:
        if asked.path != "/token":
            return refusal(404, f"{asked.path} is not /token")
        if asked.service != self.service:
            return refusal(400, f"service is {asked.service!r}, not {self.service!r}")
        user = self._authenticate(asked)
        if user is None and asked.has_credentials:
            return refusal(401, "wrong user or password")
        scopes = [scope.granted_to(user, strict=self.strict) for scope in asked.scopes]
        return Reply(status=200, document=self._document(asked, user, scopes))

    def _authenticate(self, asked: Asked) -> User | None:
        if asked.refresh_token is not None:
            return self._refresh_tokens.get(asked.refresh_token)
        for user in (self.pusher, self.puller):
            if (asked.username, asked.password) == (user.name, user.password):
                return user
        return None

    def _document(self, asked: Asked, user: User | None, scopes: list[Scope]) -> dict[str, object]:
        """The answer, with the token under both names the specification gives it."""
        now = int(time.time())
        token = self._sign(now, user, scopes)
        document: dict[str, object] = {
            "token": token,
            "access_token": token,
            "expires_in": self.expires_in,
            "issued_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
            "scope": " ".join(str(scope) for scope in scopes),
        }
        if user is not None and asked.wants_refresh_token:
            refresh_token = secrets.token_urlsafe(16)
            self._refresh_tokens[refresh_token] = user
            document["refresh_token"] = refresh_token
        return document

    def _sign(self, now: int, user: User | None, scopes: list[Scope]) -> str:
        access = [
            {"type": scope.type, "name": scope.name, "actions": list(scope.actions)}
            for scope in scopes
        ]
        claims: dict[str, object] = {
            "iss": self.issuer,
            "sub": user.name if user else "",
            "aud": self.service,
            "exp": now + self.expires_in,
            "nbf": now - SKEW,
            "iat": now,
            "jti": secrets.token_hex(8),
            "access": access,
        }
        return self._signer.sign(claims)
