"""A module behind an http(s) URL, got as Istio's fetcher gets it: one GET, without credentials.

Source: istio pkg/wasm/httpfetcher.go, ``Fetch``.
"""

from dataclasses import dataclass

from wasmpack.errors import RegistryUnavailable, WrongUsage
from wasmpack.stores.registry.address import Address
from wasmpack.stores.registry.exchange import Exchange
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.registry.retries import RetryBudget

LIMIT = 256 << 20
"""Bytes that are read; the rest is cut (istio pkg/wasm/httpfetcher.go, ``io.LimitReader``)."""
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """The response of a server, after redirects."""

    status: int
    body: bytes


def download(url: str, options: RegistryOptions) -> Download:
    """Fetch it within the time that :class:`RegistryOptions` gives one answer.

    :param options: their logins and client certificate stay out of it
    :raises RegistryUnavailable: no connection, a broken answer, an error of the server
    :raises WrongUsage: a URL that no client takes
    """
    try:
        address = Address.parse(url)
    except ValueError as error:
        raise WrongUsage(f"the URL cannot be fetched: {error}") from None
    exchange = Exchange(address.host, address, options.without_login())
    return RetryBudget(1, lambda _text: None).run(lambda: _attempt(exchange, url))


def _attempt(exchange: Exchange, url: str) -> Download:
    request = exchange.request("GET", url)
    deadline = exchange.deadline(request)
    response = exchange.send(request, None, deadline)
    status = response.status_code
    answer = exchange.answer(response, LIMIT if status == 200 else 0, deadline)
    if status >= _SERVER_ERROR:
        raise RegistryUnavailable(f"{exchange.registry} answered {status}")
    return Download(status=status, body=answer.body[:LIMIT])
