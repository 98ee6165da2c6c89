"""The HTTP session: TLS, proxies, connections that are kept."""

import os
import ssl
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.util.ssl_ import create_urllib3_context

from wasmpack.errors import BadArtifact, NotFound
from wasmpack.stores.registry.connection import bounded
from wasmpack.stores.registry.options import RegistryOptions, is_loopback

_SENT_AT_ONCE = 1 << 16
"""Bytes of a body handed to the socket in one call, which has to be through within the timeout."""
_AT_ONCE = 8
"""Connections kept to one host."""


class _Adapter(HTTPAdapter):
    """Connections that keep to deadlines, and what is trusted besides."""

    def __init__(self, options: RegistryOptions) -> None:
        self._options = options
        super().__init__(pool_maxsize=_AT_ONCE)

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        named |= self._more()
        super().init_poolmanager(*arguments, **named)
        self._bound(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        named |= self._more()
        manager = super().proxy_manager_for(proxy, **named)
        self._bound(manager)
        return manager

    def _more(self) -> dict[str, Any]:
        more: dict[str, Any] = {"blocksize": _SENT_AT_ONCE}
        if self._options.ca_file and not self._options.insecure:
            context = create_urllib3_context()
            context.load_default_certs()
            context.load_verify_locations(self._options.ca_file)
            more["ssl_context"] = context
        return more

    def _bound(self, manager: PoolManager) -> None:
        pools: dict[str, Any] = dict(manager.pool_classes_by_scheme)
        manager.pool_classes_by_scheme = {
            scheme: type(
                pool.__name__,
                (pool,),
                {"ConnectionCls": bounded(pool.ConnectionCls, self._options.timeout)},
            )
            for scheme, pool in pools.items()
        }


class _Session(requests.Session):
    """Follows nothing by itself: what a redirect carries is not read."""

    def get_redirect_target(self, _response: requests.Response) -> None:
        return None


def new_session(options: RegistryOptions) -> requests.Session:
    """A session as the user asked for; whatever it reaches sees the client certificate.

    :raises NotFound: a certificate file that is not there
    :raises BadArtifact: a certificate file that is none
    """
    verify = _verification(options)
    session = _Session()
    try:
        adapter = _Adapter(options)
    except ssl.SSLError as error:
        raise BadArtifact(f"{options.ca_file}: no certificate: {error.reason}") from error
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.trust_env = False  # .netrc would replace our Authorization
    session.verify = verify
    session.cert = _client_certificate(options)
    session.headers["User-Agent"] = "wasmpack"
    session.headers["Accept-Encoding"] = "identity"  # a digest is of the bytes as they are
    return session


def _client_certificate(options: RegistryOptions) -> str | tuple[str, str] | None:
    if options.cert_file and options.key_file:
        return options.cert_file, options.key_file
    return options.cert_file


def proxies_for(url: str) -> dict[str, str]:
    """By the environment: ``HTTPS_PROXY``, ``HTTP_PROXY``, ``NO_PROXY``; none for this machine.

    (As Go's ``net/http.ProxyFromEnvironment`` has it, and so skopeo, crane and docker.)
    """
    if is_loopback(urlsplit(url).netloc):
        return {}
    return dict(requests.utils.get_environ_proxies(url))


def _verification(options: RegistryOptions) -> bool | str:
    named = os.environ.get("REQUESTS_CA_BUNDLE")
    for path in (named, options.ca_file, options.cert_file, options.key_file):
        if path and not os.path.exists(path):  # noqa: PTH110 - file or directory
            raise NotFound(f"{path}: no such file", hint="a PEM file is expected")
    return False if options.insecure else named or True
