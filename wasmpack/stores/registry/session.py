"""The HTTP session: TLS, connections that are kept."""

import ssl
import threading
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import PoolManager, disable_warnings
from urllib3.exceptions import InsecureRequestWarning
from urllib3.util.ssl_ import create_urllib3_context

from wasmpack.stores.registry.connection import bounded
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.registry.trust import certificates_of, configure

_SENT_AT_ONCE = 1 << 16
"""Bytes of a body handed to the socket in one call, which has to be through within the timeout."""
_AT_ONCE = 16
"""Connections kept to one host: several images at a time, and several blobs of each."""


class _Adapter(HTTPAdapter):
    """Connections that keep to deadlines, with TLS as the context has it."""

    def __init__(self, timeout: float, context: ssl.SSLContext | None = None) -> None:
        self._timeout = timeout
        self._context = context
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

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """The context knows: the library would add certifi's authorities."""
        if self._context is not None:
            conn.cert_reqs = self._context.verify_mode

    def _more(self) -> dict[str, Any]:
        more: dict[str, Any] = {"blocksize": _SENT_AT_ONCE}
        return more if self._context is None else {**more, "ssl_context": self._context}

    def _bound(self, manager: PoolManager) -> None:
        pools: dict[str, Any] = dict(manager.pool_classes_by_scheme)
        manager.pool_classes_by_scheme = {
            scheme: type(
                pool.__name__,
                (pool,),
                {"ConnectionCls": bounded(pool.ConnectionCls, self._timeout)},
            )
            for scheme, pool in pools.items()
        }


class _Session(requests.Session):
    """Follows nothing by itself; TLS is set up for the first host that needs it."""

    def __init__(self, options: RegistryOptions) -> None:
        super().__init__()
        self._options = options
        self._tls: dict[tuple[Path, ...], _Adapter] = {}
        """By the directories of certificates for a host, which most hosts do not have."""
        self._making = threading.Lock()
        self.mount("http://", _Adapter(options.timeout))

    def get_redirect_target(self, _response: requests.Response) -> None:
        """None: what a redirect carries is not read."""

    def get_adapter(self, url: str | bytes) -> BaseAdapter:
        """:raises NotFound, BadArtifact: a certificate file that cannot be used."""
        parts = urlsplit(str(url))
        if parts.scheme != "https":
            return super().get_adapter(str(url))
        directories = certificates_of(parts.netloc)
        with self._making:
            key = tuple(directories)
            if key not in self._tls:
                verified = ssl.CERT_NONE if self._options.insecure else ssl.CERT_REQUIRED
                context = create_urllib3_context(cert_reqs=verified)
                configure(context, self._options, directories)
                self._tls[key] = _Adapter(self._options.timeout, context)
            return self._tls[key]

    def close(self) -> None:
        super().close()
        for adapter in self._tls.values():
            adapter.close()


def new_session(options: RegistryOptions) -> requests.Session:
    """A session as the user asked for; whatever it reaches sees the client certificate."""
    session = _Session(options)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.trust_env = False  # .netrc would replace our Authorization
    session.verify = not options.insecure
    if options.insecure:  # the user asked for it
        disable_warnings(InsecureRequestWarning)
    session.headers["User-Agent"] = "wasmpack"
    session.headers["Accept-Encoding"] = "identity"  # a digest is of the bytes as they are
    return session
