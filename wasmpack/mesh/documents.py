"""Documents of Kubernetes resources: values with the place and the comments of every field.

>>> document = Document(source="a.yaml", value={"spec": {}}, lines={("spec",): 2})
>>> document.where(("spec", "url"))
'a.yaml:2 spec.url'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from wasmpack.oci.canonical import JsonValue

FieldPath = tuple[str | int, ...]
"""Keys and indices from the top: ``("spec", "match", 0, "mode")``."""


@dataclass(frozen=True, slots=True)
class Comment:
    """What stands around a field: lines before it, and the end of its own line, without ``#``."""

    before: tuple[str, ...] = ()
    after: str = ""


Comments = Mapping[FieldPath, Comment]
"""By the field they belong to; those of ``()`` before stand above, those after below it all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document of a stream, or one item of a ``List``."""

    source: str
    """Name of the file, ``<stdin>`` for standard input; empty for what is yet to be written."""
    value: JsonValue
    text: str = ""
    """As it was written, without the ``---`` around it; empty for an item."""
    line: int = 1
    """Its first line; lines count from 1."""
    lines: Mapping[FieldPath, int] = field(default_factory=dict)
    comments: Comments = field(default_factory=dict)

    def where(self, path: FieldPath = ()) -> str:
        """``file:line field``, the line being that of the nearest field that is there."""
        if not self.source:
            return path_text(path)
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        place = f"{self.source}:{self.lines.get(known, self.line)}"
        return f"{place} {path_text(path)}" if path else place

    def items(self) -> Iterator[Document]:
        """The items of a ``List`` (any kind that ends so), each a document; else itself."""
        value = self.value
        if not isinstance(value, dict) or not str(value.get("kind", "")).endswith("List"):
            yield self
            return
        found = value.get("items")
        inner: dict[int, tuple[dict[FieldPath, int], dict[FieldPath, Comment]]] = {}
        for at, line in self.lines.items():
            if at[:1] == ("items",) and len(at) > 1 and isinstance(at[1], int):
                inner.setdefault(at[1], ({}, {}))[0][at[2:]] = line
        for at, note in self.comments.items():
            if at[:1] == ("items",) and len(at) > 1 and isinstance(at[1], int):
                inner.setdefault(at[1], ({}, {}))[1][at[2:]] = note
        for number, item in enumerate(found if isinstance(found, list) else []):
            lines, comments = inner.get(number, ({}, {}))
            yield Document(
                source=self.source, value=item, line=lines.get((), self.line), lines=lines,
                comments=comments,
            )  # fmt: skip


def path_text(path: FieldPath) -> str:
    """``spec.match[0].mode``."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")
