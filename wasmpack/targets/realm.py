"""The realm guard of Istio's fetcher: the registries it refuses to contact.

Since Istio 1.27.8, 1.28.5, 1.29.1 and in all later releases (pkg/wasm/imagefetcher.go, #58969): if
a registry answers 401, each realm of its challenges must be an http(s) URL of a public host,
whether credentials are given or not. Plain htpasswd registries name a word.

>>> refused_realm('Basic realm="Registry Realm"')
'rejected unsafe bearer realm: realm scheme "" not allowed'
>>> refused_realm('Bearer realm="https://quay.io/v2/auth",service="quay.io"')
''
"""

import ipaddress
import re
from urllib.parse import urlsplit

from wasmpack.findings import Rule

_REALM = re.compile(r'realm="([^"]*)"', re.IGNORECASE)
"""A realm without quotes is not checked."""
_LOCAL = {"localhost", "metadata.google.internal"}
_WORDS = "rejected unsafe bearer realm: "
ADVICE = (
    "the realm has to be an http(s) URL of a public host: a token server, or a proxy that names "
    "such a realm; or let the mesh pull the image without credentials"
)
UNSAFE_REALM = Rule(
    code="IMG009",
    title="the registry's challenge names a realm that is not an http(s) URL of a public host",
    cause="an htpasswd registry, or a token server on a private address",
    consumer="Istio since 1.27.8, 1.28.5 and 1.29.1, OpenShift Service Mesh since 3.2: `rejected "
    "unsafe bearer realm`",
    example='WWW-Authenticate: Basic realm="Registry Realm"',
    fix="a realm that is such a URL, or pulling without credentials",
)
SINCE = "Istio 1.27.8, 1.28.5, 1.29.1, OpenShift Service Mesh 3.2 and later"


def refused_realm(challenge: str) -> str:
    """The fetcher's message on refusing a registry; empty if it accepts it.

    :param challenge: the ``WWW-Authenticate`` header of its 401; empty without one
    """
    return next(filter(None, map(_refusal, _REALM.findall(challenge))), "")


def _refusal(realm: str) -> str:
    try:
        parts = urlsplit(realm)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return f"{_WORDS}invalid realm URL"
    if parts.scheme not in {"http", "https"}:
        return f'{_WORDS}realm scheme "{parts.scheme}" not allowed'
    if host in _LOCAL:
        return f"{_WORDS}realm targets {host}"
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_private or address.is_loopback or address.is_link_local:
        return f"{_WORDS}realm targets private/loopback/link-local IP"
    return ""
