"""oras-py's registry session with our own idea of a request.

Overridden here: tries and pauses with a budget, a timeout on everything, the scope asked for at
once, a new token on every 401, bodies that can be sent again, credentials for the registry's host
only. One transport may be used by several threads.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from wasmpack.errors import (
    AccessRefused,
    RegistryUnavailable,
    WasmpackError,
    WrongUsage,
)
from wasmpack.oci.reference import Reference
from wasmpack.stores.registry.answers import (
    CONNECTING,
    LONGEST_HEADER,
    TRANSPORT_ERRORS,
    failed,
    refusal,
    shown,
    small_json,
    warnings_in,
)
from wasmpack.stores.registry.challenge import authorization
from wasmpack.stores.registry.credentials import Credential, find_credential
from wasmpack.stores.registry.late import import_late
from wasmpack.stores.registry.options import RegistryOptions, api_host
from wasmpack.stores.registry.patience import AGAIN, Patience, Transient, asked_pause
from wasmpack.stores.verified import Readable

import_late("jsonschema")
import requests  # noqa: E402 - after what it is to do without
from oras.provider import Registry  # noqa: E402

from wasmpack.stores.registry.session import client_certificate, new_session, proxies_for  # noqa: E402

RequestBody = Callable[[], bytes | Readable]
"""Makes the body anew for every try."""
_HURRIED = 3.0
_DRAINED = 1 << 16
"""Bytes of an answer that are read and thrown away to keep its connection."""
_REDIRECTS = 5
_REDIRECTED = {301, 302, 303, 307, 308}


@dataclass(frozen=True, slots=True)
class _Sending:
    """One request, as often as it takes to send it."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: RequestBody | None
    hurry: bool


