"""Requests, responses and log lines as values, at each end of the proxy."""

from collections.abc import Iterable
from dataclasses import dataclass

Headers = tuple[tuple[str, str], ...]
"""Names and values in their order; names that came from a proxy are lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The parts that requests and responses have in common."""

    headers: Headers = ()
    body: bytes = b""
    trailers: Headers = ()

    def header(self, name: str) -> str | None:
        """The values of a header, joined as HTTP allows (RFC 9110, 5.3); None without one."""
        return joined(self.headers, name)


def joined(headers: Iterable[tuple[str, str]], name: str) -> str | None:
    """The values of one name, in any case, joined by commas; None if there are none."""
    found = [value for key, value in headers if key.lower() == name.lower()]
    return ", ".join(found) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Message):
    """A request."""

    method: str = "GET"
    path: str = "/"

    @property
    def start(self) -> str:
        """The method and the path."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(Message):
    """A response."""

    status: int = 200

    @property
    def start(self) -> str:
        """The status."""
        return str(self.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line that a plugin, or Envoy about a plugin, logged."""

    level: str
    """``trace``, ``debug``, ``info``, ``warning``, ``error`` or ``critical``."""
    context: str
    """Name, root id and VM id of the plugin, separated by spaces; ``envoy`` for its own lines."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request through the plugins, as each end saw it."""

    sent: Request
    reached: tuple[Request, ...]
    """Requests that the upstream got meanwhile; none if a plugin answered itself."""
    answered: tuple[Response, ...]
    """Responses of the upstream to those."""
    response: Response
    """The response that the client got."""
    log: tuple[LogLine, ...]
