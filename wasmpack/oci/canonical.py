"""The one writer of the JSON that wasmpack authors, and the one strict reader.

>>> canonical_json({"b": 1, "a": [1, 2]})
b'{"a":[1,2],"b":1}'

Values of foreign documents are taken with their place in them, which every error names:

>>> manifest = Fields({"layers": [{"size": "big"}]}, "manifest")
>>> [Fields(row, where).required(int, "size") for row, where in manifest.rows("layers")]
Traceback (most recent call last):
wasmpack.errors.BadArtifact: manifest.layers[0].size: expected an integer, found 'big'
"""

import json
import math
from collections import Counter
from collections.abc import Iterable
from typing import NoReturn, TypeGuard, TypeVar

from wasmpack.errors import BadArtifact

T = TypeVar("T")
JsonValue = dict[str, "JsonValue"] | list["JsonValue"] | str | int | float | bool | None
JsonObject = dict[str, JsonValue]
_MAX_ITEMS = 2_000_000
"""Most commas and brackets of a document: a value takes up to forty times the bytes it is written
in."""
MAX_JSON = 64 << 20
"""Bytes of a document: as many as a stream of YAML may have."""
_SHOWN = 80
"""Characters of a key or a number in a message."""
_MAX_DEPTH = 100
"""Whatever walks through a value nests calls as deep as the value is nested."""
_KINDS = {str: "a string", int: "an integer", list: "an array", dict: "an object"}
_LONGEST_KEY = 80
"""Characters of a foreign key that are repeated."""


def canonical_json(value: object) -> bytes:
    """Sorted keys, no spaces, UTF-8: equal values always give equal bytes and so equal digests."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def indented_json(value: object) -> str:
    """JSON for people and for files: two spaces, keys as they come, ASCII alone.

    >>> print(indented_json({"b": 1}))
    {
      "b": 1
    }
    """
    return json.dumps(well_formed(value), indent=2)


def well_formed(value: object) -> object:
    """The same value with every lone surrogate written out, as ``\\udcff``.

    Python has them in names of files that are not UTF-8; JSON that others read must not
    (RFC 8259, 8.2).

    >>> well_formed({"subject": "caf\\udce9.wasm"})
    {'subject': 'caf\\\\udce9.wasm'}
    """
    match value:
        case str():
            return value.encode(errors="backslashreplace").decode()
        case dict():
            return {well_formed(key): well_formed(item) for key, item in value.items()}
        case list() | tuple():
            return [well_formed(item) for item in value]
    return value


def parse_json(raw: bytes, what: str, most: int = MAX_JSON) -> JsonValue:
    """Read JSON from bytes that somebody else wrote.

    :param what: names the document in errors ("runtime-config.json", "manifest")
    :param most: bytes that it may have
    :raises BadArtifact: with line and column; also for duplicate keys, NaN, and what is too large
        or nested too deeply
    """
    if len(raw) > most:
        raise BadArtifact(f"{what}: {len(raw)} bytes of JSON, more than {most}")
    opened = raw.count(b"[") + raw.count(b"{")
    if opened + raw.count(b",") > _MAX_ITEMS:
        raise BadArtifact(f"{what}: not usable JSON: more than {_MAX_ITEMS} values")
    try:
        value = _loaded(raw.decode("utf-8-sig"), what, deep=opened > _MAX_DEPTH)
    except UnicodeEncodeError as error:
        raise BadArtifact(
            f"{what}: \\u{ord(error.object[error.start]):04x} is half a character "
            "(a lone surrogate)"
        ) from error
    except UnicodeDecodeError as error:
        raise BadArtifact(f"{what}: not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise BadArtifact(f"{what}: not valid JSON: {error.msg} at {place}") from error
    except (RecursionError, ValueError) as error:
        raise BadArtifact(f"{what}: not usable JSON: {_reason(error)}") from error
    return value


def _loaded(text: str, what: str, *, deep: bool) -> JsonValue:
    """The value, if it can be written again.

    :param deep: it may be nested too deeply
    """

    def no_duplicates(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
        found = dict(pairs)
        if len(found) != len(pairs):
            counts = Counter(key for key, _ in pairs)
            twice = counts.most_common(1)[0][0]
            raise BadArtifact(f"{what}: the key {shown(twice)} is duplicated in one object")
        return found

    def no_constant(name: str) -> NoReturn:
        raise BadArtifact(f"{what}: {name[:_SHOWN]} is not a JSON number")

    def finite(text: str) -> float:
        number = float(text)
        return number if math.isfinite(number) else no_constant(text)

    value: JsonValue = json.loads(
        text, object_pairs_hook=no_duplicates, parse_constant=no_constant, parse_float=finite
    )
    if deep and _is_deep(value):
        raise RecursionError
    if "\\u" in text:
        canonical_json(value)  # a lone surrogate is not a character and cannot be written again
    return value


def parse_json_object(raw: bytes, what: str, most: int = MAX_JSON) -> JsonObject:
    """As :func:`parse_json`, and the document must be an object."""
    value = parse_json(raw, what, most)
    if not isinstance(value, dict):
        raise BadArtifact(f"{what}: expected a JSON object, found {kind_of(value)}")
    return value


def shown(value: JsonValue) -> str:
    """A foreign value in an error: text and numbers as they are, of the rest what it is."""
    if isinstance(value, str):
        return repr(value[:_SHOWN] + ("…" if len(value) > _SHOWN else ""))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)[:_SHOWN]
    return kind_of(value)


def kind_of(value: JsonValue) -> str:
    """The kind of a value in an error, for values that are not repeated."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), "a number")


