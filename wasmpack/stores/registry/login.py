"""Login to one registry: credentials looked up once, one token for all required scopes.

Tokens expire, so every 401 gets a new one. Several threads share a login.
"""

import threading
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlencode

from wasmpack.errors import AccessRefused, Notice, RegistryUnavailable
from wasmpack.oci.canonical import JsonValue
from wasmpack.redaction import shown_url
from wasmpack.stores.registry.challenge import authorization
from wasmpack.stores.registry.credentials import Credential, find_credential
from wasmpack.stores.registry.deadline import Deadline
from wasmpack.stores.registry.errors import SMALL, refusal
from wasmpack.stores.registry.exchange import Exchange
from wasmpack.stores.registry.headers import LONGEST_HEADER
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.registry.retries import TRANSIENT_STATUS

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Login:
    """Answers the challenges of one registry."""

    def __init__(
        self,
        exchange: Exchange,
        rights: Mapping[str, str],
        options: RegistryOptions,
        notice: Notice,
    ) -> None:
        """Nothing is asked yet.

        :param rights: repositories, the first of them ours, and the actions tokens are asked for
        """
        self.authorization: str | None = None
        """The header that the last challenge was answered with."""
        self.challenge = ""
        """The first ``WWW-Authenticate`` that this registry answered with."""
        self._exchange = exchange
        self._repository = next(iter(rights))
        self._scopes = [f"repository:{name}:{right}" for name, right in rights.items() if name]
        self._options = options
        self._notice = notice
        self._credential: Credential | None = None
        self._looked_up = False
        self._lock = threading.Lock()

    def answer(self, challenge: str, used: str | None, deadline: Deadline) -> None:
        """Get another :attr:`authorization`, unless another thread was faster.

        :param challenge: a ``WWW-Authenticate``
        :param used: the one that was refused
        :raises AccessRefused: the registry, or its token server, does not take the credentials
        """
        if len(challenge) > LONGEST_HEADER:
            challenge = ""  # of one that is cut, half a secret might be shown
        self.challenge = self.challenge or challenge
        with self._lock:
            if self.authorization == used:
                self._log_in(challenge, partial(self._ask_token, deadline))

    def refused(self) -> AccessRefused:
        """The error for an answer to a challenge that is challenged again."""
        self._looked_up = False  # there may be others the next time
        return self._error(" refused the credentials" if self._credential else " wants credentials")

    def _log_in(self, challenge: str, ask: Callable[..., tuple[int, JsonValue]]) -> None:
        """With all the rights that may be of use, or with those that are needed."""
        if not self._looked_up:
            self._credential = find_credential(
                self._exchange.registry, self._repository, self._options, self._notice
            )
            self._looked_up = True
        while True:
            try:
                self.authorization = authorization(challenge, self._credential, self._scopes, ask)
            except AccessRefused as error:
                if len(self._scopes) == 1:
                    self._looked_up = False
                    raise self._error(f": {error.message}") from error
                del self._scopes[1:]
            else:
                return

    def _error(self, reason: str) -> AccessRefused:
        registry = self._exchange.registry
        side = self._options.side
        if self._options.username is not None:
            hint = (
                f"check --{side}username and password" if side else "check user name and password"
            )
        else:
            option = f", or --{side}username USER --{side}password-stdin" if side else ""
            hint = f"wasmpack login {registry}{option}"
        return AccessRefused(f"registry {registry}{reason}", hint=hint)

    def _ask_token(
        self,
        deadline: Deadline,
        method: str,
        url: str,
        fields: Mapping[str, str | list[str]],
        headers: Mapping[str, str],
    ) -> tuple[int, JsonValue]:
        """A redirect is not followed: it would carry the credentials elsewhere."""
        exchange = self._exchange
        if exchange.base.scheme == "https" and not url.startswith("https:"):
            place = shown_url(url, LONGEST_HEADER)
            raise RegistryUnavailable(
                f"registry {exchange.registry}: its token server has no TLS: {place!r}"
            )
        form = urlencode(fields, doseq=True)
        if method == "GET":
            url = f"{url}{'&' if '?' in url else '?'}{form}"
            request = exchange.request(method, url, headers)
        else:
            request = exchange.request(method, url, {**headers, **_FORM}, form.encode)
        response = exchange.once(request, request.address, None, deadline)
        if response.status_code in TRANSIENT_STATUS:
            what = f"get a token for {exchange.registry}"
            raise exchange.refusal(response, deadline, lambda answer: refusal(answer, what))
        answer = exchange.answer(response, SMALL + 1, deadline)
        return answer.status, answer.json()
