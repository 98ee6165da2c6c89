"""From the events of a YAML parser to the values of documents, within bounds.

PyYAML's own composer is not used: it nests calls as deep as the document is nested, which ends the
interpreter, and makes an object for each value before anybody can count them. Here, what is too
deep, too many or too large is refused where it begins, and an alias counts for all that it repeats.
"""

import base64
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn, Protocol

from wasmpack.errors import BadArtifact
from wasmpack.kubeyaml.documents import FieldPath, cut, shortened
from wasmpack.kubeyaml.scalars import float_key, resolve
from wasmpack.oci.canonical import JsonObject, JsonValue

MAX_BYTES = 64 << 20
"""Most bytes, and characters of keys and scalars, aliases expanded: the exports of whole clusters
are smaller."""
_MAX_VALUES = 1_000_000
"""Most values, aliases expanded."""
_MAX_STEPS = 10_000_000
"""Most keys and indices in the paths of all values."""
_MAX_DEPTH = 100
_TAGS = "tag:yaml.org,2002:"


class Stream(Protocol):
    """Source of events, which also makes the error for rejected input."""

    def next(self) -> Any: ...
    def refuse(self, mark: Any, reason: str) -> NoReturn: ...
    def refuse_key(self, mark: Any) -> NoReturn: ...
    def refuse_excess(self, mark: Any, reason: str) -> NoReturn: ...


class TooMuch(BadArtifact):
    """More than the documents of one stream, or of all that are read together, may come to."""


@dataclass(slots=True)
class Counts:
    """Totals read so far, from one stream or several that are kept together."""

    size: int = 0
    values: int = 0
    text: int = 0
    steps: int = 0

    @property
    def excess(self) -> str:
        """Which bound they are over; empty if they are not."""
        if self.size > MAX_BYTES:
            return f"more than {MAX_BYTES >> 20} MiB"
        if self.values > _MAX_VALUES:
            return f"more than {_MAX_VALUES} values, aliases expanded"
        if self.text > MAX_BYTES:
            return f"more than {MAX_BYTES >> 20} MiB, aliases expanded"
        if self.steps > _MAX_STEPS:
            return "too many values that are nested deeply, aliases expanded"
        return ""


class _Size(NamedTuple):
    """Total size of values."""

    values: int
    text: int
    steps: int


@dataclass(slots=True)
class _Anchored:
    """A value that aliases repeat."""

    mark: Any
    value: JsonValue = None
    size: _Size | None = None
    """None while it is still being read."""
    height: int = 0


