"""The changes that plugins made to a request and to its response.

Each end is compared with the other, without the headers that Envoy sets itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from wasmpack.envoy.messages import Exchange, Headers, Message, joined

_FRAMING = {"connection", "content-length", "transfer-encoding", "trailer", "te"}
"""Headers of one connection, which Envoy sets for each."""
_ADDED = {
    "x-forwarded-proto",
    "x-request-id",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-upstream-service-time",
    "date",
}
"""Headers that Envoy's HTTP connection manager and router add."""
_REPLACED = ("server", "envoy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One part of a message that differs."""

    part: str
    """``start``, ``header``, ``body`` or ``trailer``."""
    name: str = ""
    """The header or trailer."""
    before: str | None
    """None: it was not there."""
    after: str | None
    """None: it is not there any more."""

    def as_json(self) -> dict[str, object]:
        """The JSON form."""
        named = {"name": self.name} if self.name else {}
        return {"part": self.part, **named, "before": self.before, "after": self.after}


def request_changes(exchange: Exchange) -> tuple[Change, ...]:
    """Between what the client sent and what the upstream got, if anything reached it."""
    return tuple(_changes(exchange.sent, exchange.reached[0])) if exchange.reached else ()


def response_changes(exchange: Exchange) -> tuple[Change, ...]:
    """Between what the upstream answered and what the client got, if the upstream answered."""
    return tuple(_changes(exchange.answered[0], exchange.response)) if exchange.answered else ()


def _changes(before: Message, after: Message) -> Iterator[Change]:
    if before.start != after.start:
        yield Change(part="start", before=before.start, after=after.start)
    yield from _of_headers("header", before.headers, after.headers)
    if before.body != after.body:
        yield Change(part="body", before=body_text(before.body), after=body_text(after.body))
    yield from _of_headers("trailer", before.trailers, after.trailers)


def _of_headers(part: str, before: Headers, after: Headers) -> Iterator[Change]:
    names = dict.fromkeys(name.lower() for name, _ in (*before, *after))
    for name in names:
        old, new = joined(before, name), joined(after, name)
        by_envoy = (old is None and name in _ADDED) or (name, new) == _REPLACED
        if old != new and name not in _FRAMING and not by_envoy:
            yield Change(part=part, name=name, before=old, after=new)


def body_text(body: bytes) -> str:
    """A body as text; bytes that are not are replaced."""
    return body.decode(errors="replace")
