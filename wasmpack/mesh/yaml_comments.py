"""Comments of YAML, which no parser of it keeps: found between tokens, placed by their lines."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any

from wasmpack.mesh.documents import Comment, FieldPath
from wasmpack.mesh.yaml_parts import BREAKS


def comments_of(text: str, tokens: list[Any]) -> dict[int, Comment]:
    """Comments by line (from 0): between two tokens there is white space, or a comment."""
    found: dict[int, Comment] = {}
    for line, alone, gap in _gaps(text, tokens):
        for number, piece in enumerate(BREAKS.split(gap)):
            _, mark, words = piece.partition("#")
            if mark and (number or alone):
                found[line + number] = Comment(before=(words.strip(),))
            elif mark:
                found[line + number] = Comment(after=words.strip())
    return found


def _gaps(text: str, tokens: list[Any]) -> Iterator[tuple[int, bool, str]]:
    """(line, whether it begins with that line, what stands there)."""
    last, line, alone = 0, 0, True
    for token in tokens:
        if token.start_mark.index > last:
            yield line, alone, text[last : token.start_mark.index]
        if token.end_mark.index >= last:
            last, line = token.end_mark.index, token.end_mark.line
            alone = token.end_mark.column == 0
    yield line, alone, text[last:]


def placed(
    comments: Mapping[int, Comment], lines: Mapping[FieldPath, int]
) -> dict[FieldPath, Comment]:
    """Each comment with the field that follows it, or that it shares the line with."""
    outermost: dict[int, FieldPath] = {}
    for path, line in lines.items():
        if path and line - 1 not in outermost:
            outermost[line - 1] = path
    order = sorted(outermost)
    found: dict[FieldPath, Comment] = {}
    for line, comment in sorted(comments.items()):
        if comment.after and line in outermost:
            path = outermost[line]
        else:
            after = bisect_right(order, line)
            path = outermost[order[after]] if after < len(order) else ()
        old = found.get(path, Comment())
        before = old.before + comment.before
        if not path:
            found[path] = Comment(after="\n".join(filter(None, (old.after, *comment.before))))
        else:
            found[path] = Comment(before=before, after=comment.after or old.after)
    return found
