"""Comments of YAML, which no parser keeps: found between its events, placed by their lines."""

import re
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from wasmpack.kubeyaml.documents import Comment, FieldPath

MOST = 200_000
"""Most comments of one stream."""
_BREAKS = "\n\u2028\u2029"
"""What ends a line (YAML 1.1 5.4), once CR and NEL are written as line feeds."""
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
