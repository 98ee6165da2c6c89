"""Addresses a registry sends us to, and those we go to.

Another parser than the HTTP library's must not see another host in a URL, so only what all parsers
agree on is taken: names, IP addresses, decimal ports, no users.
"""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urljoin, urlsplit

_PLACE = re.compile(
    r"(?P<name>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_URL = 16384
"""Characters; servers take 8000 at least (RFC 9110 4.1), signed addresses have 2000."""
_LONGEST_LABEL = 63
"""Octets between two dots (RFC 1035 2.3.4)."""
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LARGEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """An absolute http or https URL that exists is safe to hand on."""

    url: str
    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a URL.

        :raises ValueError: another scheme, no host, a user, a port or name that cannot be
        """
        if len(text) > _LONGEST_URL or _CONTROL.search(text):
            raise ValueError("an overlong URL, or control characters in it")
        parts = urlsplit(text)
        place = _PLACE.fullmatch(parts.netloc)
        if parts.scheme not in _DEFAULT_PORTS or place is None:
            raise ValueError("not an http or https URL")
        labels = place["name"].removesuffix(".").split(".")
        if place["name"][0] != "[" and not all(
            1 <= len(label) <= _LONGEST_LABEL for label in labels
        ):
            raise ValueError("an empty or overlong label in a host name")
        port = int(place["port"] or _DEFAULT_PORTS[parts.scheme])
        if not 0 < port <= _LARGEST_PORT:
            raise ValueError("a port out of range")
        url = parts._replace(fragment="").geturl()
        return cls(url, parts.scheme, place["name"].lower(), port)

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port (RFC 6454 4)."""
        return self.scheme, self.host, self.port

    @property
    def path(self) -> str:
        """Path and query."""
        parts = urlsplit(self.url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def join(self, location: str) -> Self:
        """The target of a ``Location``, seen from here.

        :raises ValueError: as :meth:`parse`
        """
        return type(self).parse(urljoin(self.url, location))

    def over_tls(self) -> Self:
        """The same with https, at the same port."""
        return type(self).parse(f"https://{self.host}:{self.port}{self.path}")

    def with_tls(self) -> Self:
        """The same place with TLS; port 80 is the default that becomes another."""
        parts = urlsplit(self.url)
        place = self.host if self.port in _DEFAULT_PORTS.values() else f"{self.host}:{self.port}"
        return type(self).parse(parts._replace(scheme="https", netloc=place).geturl())