def _is_deep(value: JsonValue) -> bool:
    level = [value]
    for _ in range(_MAX_DEPTH + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return bool(level)


def _reason(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else "a number is too long"


def find(value: JsonValue, kind: type[T], *keys: str) -> T | None:
    """The value behind these keys; None if it is absent or of another kind.

    >>> find({"config": {"Labels": None}}, dict, "config", "Labels")
    """
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if _is(value, kind) else None


def go_fields(value: JsonObject, names: Iterable[str]) -> JsonObject:
    """An object with its known keys as they are spelled, in whatever case they were written.

    Go's encoding/json, with which registries and meshes read, matches them like that; the last one
    counts.

    >>> go_fields({"Layers": [], "x": 1}, ["layers"])
    {'layers': [], 'x': 1}
    """
    known = {name.casefold(): name for name in names}
    return {known.get(key.casefold(), key): item for key, item in value.items()}


def expect(
    value: JsonValue, kind: type[T], where: str, expected: str = "", *, secret: bool = False
) -> T:
    """The value itself.

    :param expected: what should be there, if the kind of JSON does not say it
    :param secret: the error does not repeat the value
    :raises BadArtifact: it is of another kind
    """
    if _is(value, kind):
        return value
    found = kind_of(value) if secret else shown(value)
    raise BadArtifact(f"{where}: expected {expected or _KINDS[kind]}, found {found}")


class Fields:
    """One object of a document."""

    def __init__(
        self,
        value: JsonValue,
        where: str,
        expected: str = "",
        *,
        separator: str = ".",
        secret: bool = False,
    ) -> None:
        """Look into a value, which must be an object.

        :param where: its place, for errors (``manifest.layers[2]``)
        :param separator: between that and a key; a file's name is followed by ``": "``
        :param secret: errors repeat nothing that is in it
        :raises BadArtifact: not an object
        """
        self._prefix = where + separator
        self._secret = secret
        self.value: JsonObject = expect(value, dict, where, expected, secret=secret)

    def get(self, kind: type[T], key: str, expected: str = "") -> T | None:
        """The value of a key; None if it is absent or null.

        :raises BadArtifact: it is of another kind
        """
        return None if self.value.get(key) is None else self.required(kind, key, expected)

    def required(self, kind: type[T], key: str, expected: str = "") -> T:
        """The value of a key.

        :raises BadArtifact: it is absent or of another kind
        """
        value = self.value.get(key)
        return expect(value, kind, self.place(key), expected, secret=self._secret)

    def within(self, key: str) -> "Fields":
        """The object behind a key, an empty one if it is absent or empty.

        :raises BadArtifact: it is of another kind
        """
        return Fields(self.value.get(key) or {}, self.place(key), secret=self._secret)

    def rows(self, key: str, expected: str = "") -> list[tuple[JsonValue, str]]:
        """The items of an array, each with its place.

        :raises BadArtifact: it is absent or no array
        """
        place = self.place(key)
        return [(row, f"{place}[{n}]") for n, row in enumerate(self.required(list, key, expected))]

    def texts(self) -> dict[str, str]:
        """All of it, strings by their keys.

        :raises BadArtifact: one is of another kind
        """
        return {key: self.required(str, key) for key in self.value}

    def place(self, key: str) -> str:
        """The place of a key, for errors."""
        return self._prefix + key[:_LONGEST_KEY]


def _is(value: JsonValue, kind: type[T]) -> TypeGuard[T]:
    """True if it is of that kind; of Python's types, a truth value would be an integer."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
