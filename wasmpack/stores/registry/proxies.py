"""Proxies by the environment, as Go's ``net/http`` has them, and so skopeo, crane and docker.

>>> bypassed("reg.corp.example", 443, "*.corp.example, 10.0.0.0/8")
True
"""

import ipaddress
import os
from importlib.util import find_spec
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

from wasmpack.errors import RegistryUnavailable
from wasmpack.stores.registry.address import Address
from wasmpack.stores.registry.options import is_loopback


def proxies_for(address: Address) -> dict[str, str]:
    """By ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY``; none for loopback and ``NO_PROXY``.

    :raises RegistryUnavailable: a SOCKS proxy, and nothing that speaks to it
    """
    excluded = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    host = address.host.strip("[]")
    if is_loopback(address.host) or bypassed(host, address.port, excluded):
        return {}
    found = getproxies_environment()
    proxy = found.get(address.scheme) or found.get("all")
    if not proxy:
        return {}
    if urlsplit(proxy).scheme.startswith("socks") and find_spec("socks") is None:
        raise RegistryUnavailable(
            f"the proxy for {address.host} speaks SOCKS, which needs PySocks",
            hint="pip install PySocks, or an HTTP proxy in HTTPS_PROXY and HTTP_PROXY",
        )
    return {address.scheme: proxy}


def bypassed(host: str, port: int, excluded: str) -> bool:
    """Whether ``NO_PROXY`` names the host (golang.org/x/net/http/httpproxy, ``Config.NoProxy``).

    :param host: a name, or an IP address without brackets
    """
    rows = (row.strip().lower() for row in excluded.split(","))
    return any(_matches(row, host.lower().removesuffix("."), port) for row in rows if row)


def _matches(row: str, host: str, port: int) -> bool:
    """``*``, an IP address, a CIDR, ``NAME``, ``.NAME`` or ``*.NAME``; with a port or without."""
    if row == "*":
        return True
    name, own_port = _split(row)
    if own_port not in {"", str(port)}:
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        domain = name.removeprefix("*")
        return host.endswith(domain if domain[:1] == "." else f".{domain}") or host == domain
    try:
        return address in ipaddress.ip_network(name, strict=False)
    except ValueError:  # a name
        return False


def _split(row: str) -> tuple[str, str]:
    """Host and port; an IPv6 address with a port has brackets."""
    if row.startswith("["):
        host, _, port = row[1:].partition("]")
        return host, port.removeprefix(":")
    host, colon, port = row.rpartition(":")
    return (host, port) if colon and ":" not in host else (row, "")