class ValueReader:
    """The values of one stream, document by document."""

    def __init__(
        self, stream: Stream, counts: Counts, plain: Callable[[str], JsonValue] = resolve
    ) -> None:
        """:param plain: makes the value of a plain scalar"""
        import yaml

        self._yaml = yaml
        self._stream = stream
        self._counts = counts
        self._plain = plain
        self._deepest = 0
        self._anchors: dict[str, _Anchored] = {}
        self.lines: dict[FieldPath, int] = {}
        """The line of each field of the document that was read last, but for what is inside of an
        alias or a merge key."""

    def read(self, event: Any) -> JsonValue:
        """The value that begins with this event, of a document."""
        self._anchors, self.lines = {}, {}
        return self._value(event, ())

    def _value(self, event: Any, path: FieldPath) -> JsonValue:
        self._check_depth(event.start_mark, len(path))
        self.lines.setdefault(path, event.start_mark.line + 1)
        if isinstance(event, self._yaml.AliasEvent):
            return self._repeated(event, path)
        if event.anchor is None:
            return self._content(event, path)
        known = self._anchors[event.anchor] = _Anchored(event.start_mark)
        counts = self._counts
        values, text, steps = counts.values, counts.text, counts.steps
        deepest, self._deepest = self._deepest, len(path)
        known.value = self._content(event, path)
        values = counts.values - values
        own_steps = counts.steps - steps - values * len(path)
        known.size = _Size(values, counts.text - text, own_steps)
        known.height = self._deepest - len(path)
        self._deepest = max(self._deepest, deepest)
        return known.value

    def _content(self, event: Any, path: FieldPath) -> JsonValue:
        self._count(event, values=1, steps=len(path))
        if isinstance(event, self._yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, self._yaml.MappingStartEvent):
            return self._mapping(path)
        found: list[JsonValue] = []
        while not isinstance(inner := self._stream.next(), self._yaml.SequenceEndEvent):
            found.append(self._value(inner, (*path, len(found))))
        return found

    def _mapping(self, path: FieldPath) -> JsonObject:
        found: JsonObject = {}
        merged: JsonObject = {}
        while not isinstance(event := self._stream.next(), self._yaml.MappingEndEvent):
            if self._is_merge(event):
                self._merge(self._stream.next(), path, merged)
                continue
            key = self._key(event)
            at = (*path, key)
            if key in found:
                reason = f"duplicate key {shortened(key)}, first in line {self.lines[at]}"
                kept = "kubectl would silently keep the last one"
                self._stream.refuse(event.start_mark, f"{reason}: {kept}")
            self.lines[at] = event.start_mark.line + 1
            found[key] = self._value(self._stream.next(), at)
        return {**merged, **found}

    def _is_merge(self, event: Any) -> bool:
        if not isinstance(event, self._yaml.ScalarEvent):
            return False
        plain = event.tag is None and not event.style and event.value == "<<"
        return plain or event.tag == f"{_TAGS}merge"

    def _merge(self, event: Any, path: FieldPath, merged: JsonObject) -> None:
        """Merge the value of ``<<``: one mapping, or several, of which the first wins."""
        lines, self.lines = self.lines, {}
        found = self._value(event, (*path, "<<"))
        self.lines = lines
        for part in found if isinstance(found, list) else [found]:
            if not isinstance(part, dict):
                self._stream.refuse(event.start_mark, "<< merges mappings only")
            for key, value in part.items():
                merged.setdefault(key, value)

    def _key(self, event: Any) -> str:
        key: JsonValue = None
        if isinstance(event, self._yaml.AliasEvent):
            key = self._anchor(event).value
            self._count(event, text=len(str(key)))
        elif isinstance(event, self._yaml.ScalarEvent):
            key = self._scalar(event)
            if event.anchor is not None:
                size = _Size(1, len(event.value), 0)
                self._anchors[event.anchor] = _Anchored(event.start_mark, key, size)
        if isinstance(key, bool):
            return "true" if key else "false"
        if isinstance(key, float):
            return float_key(key)
        if not isinstance(key, str | int):
            self._stream.refuse_key(event.start_mark)
        return str(key)

    def _repeated(self, event: Any, path: FieldPath) -> JsonValue:
        """A copy of what an alias stands for, which counts as much as that."""
        known = self._anchor(event)
        assert known.size
        values, text, steps = known.size
        self._check_depth(event.start_mark, len(path) + known.height)
        self._count(event, values=values, text=text, steps=steps + values * len(path))
        return _copied(known.value)

    def _anchor(self, event: Any) -> _Anchored:
        known = self._anchors.get(event.anchor)
        if known is None:
            name = shortened(event.anchor)
            self._stream.refuse(event.start_mark, f"found undefined alias {name}")
        if known.size is None:
            self._stream.refuse(known.mark, "an anchor whose value contains itself")
        return known

    def _check_depth(self, mark: Any, depth: int) -> None:
        self._deepest = max(self._deepest, depth)
        if depth > _MAX_DEPTH:
            self._stream.refuse(mark, f"nested more than {_MAX_DEPTH} deep")

    def _count(self, event: Any, *, values: int = 0, text: int = 0, steps: int = 0) -> None:
        counts = self._counts
        counts.values += values
        counts.text += text
        counts.steps += steps
        if counts.excess:
            self._stream.refuse_excess(event.start_mark, counts.excess)

    def _scalar(self, event: Any) -> JsonValue:
        self._count(event, text=len(event.value))
        value: JsonValue = self._plain(event.value) if not event.style else str(event.value)
        if event.tag is not None:
            value = self._tagged(event)
        if isinstance(value, float) and not math.isfinite(value):
            self._stream.refuse(event.start_mark, f"{event.value} has no form in JSON")
        return value

    def _tagged(self, event: Any) -> JsonValue:
        """``!!str 1`` and its kin; any other tag has no meaning to an API server."""
        kind = event.tag.removeprefix(_TAGS)
        if kind in {"str", "!"}:
            return str(event.value)
        if kind == "binary":
            return self._binary(event)
        value = resolve(event.value)
        kinds = {"int": (int,), "float": (int, float), "bool": (bool,), "null": (type(None),)}
        if type(value) not in kinds.get(kind, ()):
            reason = f"the tag {cut(event.tag)} has no meaning here, or not on this value"
            self._stream.refuse(event.start_mark, reason)
        return value

    def _binary(self, event: Any) -> str:
        """As go-yaml does: the bytes behind base64, which JSON can hold if they are text."""
        try:
            return base64.b64decode("".join(event.value.split()), validate=True).decode()
        except ValueError:
            reason = "!!binary whose content is not base64 of text"
            self._stream.refuse(event.start_mark, reason)


def _copied(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value
