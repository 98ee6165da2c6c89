"""The HTTP session: TLS, proxies, connections that are kept."""

import os
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from wasmpack.errors import NotFound
from wasmpack.stores.registry.options import RegistryOptions

_SENT_AT_ONCE = 1 << 18
"""Bytes of a body handed to the socket in one call; the standard library's 16 KiB cost time."""
_AT_ONCE = 8
"""Connections kept to one host."""


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **named: Any) -> Any:
        return super().init_poolmanager(*arguments, **named, blocksize=_SENT_AT_ONCE)


def set_up(session: requests.Session, options: RegistryOptions) -> None:
    """Make the session what the user asked for.

    :raises NotFound: a certificate file that is not there
    """
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(pool_maxsize=_AT_ONCE))
    session.trust_env = False  # .netrc would replace our Authorization
    session.verify = _verification(options)
    if options.cert_file:
        key = options.key_file
        session.cert = (options.cert_file, key) if key else options.cert_file
    session.headers["User-Agent"] = "wasmpack"
    session.headers["Accept-Encoding"] = "identity"  # a digest is of the bytes as they are


def proxies_for(url: str) -> dict[str, str]:
    """By the environment: ``HTTPS_PROXY``, ``HTTP_PROXY``, ``NO_PROXY``."""
    return dict(requests.utils.get_environ_proxies(url))


def _verification(options: RegistryOptions) -> bool | str:
    named = options.ca_file or os.environ.get("REQUESTS_CA_BUNDLE")
    for path in (named, options.cert_file, options.key_file):
        if path and not os.path.exists(path):  # noqa: PTH110 - file or directory
            raise NotFound(f"{path}: no such file", hint="a PEM file is expected")
    return False if options.insecure else named or True
