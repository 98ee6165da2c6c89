"""oras-py's registry session with our own idea of a request.

Overridden here: no two-minute retries, a timeout on everything, the scope asked for at once, a new
token on every 401, bodies that can be sent again, credentials for the registry's host only.
"""

import os
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from oras.provider import Registry

from wasmpack.errors import AccessRefused, NotFound, RegistryUnavailable, WrongUsage
from wasmpack.oci.reference import Reference
from wasmpack.stores.ports import VerifiedStream
from wasmpack.stores.registry.answers import TRANSPORT_ERRORS, small_json, unavailable
from wasmpack.stores.registry.challenge import authorization
from wasmpack.stores.registry.credentials import Credential, find_credential
from wasmpack.stores.registry.options import RegistryOptions, api_host

RequestBody = Callable[[], bytes | VerifiedStream]
"""Makes the body anew for every try."""
_CONNECT_TIMEOUT = 5.0
_BACKOFF = 0.3
"""Seconds before the first retry; doubled for each further one."""
_LONGEST_BACKOFF = 5.0
_REDIRECTS = 5
_REDIRECTED = {301, 302, 303, 307, 308}
_HEADER = 4096
"""Most characters of a header that are looked at."""
_LONGEST_WAIT = 15.0
"""Seconds a ``Retry-After`` is obeyed at most."""
_AGAIN = {408, 429, 500, 502, 503, 504}


class Transport(Registry):  # type: ignore[misc]
    """Requests to one repository of one registry.

    :raises RegistryUnavailable: no answer, after the retries
    :raises AccessRefused: 401 after fresh credentials
    """

    def __init__(self, reference: Reference, options: RegistryOptions, actions: str) -> None:
        """Nothing is sent yet.

        :param actions: ``pull`` or ``pull,push``, the scope tokens are asked for
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
        self._repository = reference.repository
        self._options = options
        repository = reference.repository
        self._scope = f"repository:{repository}:{actions}" if repository else ""
        self._authorization: str | None = None
        self._credential: Credential | None = None
        self._looked_up = False
        self.session.trust_env = False  # .netrc would replace our Authorization
        self.session.verify = self._verification()
        if options.cert_file:
            key = options.key_file
            self.session.cert = (options.cert_file, key) if key else options.cert_file
        self.session.headers["User-Agent"] = "wasmpack"

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: RequestBody | None = None,
    ) -> requests.Response:
        """Send, answering challenges and trying again where that can help.

        :param url: absolute, or a path of this registry; credentials go to this registry only
        """
        url = urljoin(self.base, url)
        response = self._patiently(method, url, headers, body)
        if response.status_code != 401 or not self._is_ours(response.url):
            return response
        self._log_in(response)
        response = self._patiently(method, url, headers, body)
        if response.status_code == 401:
            raise AccessRefused(
                f"registry {self.registry} refused the credentials"
                if self._credential
                else f"registry {self.registry} wants credentials",
                hint=self._login_hint(),
            )
        return response

    def _patiently(
        self, method: str, url: str, headers: Mapping[str, str] | None, body: RequestBody | None
    ) -> requests.Response:
        tries = self._options.retries + 1
        for number in range(tries):
            last = number == tries - 1
            wait = min(_BACKOFF * 2**number, _LONGEST_BACKOFF)
            try:
                response = self._send(method, url, headers, body)
            except requests.exceptions.SSLError as error:
                raise unavailable(error, self.registry) from error
            except TRANSPORT_ERRORS as error:
                if last:
                    raise unavailable(error, self.registry) from error
            else:
                if last or response.status_code not in _AGAIN:
                    return response
                wait = max(wait, _retry_after(response))
                response.close()
            time.sleep(wait)
        raise AssertionError("unreachable: the last try returns or raises")

    def _send(
        self, method: str, url: str, headers: Mapping[str, str] | None, body: RequestBody | None
    ) -> requests.Response:
        """One try, redirects followed; what a redirect carries is not read."""
        for _ in range(_REDIRECTS):
            response = self._once(method, url, headers, body)
            location = response.headers.get("Location")
            if response.status_code not in _REDIRECTED or not location:
                return response
            response.close()
            url = urljoin(url, location)
            if urlsplit(url).scheme not in {"http", "https"}:
                raise RegistryUnavailable(f"registry {self.registry}: a redirect to {url!r:.100}")
        raise RegistryUnavailable(f"registry {self.registry}: more than {_REDIRECTS} redirects")

    def _once(
        self, method: str, url: str, headers: Mapping[str, str] | None, body: RequestBody | None
    ) -> requests.Response:
        sent = dict(headers or {})
        if self._authorization and self._is_ours(url):
            sent["Authorization"] = self._authorization
        response: requests.Response = self.session.request(
            method,
            url,
            data=body() if body else None,
            headers=sent,
            stream=True,
            allow_redirects=False,
            timeout=(min(_CONNECT_TIMEOUT, self._options.timeout), self._options.timeout),
            proxies=dict(requests.utils.get_environ_proxies(url)),
        )
        return response

    def _log_in(self, response: requests.Response) -> None:
        header = response.headers.get("WWW-Authenticate", "")[:_HEADER]
        response.close()
        if not self._looked_up:
            self._credential = find_credential(self.registry, self._repository, self._options)
            self._looked_up = True
        try:
            self._authorization = authorization(
                header, self._credential, self._scope, self._ask_token
            )
        except AccessRefused as error:
            raise AccessRefused(
                f"registry {self.registry}: {error.message}", hint=self._login_hint()
            ) from error

    def _login_hint(self) -> str:
        if self._options.username is not None:
            return "check user name and password"
        return f"wasmpack login {self.registry}"

    def _ask_token(
        self, method: str, url: str, fields: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[int, object]:
        given: dict[str, Any] = {"params" if method == "GET" else "data": dict(fields)}
        who = f"{self.registry} (token server)"
        try:
            response = self.session.request(
                method,
                url,
                headers=dict(headers),
                stream=True,
                allow_redirects=False,  # a redirected POST would carry the token elsewhere
                timeout=(min(_CONNECT_TIMEOUT, self._options.timeout), self._options.timeout),
                proxies=dict(requests.utils.get_environ_proxies(url)),
                **given,
            )
            with response:
                return response.status_code, small_json(response)
        except TRANSPORT_ERRORS as error:
            raise unavailable(error, who) from error

    def _is_ours(self, url: str) -> bool:
        """Uploads and blobs may live on other hosts, which must not see our credentials."""
        ours, theirs = urlsplit(self.base), urlsplit(url)
        return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)

    def _verification(self) -> bool | str:
        options = self._options
        named = options.ca_file or os.environ.get("REQUESTS_CA_BUNDLE")
        for path in (named, options.cert_file, options.key_file):
            if path and not os.path.exists(path):  # noqa: PTH110 - file or directory
                raise NotFound(f"{path}: no such file", hint="a PEM file is expected")
        return False if options.insecure else named or True


def _retry_after(response: requests.Response) -> float:
    """Seconds the registry asks to wait (RFC 9110 10.2.3; the form with a date is ignored)."""
    text = response.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_WAIT) if text.isdecimal() else 0.0
