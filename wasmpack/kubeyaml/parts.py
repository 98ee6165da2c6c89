"""Where the documents of a YAML stream begin and end, and their text as written."""

import re
from dataclasses import dataclass, replace
from typing import Any

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
        """Where the document, or what stands before its ``---``, begins."""
        self._body = 0
        self._head: str | None = None
        """What stands before the ``---``; None without one."""
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
