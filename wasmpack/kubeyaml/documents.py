"""Documents of Kubernetes resources: values with the place and the comments of every field.

>>> document = Document(source="a.yaml", value={"spec": {}}, lines={("spec",): 2})
>>> document.where(("spec", "url"))
'a.yaml:2 spec.url'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from wasmpack.oci.canonical import JsonObject, JsonValue

FieldPath = tuple[str | int, ...]
"""Keys and indices from the top: ``("spec", "match", 0, "mode")``."""


@dataclass(frozen=True, slots=True)
class Comment:
    """Comments at a field: the lines before it and the end of its line, without ``#``."""

    before: tuple[str, ...] = ()
    """Lines above the field, without ``#``."""
    after: str = ""
    """At the end of the field's own line, without ``#``."""


Comments = Mapping[FieldPath, Comment]
"""By the field they belong to; those of ``()`` before stand above, those after below it all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document of a stream, or one item of a ``List``."""

    source: str
    """Name of the file, ``<stdin>`` for standard input; empty for what is yet to be written."""
    value: JsonValue
    """The content: mappings, lists and scalars, as in JSON."""
    text: str = ""
    """As it was written, without the ``---`` around it; empty for an item."""
    line: int = 1
    """Its first line; lines count from 1."""
    lines: Mapping[FieldPath, int] = field(default_factory=dict)
    """The line of each field, by its path."""
    comments: Comments = field(default_factory=dict)
    """By the path of the field that they belong to."""

    within: FieldPath = ()
    """Path of an item in the document whose ``lines`` it shares."""

    def where(self, path: FieldPath = ()) -> str:
        """``file:line field``, the line being that of the nearest field that is there."""
        if not self.source:
            return path_text(path)
        known = (*self.within, *path)
        while len(known) > len(self.within) and known not in self.lines:
            known = known[:-1]
        place = f"{self.source}:{self.lines.get(known, self.line)}"
        return f"{place} {path_text(path)}" if path else place

    def items(self) -> Iterator[Document]:
        """The items of a list, and of the lists among them; else the document itself."""
        if not isinstance(_items(self.value), list):
            yield self
            return
        comments = self._comments_by_item()
        for path, value in _flattened(self.value, ()):
            within = (*self.within, *path)
            line = self.lines.get(within, self.line)
            yield replace(
                self,
                value=value,
                text="",
                line=line,
                within=within,
                comments=comments.get(path, {}),
            )

    def _comments_by_item(self) -> dict[FieldPath, dict[FieldPath, Comment]]:
        found: dict[FieldPath, dict[FieldPath, Comment]] = {}
        for path, comment in self.comments.items():
            size = _item_depth(self.value, path)
            found.setdefault(path[:size], {})[path[size:]] = comment
        return found


def _items(value: JsonValue) -> JsonValue:
    return value.get("items") if isinstance(value, dict) else None


def _flattened(value: JsonValue, path: FieldPath) -> Iterator[tuple[FieldPath, JsonValue]]:
    """Items of a list as kubectl reads it: anything with ``items`` is one, of any kind.

    (k8s.io/apimachinery unstructured/helpers.go, ``detectAndMaybeDecode`` and ``decodeToList``.)
    """
    found = _items(value)
    if not isinstance(value, dict) or not isinstance(found, list):
        yield path, value
        return
    for number, item in enumerate(found):
        yield from _flattened(_typed(item, value), (*path, "items", number))


def _typed(item: JsonValue, inside: JsonObject) -> JsonValue:
    """An item with the kind that its list implies, if it has none.

    kubectl sets kind and ``apiVersion`` of an item that has neither; one that has an ``apiVersion``
    alone gets its kind here, so that it is validated.
    """
    kind = _text(inside, "kind").removesuffix("List")
    if not isinstance(item, dict) or _text(item, "kind") or not kind:
        return item
    version = _text(item, "apiVersion") or inside.get("apiVersion")
    return {**item, "apiVersion": version, "kind": kind}


def _text(value: JsonObject, key: str) -> str:
    """A string; empty if it is anything else, as in ``unstructured.GetKind``."""
    found = value.get(key)
    return found if isinstance(found, str) else ""


def _item_depth(value: JsonValue, path: FieldPath) -> int:
    """How much of a path leads to the item that it is in."""
    size = 0
    while path[size : size + 1] == ("items",) and len(path) > size + 1:
        found, number = _items(value), path[size + 1]
        if not isinstance(found, list) or not isinstance(number, int):
            break
        value, size = found[number], size + 2
    return size


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
