"""Where the documents of a YAML stream begin and end, by its tokens, and their text as written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

BREAKS = re.compile("[\n\u2028\u2029]")
"""What ends a line (YAML 1.1 5.4), once CR and NEL are written as line feeds."""
_START, _END = "<document start>", "<document end>"
_OUTSIDE = {"<stream start>", "<stream end>", "<directive>", _START, _END}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One document of a stream."""

    text: str
    """Without ``---``, ``...`` and directives; comments before ``---`` stand first."""
    first: int
    """The line (from 0) on which it, or what stands before its ``---``, begins."""
    until: int
    """The line that is no longer its own."""


def document_parts(text: str, tokens: list[Any]) -> list[Part]:
    """One for each document that a parser finds in the stream, in order."""
    return [_part(text, group) for group in _groups(tokens)]


def _groups(tokens: list[Any]) -> Iterator[tuple[Any, Any | None, list[Any], Any]]:
    """(token before it, its ``---``, its directives, token after it) of each document."""
    before, start, directives, filled = tokens[0], None, [], False
    for token in tokens[1:]:
        if token.id == "<directive>":
            directives.append(token)
        elif token.id == _START and (start or filled):
            yield before, start, directives, token
            before, start, directives, filled = token, token, [], False
        elif token.id == _START:
            start = token
        elif token.id not in _OUTSIDE:
            filled = True
        elif start or filled:  # the document's or the stream's end
            yield before, start, directives, token
            before, start, directives, filled = token, None, [], False


def _part(text: str, group: tuple[Any, Any | None, list[Any], Any]) -> Part:
    before, start, directives, after = group
    begin = before.end_mark.index
    begin_line = before.end_mark.line
    written = text[begin : after.start_mark.index]
    if start is not None:
        head = text[begin : start.start_mark.index] if start is not before else ""
        for directive in directives:
            own = text[directive.start_mark.index : directive.end_mark.index]
            head = head.replace(own, "", 1)
        body = text[start.end_mark.index : after.start_mark.index]
        written = head.strip("\n") + "\n" + body.lstrip("\n")
    return Part(
        text=written.lstrip("\n"),
        first=begin_line,
        until=after.start_mark.line + (1 if after.id == "<stream end>" else 0),
    )
