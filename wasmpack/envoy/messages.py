"""Requests, responses and log lines as values, at each end of the proxy."""

import base64
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

    @property
    def start(self) -> str:
        """The first line, without the version."""
        raise NotImplementedError

    def header(self, name: str) -> str | None:
        """The values of a header, joined as HTTP allows (RFC 9110, 5.3); None without one."""
        return joined(self.headers, name)

    def parts_json(self) -> dict[str, object]:
        """The JSON form but for the start; a body that is not text is in base64."""
        try:
            body = {"body": self.body.decode()}
        except UnicodeDecodeError:
            body = {"bodyBase64": base64.b64encode(self.body).decode()}
        named = [{"name": name, "value": value} for name, value in self.headers]
        trailers = [{"name": name, "value": value} for name, value in self.trailers]
        return {"headers": named, **body, "trailers": trailers}


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

    def as_json(self) -> dict[str, object]:
        """The JSON form."""
        return {"method": self.method, "path": self.path, **self.parts_json()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(Message):
    """A response."""

    status: int = 200

    @property
    def start(self) -> str:
        """The status."""
        return str(self.status)

    def as_json(self) -> dict[str, object]:
        """The JSON form."""
        return {"status": self.status, **self.parts_json()}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line that a plugin, or Envoy about a plugin, logged."""

    level: str
    """``trace``, ``debug``, ``info``, ``warning``, ``error`` or ``critical``."""
    context: str
    """Name, root id and VM id of the plugin, separated by spaces; ``envoy`` for its own lines."""
    text: str

    def as_json(self) -> dict[str, object]:
        """The JSON form."""
        return {"level": self.level, "context": self.context, "text": self.text}


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
    network: bool = False
    """It was a connection: of the request and the response, only the bodies mean something."""
