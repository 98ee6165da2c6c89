"""The one writer of the JSON that wasmpack authors, and the one strict reader.

>>> canonical_json({"b": 1, "a": [1, 2]})
b'{"a":[1,2],"b":1}'
"""

import json
import math
from collections import Counter
from typing import NoReturn

from wasmpack.errors import BadArtifact

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


def canonical_json(value: object) -> bytes:
    """Sorted keys, no spaces, UTF-8: equal values always give equal bytes and so equal digests."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


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
        raise BadArtifact(f"{what}: {name[:_SHOWN]} is no JSON number")

    def finite(text: str) -> float:
        number = float(text)
        return number if math.isfinite(number) else no_constant(text)

    value: JsonValue = json.loads(
        text, object_pairs_hook=no_duplicates, parse_constant=no_constant, parse_float=finite
    )
    if deep and _is_deep(value):
        raise RecursionError
    if "\\u" in text:
        canonical_json(value)  # a lone surrogate is no character and cannot be written again
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
