"""oras-py's registry session with our own idea of a request.

Overridden here: tries and pauses with a budget, time for everything, the scope asked for at once, a
new token on every 401, bodies that can be sent again, credentials for the registry's host only.
One transport may be used by several threads.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

import requests

from wasmpack.errors import (
    AccessRefused,
    Notice,
    RegistryUnavailable,
    WasmpackError,
    WrongUsage,
    silence,
)
from wasmpack.oci.reference import Reference
from wasmpack.redaction import redacted, shown, shown_url
from wasmpack.stores.registry.address import Address
from wasmpack.stores.registry.answers import SMALL, Answer, refusal
from wasmpack.stores.registry.challenge import authorization
from wasmpack.stores.registry.credentials import Credential, find_credential
from wasmpack.stores.registry.deadline import Deadline
from wasmpack.stores.registry.exchange import Exchange, Request, RequestBody
from wasmpack.stores.registry.headers import LONGEST_HEADER, retry_after, warning_texts
from wasmpack.stores.registry.late import import_late
from wasmpack.stores.registry.options import RegistryOptions, api_host
from wasmpack.stores.registry.patience import AGAIN, Patience, Transient

import_late("jsonschema")
from oras.provider import Registry  # noqa: E402 - after what it is to do without

_MOST_WARNINGS = 20
"""Different warnings of one registry that are passed on."""
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Transport(Registry):  # type: ignore[misc]
    """Requests to one registry, with the rights to one repository or two."""

    def __init__(
        self,
        reference: Reference,
        options: RegistryOptions,
        actions: str,
        also_pull: str = "",
        *,
        notice: Notice = silence,
    ) -> None:
        """Nothing is sent yet.

        :param actions: ``pull`` or ``pull,push``, the scope tokens are asked for
        :param also_pull: another repository there, to mount blobs from
        :raises WrongUsage: the name has no registry
        """
        if not reference.names_registry:
            raise WrongUsage(
                f"{reference}: names no registry", hint="a full name such as quay.io/me/plugin:v1"
            )
        options = options.at(reference.registry)
        host = api_host(reference.registry)
        super().__init__(
            hostname=host,
            insecure=options.uses_http(reference.registry),
            tls_verify=not options.insecure,
        )
        self.registry = reference.registry
        self.options = options
        self._told = notice
        try:
            base = Address.parse(f"{self.prefix}://{host}/")
        except ValueError as error:
            raise WrongUsage(f"registry {self.registry}: {error}") from None
        self._repository = reference.repository
        rights = {reference.repository: actions, also_pull: "pull"}
        self._scopes = [f"repository:{name}:{right}" for name, right in rights.items() if name]
        self._authorization: str | None = None
        self._credential: Credential | None = None
        self._looked_up = False
        self._logging_in = threading.Lock()
        self._warned: set[str] = set()
        self.challenge = ""
        """The first ``WWW-Authenticate`` that this registry answered with."""
        self._exchange = options.shared(
            self.registry, lambda: Exchange(self.registry, base, options)
        )
        self.session = self._exchange.session

    def patience(self) -> Patience:
        """A full measure of it."""
        return Patience(self.options.retries, self._notice)

    def request(
        self, method: str, url: str, what: str, expect: Collection[int], **more: Any
    ) -> Answer:
        """As :meth:`attempt`, again and again as long as that can help."""
        return self.patience().through(lambda: self.attempt(method, url, what, expect, **more))

    def attempt(
        self,
        method: str,
        url: str,
        what: str,
        expect: Collection[int],
        *,
        headers: Mapping[str, str] | None = None,
        body: RequestBody | None = None,
        most: int = 0,
        hint: str = "",
        refused: Callable[[Answer, str, str], WasmpackError] = refusal,
        hurry: bool = False,
    ) -> Answer:
        """Send once, answering a challenge; the answer has one of the codes that are expected.

        :param url: absolute, or a path of this registry; credentials go to this registry only
        :param what: what is tried, for errors ("read the manifest of quay.io/me/x:v1")
        :param most: bytes of the body that are of use; there may be one more
        :param hint: the next step where the registry has no such thing
        :param refused: makes the error of an answer that is not expected
        :param hurry: wait a few seconds at most: it is not what the work hangs on
        :raises Transient: it may work the next time
        :raises AccessRefused: 403, or 401 with fresh credentials
        :raises RegistryUnavailable, NotFound: what the registry answered cannot get better
        """
        request = self._request(method, url, headers, body, hurry=hurry)
        deadline = self._exchange.deadline(request)
        response = self._authorized(request, deadline)
        if response.status_code not in expect:
            raise self._refusal(response, deadline, lambda answer: refused(answer, what, hint))
        wanted = most + 1 if most and response.status_code == 200 else 0
        return self._exchange.answer(response, wanted, deadline)

    def open(
        self, url: str, what: str, expect: Collection[int], headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """As :meth:`attempt` with GET, for a body that the caller reads, as slow as it may be."""
        request = self._request("GET", url, headers)
        deadline = self._exchange.deadline(request)
        response = self._authorized(request, deadline)
        if response.status_code not in expect:
            raise self._refusal(response, deadline, lambda answer: refusal(answer, what))
        return response

    def follow(self, here: str, location: str) -> str:
        """Where a ``Location`` of this answer points to.

        :raises RegistryUnavailable: to where we do not go
        """
        return self._exchange.follow(Address.parse(here), location).url

    def own(self, url: str, target: str) -> str:
        """Where a ``Link`` of the answer from there points to; ``url`` as for :meth:`attempt`.

        :raises RegistryUnavailable: not to the registry itself
        """
        return self._exchange.own(self._exchange.base.join(url), target).url

    def _request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        body: RequestBody | None = None,
        *,
        hurry: bool = False,
    ) -> Request:
        address = self._exchange.base.join(url)
        return Request(
            method=method, address=address, headers=headers or {}, body=body, hurry=hurry
        )

    def _refusal(
        self,
        response: requests.Response,
        deadline: Deadline,
        refused: Callable[[Answer], WasmpackError],
    ) -> Transient | WasmpackError:
        answer = self._exchange.refused(response, deadline)
        error = refused(answer)
        if answer.status in AGAIN:
            return Transient(error, retry_after(answer.headers.get("Retry-After", "")))
        return error

    def _authorized(self, request: Request, deadline: Deadline) -> requests.Response:
        used = self._authorization
        response = self._exchange.send(request, used, deadline)
        if self._is_challenge(response):
            headers = self._exchange.answer(response, 0, deadline).headers
            challenge = _whole(headers.get("WWW-Authenticate", ""))
            self.challenge = self.challenge or challenge
            with self._logging_in:
                if self._authorization == used:  # no other thread was faster
                    self._log_in(challenge, deadline)
            response = self._exchange.send(request, self._authorization, deadline)
        if self._is_challenge(response):
            response.close()
            self._looked_up = False  # there may be others the next time
            raise AccessRefused(
                f"registry {self.registry} refused the credentials"
                if self._credential
                else f"registry {self.registry} wants credentials",
                hint=self._login_hint(),
            )
        self._pass_on_warnings(response)
        return response

    def _is_challenge(self, response: requests.Response) -> bool:
        ours = self._exchange.is_ours(Address.parse(response.url))
        return response.status_code == 401 and ours

    def _log_in(self, challenge: str, deadline: Deadline) -> None:
        if not self._looked_up:
            self._credential = find_credential(
                self.registry, self._repository, self.options, self._notice
            )
            self._looked_up = True
        try:
            self._authorization = self._answer(challenge, deadline)
        except AccessRefused as error:
            self._looked_up = False
            raise AccessRefused(
                f"registry {self.registry}: {error.message}", hint=self._login_hint()
            ) from error

    def _answer(self, challenge: str, deadline: Deadline) -> str:
        """With all the rights that may be of use, or with those that are needed."""
        ask = partial(self._ask_token, deadline)
        try:
            return authorization(challenge, self._credential, self._scopes, ask)
        except AccessRefused:
            if len(self._scopes) == 1:
                raise
            del self._scopes[1:]
            return authorization(challenge, self._credential, self._scopes, ask)

    def _login_hint(self) -> str:
        if self.options.username is not None:
            return "check user name and password"
        return f"wasmpack login {self.registry}"

    def _ask_token(
        self,
        deadline: Deadline,
        method: str,
        url: str,
        fields: Mapping[str, str | list[str]],
        headers: Mapping[str, str],
    ) -> tuple[int, object]:
        """A redirect is not followed: it would carry the credentials elsewhere."""
        if self.prefix == "https" and not url.startswith("https:"):
            place = shown_url(url, LONGEST_HEADER)
            raise RegistryUnavailable(
                f"registry {self.registry}: its token server has no TLS: {place!r}"
            )
        form = urlencode(fields, doseq=True)
        if method == "GET":
            request = self._request(method, f"{url}{'&' if '?' in url else '?'}{form}", headers)
        else:
            request = self._request(method, url, {**headers, **_FORM}, form.encode)
        response = self._exchange.once(request, request.address, None, deadline)
        if response.status_code in AGAIN:
            what = f"get a token for {self.registry}"
            raise self._refusal(response, deadline, lambda answer: refusal(answer, what))
        answer = self._exchange.answer(response, SMALL + 1, deadline)
        return answer.status, answer.json()

    def _pass_on_warnings(self, response: requests.Response) -> None:
        """``Warning: 299`` is for the user, once (distribution-spec, "Warnings")."""
        header = shown(response.headers.get("Warning", ""), LONGEST_HEADER)
        for text in warning_texts(header):
            if text not in self._warned and len(self._warned) < _MOST_WARNINGS:
                self._warned.add(text)
                self._notice(f"registry {self.registry} warns: {text}")

    def _notice(self, text: str) -> None:
        self._told(redacted(text))


def _whole(challenge: str) -> str:
    """A challenge, or nothing: of one that is cut, half a secret might be shown."""
    return challenge if len(challenge) <= LONGEST_HEADER else ""
