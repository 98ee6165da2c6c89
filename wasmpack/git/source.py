"""The URL of a remote, as one may publish it.

An address is published only if a strict grammar accepts all of it; what merely looks like one may
hold a token in a place that nobody expects it.
"""

import ipaddress
import re

_MAX = 2048
_USER = r"A-Za-z0-9._~!$&'()*+,;=%\-"
"""RFC 3986 section 3.2.1 (and a ``:`` before the password); an ``@`` in it must be encoded."""
_HOST = r"(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])"
_SEGMENT = r"(?!\.{1,2}(?:/|$))(?:[A-Za-z0-9._~+-]|%20|%[89A-Fa-f][0-9A-Fa-f])+"
"""Of a path. No ``:``, ``@`` or ``%40``: these are how a URL with credentials goes on."""
_PATH = rf"{_SEGMENT}(?:/{_SEGMENT})*/?"
_TAIL = r"(?:[?#][!-?A-~]*)?"
"""Query and fragment, which are dropped; with an ``@`` they are more likely part of a password."""
_URL = re.compile(
    rf"(?P<scheme>https?|ssh|git)://(?:[{_USER}:]*@)?{_HOST}(?::(?P<port>[0-9]{{1,5}}))?"
    rf"/(?P<path>{_PATH}){_TAIL}",
    re.ASCII | re.IGNORECASE,
)
_SCP = re.compile(rf"(?P<user>[{_USER}]+@)?{_HOST}:/?(?P<path>{_PATH})")
"""The short form of ssh (git-fetch(1), "GIT URLS")."""
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


def source_url(remote: str) -> str:
    """A remote's URL without user-info, query and fragment; ``https`` for ssh; else nothing.

    >>> source_url("git@example.com:me/plugin.git")
    'https://example.com/me/plugin.git'
    >>> source_url("https://me:token@example.com/me/plugin.git")
    'https://example.com/me/plugin.git'
    >>> source_url("/srv/git/plugin.git")
    ''
    """
    if len(remote) > _MAX:
        return ""
    if url := _URL.fullmatch(remote):
        scheme, port = url["scheme"].lower(), int(url["port"] or 0)
        if not _is_host(url["host"].lower()) or (url["port"] and not 0 < port < 1 << 16):
            return ""
        kept = f":{port}" if port and scheme.startswith("http") else ""
        shown = "http" if scheme == "http" else "https"
        return f"{shown}://{url['host'].lower()}{kept}/{url['path']}"
    scp = _SCP.fullmatch(remote)
    if scp is None or not _is_host(scp["host"].lower()):
        return ""
    # `https:/path`, `C:/path` and `alias:path` look like it; a host has a dot, or a user before it
    if not scp["user"] and "." not in scp["host"]:
        return ""
    return f"https://{scp['host'].lower()}/{scp['path']}"


def _is_host(host: str) -> bool:
    """A name as in RFC 1123 section 2.1, or an IP address, which the last label tells apart."""
    last = host.rpartition(".")[2]
    if host.startswith("[") or last.isdecimal():
        try:
            ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            return False
        return host.startswith("[") == (":" in host)
    return len(host) <= 253 and all(map(_LABEL.fullmatch, host.split(".")))
