"""A module behind an http(s) URL, got as Istio's fetcher gets it: one GET, no stored credentials.

Source: istio pkg/wasm/httpfetcher.go, ``Fetch``; its client is that of Go's net/http (client.go).
"""

import base64
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import unquote, urljoin, urlsplit

from wasmpack.errors import RegistryUnavailable, WrongUsage
from wasmpack.redaction import remember_query, remember_secret
from wasmpack.stores.registry.address import Address
from wasmpack.stores.registry.errors import Misdirected
from wasmpack.stores.registry.exchange import REDIRECTED, Exchange
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.registry.retries import RetryBudget

LIMIT = 256 << 20
"""Bytes that are read; the rest is cut (istio pkg/wasm/httpfetcher.go, ``io.LimitReader``)."""
_OK, _SERVER_ERROR = 200, 500
_LATER = {408, 425, 429}
"""Other statuses that may be gone the next time (RFC 9110 15.5.9; RFC 8470; RFC 6585 4)."""
_REDIRECTS = 10
"""Of them the client stops (``defaultCheckRedirect``)."""


class EndlessRedirects(Misdirected):
    """More redirects than the fetcher follows: it gets no module either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """The response of a server, after redirects."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop:
    """An address on the way, and what is sent there."""

    address: Address
    login: str = ""
    """The login in its URL, for Basic authentication; Go's client sends it so."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """:raises ValueError: a URL that no client takes"""
        parts = urlsplit(url)
        login, _, place = parts.netloc.rpartition("@")
        address = Address.parse(parts._replace(netloc=place).geturl())
        user, _, password = map(unquote, login.partition(":"))
        remember_secret(password)
        return cls(address=address, login=f"{user}:{password}" if login else "")

    def join(self, location: str) -> Self:
        """The target of a redirect; a login stays as long as no host is named (URL.Parse).

        :raises ValueError: as :meth:`parse`
        """
        target = self.parse(urljoin(self.address.url, location))
        same = not urlsplit(location).netloc and target.address.origin == self.address.origin
        return replace(target, login=self.login) if same else target

    @property
    def headers(self) -> dict[str, str]:
        if not self.login:
            return {}
        return {"Authorization": f"Basic {base64.b64encode(self.login.encode()).decode()}"}


def download(url: str, options: RegistryOptions) -> Download:
    """Fetch it within the time that :class:`RegistryOptions` gives one answer.

    :param options: their logins and client certificate stay out of it
    :raises RegistryUnavailable: no connection, a broken answer, an error that may pass
    :raises EndlessRedirects: also for the fetcher
    :raises WrongUsage: a URL that no client takes
    """
    try:
        first = _Stop.parse(url)
    except ValueError as error:
        raise WrongUsage(f"the URL cannot be fetched: {error}") from None
    address = first.address
    host = urlsplit(address.url).netloc
    exchange = Exchange(host, address, options.without_login(), noun="server")
    return RetryBudget(1, lambda _text: None).run(lambda: _attempt(exchange, first))


def _attempt(exchange: Exchange, first: _Stop) -> Download:
    """As Go's client, it also follows redirects out of TLS."""
    deadline = exchange.deadline(exchange.request("GET", first.address.url))
    stop = first
    for _ in range(_REDIRECTS):
        request = exchange.request("GET", stop.address.url, stop.headers)
        response = exchange.once(request, stop.address, None, deadline)
        status, location = response.status_code, response.headers.get("Location")
        if status not in REDIRECTED or not location:
            answer = exchange.answer(response, LIMIT if status == _OK else 0, deadline)
            return _final(exchange, status, answer.body)
        response.close()
        remember_query(location)
        try:
            stop = stop.join(location)
        except ValueError as error:
            raise Misdirected(
                f"{exchange.peer}: a redirect to an address that cannot be: {error}"
            ) from None
    raise EndlessRedirects(f"{exchange.peer}: more than {_REDIRECTS} redirects")


def _final(exchange: Exchange, status: int, body: bytes) -> Download:
    if status >= _SERVER_ERROR or status in _LATER:
        raise RegistryUnavailable(f"{exchange.peer} answered {status}", hint="try again later")
    return Download(status=status, body=body[:LIMIT])