class Transport(Registry):  # type: ignore[misc]
    """Requests to one registry, with the rights to one repository or two."""

    def __init__(
        self, reference: Reference, options: RegistryOptions, actions: str, also_pull: str = ""
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
        host = api_host(reference.registry)
        super().__init__(
            hostname=host,
            insecure=options.uses_http(reference.registry),
            tls_verify=not options.insecure,
        )
        self.registry = reference.registry
        self.base = f"{self.prefix}://{host}"
        self.options = options
        self._repository = reference.repository
        rights = {reference.repository: actions, also_pull: "pull"}
        self._scopes = [f"repository:{name}:{right}" for name, right in rights.items() if name]
        self._authorization: str | None = None
        self._credential: Credential | None = None
        self._looked_up = False
        self._logging_in = threading.Lock()
        self._warned: set[str] = set()
        self.session = new_session(options, f"{self.base}/")

    def patience(self) -> Patience:
        """A full measure of it."""
        return Patience(self.options.retries, self.options.notice)

    def request(
        self, method: str, url: str, what: str, expect: Collection[int], **more: Any
    ) -> requests.Response:
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
        hint: str = "",
        refused: Callable[[requests.Response, str, str], WasmpackError] = refusal,
        hurry: bool = False,
    ) -> requests.Response:
        """Send once, answering a challenge; the response has one of the codes that are expected.

        :param url: absolute, or a path of this registry; credentials go to this registry only
        :param what: what is tried, for errors ("read the manifest of quay.io/me/x:v1")
        :param hint: the next step where the registry has no such thing
        :param refused: makes the error of an answer that is not expected
        :param hurry: wait a few seconds at most: it is not what the work hangs on
        :raises Transient: it may work the next time
        :raises AccessRefused: 403, or 401 with fresh credentials
        :raises RegistryUnavailable, NotFound: what the registry answered cannot get better
        """
        sending = _Sending(method, urljoin(self.base, url), headers or {}, body, hurry)
        response = self._authorized(sending)
        self._pass_on_warnings(response)
        if response.status_code in expect:
            if method != "GET":
                _drain(response)
            return response
        with response:
            error = refused(response, what, hint)
            if response.status_code in AGAIN:
                raise Transient(error, asked_pause(response.headers.get("Retry-After", "")))
            raise error

    def _authorized(self, sending: _Sending) -> requests.Response:
        used = self._authorization
        response = self._send(sending)
        if response.status_code != 401 or not self._is_ours(response.url):
            return response
        challenge = response.headers.get("WWW-Authenticate", "")[:LONGEST_HEADER]
        _drain(response)
        with self._logging_in:
            if self._authorization == used:  # no other thread was faster
                self._log_in(challenge)
        response = self._send(sending)
        if response.status_code == 401 and self._is_ours(response.url):
            response.close()
            raise AccessRefused(
                f"registry {self.registry} refused the credentials"
                if self._credential
                else f"registry {self.registry} wants credentials",
                hint=self._login_hint(),
            )
        return response

    def _send(self, sending: _Sending) -> requests.Response:
        """One try, redirects followed; what a redirect carries is not read."""
        url = sending.url
        for _ in range(_REDIRECTS + 1):
            try:
                response = self._once(sending, url)
            except TRANSPORT_ERRORS as error:
                raise failed(error, self.registry, self.options.timeout) from error
            location = response.headers.get("Location")
            if response.status_code not in _REDIRECTED or not location:
                return response
            response.close()
            url = self.absolute(url, location)
        raise RegistryUnavailable(f"registry {self.registry}: more than {_REDIRECTS} redirects")

    def absolute(self, url: str, location: str) -> str:
        """Where a ``Location`` points to; never from TLS to plain HTTP on the registry's own host.

        (Behind a proxy that ends TLS, registries name themselves with http://.)
        """
        try:
            found = urlsplit(urljoin(url, location))
        except ValueError:
            found = urlsplit("")
        if found.scheme not in {"http", "https"}:
            place = shown(location)
            raise RegistryUnavailable(f"registry {self.registry}: sends us to {place!r}")
        if found.scheme == "http" and self.prefix == "https" and found.netloc == self.hostname:
            found = found._replace(scheme="https")
        return found.geturl()

    def _once(self, sending: _Sending, url: str) -> requests.Response:
        ours = self._is_ours(url)
        headers = dict(sending.headers)
        if self._authorization and ours:
            headers["Authorization"] = self._authorization
        made = sending.body() if sending.body else None
        try:
            response: requests.Response = self.session.request(
                sending.method,
                url,
                data=made,
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=self._timeouts(hurry=sending.hurry),
                proxies=proxies_for(url),
                cert=client_certificate(self.options) if ours else None,
            )
        finally:
            if made is not None and not isinstance(made, bytes):
                made.close()
        return response

    def _log_in(self, challenge: str) -> None:
        if not self._looked_up:
            self._credential = find_credential(self.registry, self._repository, self.options)
            self._looked_up = True
        try:
            self._authorization = self._answer(challenge)
        except AccessRefused as error:
            raise AccessRefused(
                f"registry {self.registry}: {error.message}", hint=self._login_hint()
            ) from error

    def _answer(self, challenge: str) -> str:
        """With all the rights that may be of use, or with those that are needed."""
        try:
            return authorization(challenge, self._credential, self._scopes, self._ask_token)
        except AccessRefused:
            if len(self._scopes) == 1:
                raise
            del self._scopes[1:]
            return authorization(challenge, self._credential, self._scopes, self._ask_token)

    def _login_hint(self) -> str:
        if self.options.username is not None:
            return "check user name and password"
        return f"wasmpack login {self.registry}"

    def _ask_token(
        self, method: str, url: str, fields: Mapping[str, Any], headers: Mapping[str, str]
    ) -> tuple[int, object]:
        if self.prefix == "https" and not url.startswith("https:"):
            raise RegistryUnavailable(
                f"registry {self.registry}: its token server has no TLS: {shown(url)!r}"
            )
        given: dict[str, Any] = {"params" if method == "GET" else "data": dict(fields)}
        who = f"{self.registry} (token server)"
        try:
            response = self.session.request(
                method,
                url,
                headers=dict(headers),
                stream=True,
                allow_redirects=False,  # a redirected POST would carry the token elsewhere
                timeout=self._timeouts(),
                proxies=proxies_for(url),
                **given,
            )
            with response:
                if response.status_code in AGAIN:
                    error = refusal(response, f"get a token for {self.registry}")
                    raise Transient(error, asked_pause(response.headers.get("Retry-After", "")))
                return response.status_code, small_json(response, self.options.timeout)
        except TRANSPORT_ERRORS as error:
            raise failed(error, who, self.options.timeout) from error

    def _timeouts(self, *, hurry: bool = False) -> tuple[float, float]:
        most = min(_HURRIED, self.options.timeout) if hurry else self.options.timeout
        return min(CONNECTING, most), most

    def _is_ours(self, url: str) -> bool:
        """Uploads and blobs may live on other hosts, which must not see our credentials."""
        return _origin(url) == _origin(self.base)

    def _pass_on_warnings(self, response: requests.Response) -> None:
        """``Warning: 299`` is for the user, once (distribution-spec, "Warnings")."""
        for text in warnings_in(response):
            if text not in self._warned:
                self._warned.add(text)
                self.options.notice(f"registry {self.registry} warns: {text}")


def _drain(response: requests.Response) -> None:
    """Done with it: a small rest is read, if it is there, and the connection can be used again."""
    length = response.headers.get("Content-Length", "")
    try:
        if length.isdecimal() and len(length) < 6 and int(length) <= _DRAINED:
            response.raw.read1(_DRAINED)
    except TRANSPORT_ERRORS:
        pass
    finally:
        response.close()


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port (RFC 6454 4); a port that is none is no origin of ours."""
    parts = urlsplit(url)
    try:
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        port = -1
    return parts.scheme, parts.hostname, port
