"""Documents of Kubernetes resources: values with the place and the comments of every field.

>>> document = Document(source="a.yaml", value={"spec": {}}, lines={("spec",): 2})
>>> document.where(("spec", "url"))
'a.yaml:2 spec.url'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

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
        """The items of a list (a kind that ends in ``List``, with ``items``); else itself.

        Items of a list of one kind may leave that kind out, as API servers do.
        """
        value = self.value
        found = value.get("items") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(found, list):
            yield self
            return
        if not str(value.get("kind", "")).endswith("List"):
            yield self
            return
        kind = str(value["kind"]).removesuffix("List")
        typed = {"apiVersion": value.get("apiVersion"), "kind": kind} if kind else {}
        lines = _by_item(self.lines)
        comments = _by_item(self.comments)
        for number, item in enumerate(found):
            inner = lines.get(number, {})
            part = Document(
                source=self.source, value={**typed, **item} if isinstance(item, dict) else item,
                line=inner.get((), self.line), lines=inner, comments=comments.get(number, {}),
            )  # fmt: skip
            yield from part.items()


T = TypeVar("T")


def _by_item(found: Mapping[FieldPath, T]) -> dict[int, dict[FieldPath, T]]:
    """What belongs to each item of ``items``, by its place in that item."""
    inner: dict[int, dict[FieldPath, T]] = {}
    for at, what in found.items():
        if at[:1] == ("items",) and len(at) > 1 and isinstance(at[1], int):
            inner.setdefault(at[1], {})[at[2:]] = what
    return inner


_SHOWN = 80


def shortened(value: JsonValue) -> str:
    """A value in a message, cut where it gets long."""
    return cut(repr(value))


def cut(text: str) -> str:
    """Text in a message, cut where it gets long."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def path_text(path: FieldPath) -> str:
    """``spec.match[0].mode``."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")
