"""Comments and source text, which YAML parsers drop, recovered from the marks of events."""

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from wasmpack.kubeyaml.documents import Comment, FieldPath

MOST = 200_000
"""Most comments of one stream."""
_BREAKS = "\n\u2028\u2029"
"""Line breaks (YAML 1.1 5.4), once CR and NEL are written as line feeds."""
_BREAK = re.compile(f"[{_BREAKS}]")
_MARK = re.compile(r"(?:^|(?<=[\s,:?\[\]{}-]))#")
"""Begins a comment; in the middle of a tag it does not."""


class Comments:
    """Comments by line (from 0): between two events there are indicators, spaces or comments."""

    def __init__(self, text: str) -> None:
        self.found: dict[int, Comment] = {}
        self._text = text
        self._last, self._line = 0, 0
        self._alone = True

    def pass_over(self, start: int, end: Any) -> None:
        """Look at what is before an event.

        :param start: its index
        :param end: the mark behind it
        """
        if self._text.find("#", self._last, start) >= 0:
            self._look(start)
        if end.index >= self._last:
            self._last, self._line = end.index, end.line
            self._alone = end.column == 0

    def _look(self, until: int) -> None:
        """Only lines that hold a mark are looked at: there may be millions of others."""
        at, line, alone = self._last, self._line, self._alone
        while (mark := self._text.find("#", at, until)) >= 0 and len(self.found) <= MOST:
            if breaks := sum(self._text.count(char, at, mark) for char in _BREAKS):
                at = 1 + max(self._text.rfind(char, at, mark) for char in _BREAKS)
                line, alone = line + breaks, True
            end = _BREAK.search(self._text, mark, until)
            stop = end.start() if end else until
            self._note(line, self._text[at:stop], alone=alone)
            at = stop

    def _note(self, line: int, written: str, *, alone: bool) -> None:
        found = _MARK.search(written)
        if found is None:
            return
        words = written[found.end() :].strip()
        if alone and not written[: found.start()].strip():
            self.found[line] = Comment(before=(words,))
        else:
            self.found[line] = Comment(after=words)


def placed(
    comments: Mapping[int, Comment], lines: Mapping[FieldPath, int]
) -> dict[FieldPath, Comment]:
    """Each comment with the field that follows it, or that it shares the line with."""
    outermost: dict[int, FieldPath] = {}
    for path, line in lines.items():
        if path and line - 1 not in outermost:
            outermost[line - 1] = path
    order = sorted(outermost)
    before: dict[FieldPath, list[str]] = {}
    after: dict[FieldPath, str] = {}
    for line, comment in sorted(comments.items()):
        if comment.after and line in outermost:
            path = outermost[line]
        else:
            following = bisect_right(order, line)
            path = outermost[order[following]] if following < len(order) else ()
        before.setdefault(path, []).extend(comment.before)
        after[path] = comment.after or after.get(path, "")
    found = {
        path: Comment(before=tuple(words), after=after[path]) for path, words in before.items()
    }
    if () in found:  # what no field follows
        found[()] = Comment(after="\n".join(filter(None, before[()])))
    return found


_DIRECTIVE = re.compile(r"^%[^\n]*\n?", re.MULTILINE)
_DASHES = 3
"""Characters of ``---``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One document of a stream."""

    text: str
    """Without ``---``, ``...`` and directives; comments before ``---`` stand first."""
    first: int
    """The line (from 0) on which it, or what stands before its ``---``, begins."""
    until: int
    """The line that is no longer its own."""


class Parts:
    """The documents of a stream, from the marks of where a parser finds that they begin and end."""

    def __init__(self, text: str) -> None:
        self.found: list[Part] = []
        self._text = text
        self._begin, self._line = 0, 0
        """Start of the document, or of the text before its ``---``."""
        self._body = 0
        self._head: str | None = None
        """Text before the ``---``; None without one."""
        self._open_end = False
        """The document before has no ``...``: it ends where this one's ``---`` is."""

    def start(self, *, explicit: bool, end: Any) -> None:
        """A document begins.

        :param end: mark behind its ``---``, if it is explicit
        """
        self._body, self._head = self._begin, None
        if not explicit:
            return
        self._body, self._head = end.index, ""
        if self._open_end:
            self._line = end.line
        else:
            head = self._text[self._begin : end.index - _DASHES]
            self._head = _DIRECTIVE.sub("", head)

    def end(self, *, explicit: bool, start: Any, end: Any) -> None:
        """A document ends; explicitly with ``...``."""
        text = self._text[self._body : start.index]
        if self._head is not None:
            text = self._head.strip("\n") + "\n" + text.lstrip("\n")
        part = Part(text=text.lstrip("\n"), first=self._line, until=start.line)
        self.found.append(part)
        self._begin, self._line = end.index, end.line
        self._open_end = not explicit

    def finish(self) -> None:
        """The stream ends, and its last line is that of the last document."""
        if self.found and self._open_end:
            last = self.found[-1]
            self.found[-1] = replace(last, until=last.until + 1)
