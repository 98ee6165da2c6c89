"""Requests through plugins, and their log, for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from wasmpack.envoy.changes import Change, body_text, request_changes, response_changes
from wasmpack.redaction import plain_text

if TYPE_CHECKING:
    from wasmpack.envoy import Exchange, LogLine
    from wasmpack.envoy.messages import Message
    from wasmpack.text import Style

_LONGEST = 1000
"""Characters of a body."""
_COLOURS = {"error": "red", "critical": "red", "warning": "yellow"}


def exchange_lines(exchange: Exchange, style: Style) -> Iterator[str]:
    """Both ends of what was sent, what the plugins changed, and their log."""
    yield from (_connection if exchange.network else _request)(exchange, style)
    if exchange.log:
        yield "  log"
        yield from (f"    {line}" for line in log_lines(exchange.log, style))


def _connection(exchange: Exchange, style: Style) -> Iterator[str]:
    """The bytes that were sent, and those that came back until the connection was closed."""
    yield style("connection", "bold")
    sent, back = exchange.sent.body, exchange.response.body
    for what, data in (("sent", sent), ("came back until the connection was closed", back)):
        yield f"  {len(data)} bytes {what}"
        yield from (f"    {line}" for line in _lines_of(body_text(data)) if data)


def _request(exchange: Exchange, style: Style) -> Iterator[str]:
    """The request at the upstream, the response at the client, and what the plugins changed."""
    yield style(plain_text(exchange.sent.start), "bold")
    if exchange.reached:
        yield "  request, as the upstream got it"
        yield from _message(exchange.reached[0], request_changes(exchange), style)
    else:
        yield "  the request did not reach the upstream"
    yield "  response, as the client got it"
    changes = response_changes(exchange)
    yield from _message(exchange.response, changes, style)


def log_lines(lines: Iterable[LogLine], style: Style) -> Iterator[str]:
    """Level, plugin and text."""
    for line in lines:
        level = style(f"{line.level:<8}", _COLOURS.get(line.level, "dim"))
        yield f"{level} {plain_text(line.context)}: {plain_text(line.text)}"


def _message(message: Message, changes: Sequence[Change], style: Style) -> Iterator[str]:
    """The parts of a message; those that changed as in a diff."""
    changed = {(change.part, change.name): change for change in changes}

    def row(part: str, name: str, text: str) -> Iterator[str]:
        change = changed.pop((part, name), None)
        if change is None:
            yield from (f"    {line}" for line in _lines_of(text))
        else:
            yield from _difference(change, style)

    yield from row("start", "", message.start)
    for name in dict.fromkeys(name for name, _ in message.headers):
        yield from row("header", name, f"{name}: {message.header(name)}")
    if message.body:
        yield from row("body", "", f"body: {body_text(message.body)}")
    for name, value in message.trailers:
        yield from row("trailer", name, f"trailer {name}: {value}")
    for change in changed.values():
        yield from _difference(change, style)


def _difference(change: Change, style: Style) -> Iterator[str]:
    label = {"header": "", "trailer": "trailer ", "body": "body", "start": ""}[change.part]
    label += f"{change.name}: " if change.name else ": " if label else ""
    for sign, text, colour in (("-", change.before, "red"), ("+", change.after, "green")):
        if text is not None:
            yield from (style(f"  {sign} {line}", colour) for line in _lines_of(label + text))


def _lines_of(text: str) -> list[str]:
    """Untrusted text, and no more of it than a reader wants."""
    more = f"… ({len(text)} characters)" if len(text) > _LONGEST else ""
    return [plain_text(line) for line in (text[:_LONGEST] + more).rstrip("\n").split("\n")]
