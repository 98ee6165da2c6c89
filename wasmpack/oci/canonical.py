"""The one writer of the JSON that wasmpack authors, and the one strict reader.

>>> canonical_json({"b": 1, "a": [1, 2]})
b'{"a":[1,2],"b":1}'
"""

import json
import math
import re
from collections import Counter
from typing import NoReturn

from wasmpack.errors import BadArtifact

JsonValue = dict[str, "JsonValue"] | list["JsonValue"] | str | int | float | bool | None
JsonObject = dict[str, JsonValue]
MAX_JSON = 16 << 20
"""Bytes of a document; parsed, it takes up to twenty times as much memory."""
_MAX_DEPTH = 200
"""Far more than any document has, and far less than what Python's own recursion can follow."""
_MAX_SHOWN = 80
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
"""A string, or what begins as one: it must not be tried again at every quote."""
_NO_BRACKETS = re.compile(r"[^\[\]{}]+")


def canonical_json(value: object) -> bytes:
    """Sorted keys, no spaces, UTF-8: equal values always give equal bytes and so equal digests."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def parse_json(raw: bytes, what: str, most: int = MAX_JSON) -> JsonValue:
    """Read JSON from bytes that somebody else wrote.

    :param what: names the document in errors ("runtime-config.json", "manifest")
    :param most: bytes that it may have
    :raises BadArtifact: with line and column; also for duplicate keys, NaN, absurd nesting and size
    """
    text = _document(raw, what, most)

    def no_duplicates(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
        found = dict(pairs)
        if len(found) != len(pairs):
            counts = Counter(key for key, _ in pairs)
            twice = counts.most_common(1)[0][0]
            raise BadArtifact(f"{what}: the key {shown(twice)} stands twice in one object")
        return found

    def no_constant(name: str) -> NoReturn:
        raise BadArtifact(f"{what}: {name[:_MAX_SHOWN]} is no JSON number")

    def finite(text: str) -> float:
        number = float(text)
        return number if math.isfinite(number) else no_constant(text)

    try:
        value: JsonValue = json.loads(
            text, object_pairs_hook=no_duplicates, parse_constant=no_constant, parse_float=finite
        )
        if "\\u" in text:
            canonical_json(value)  # a lone surrogate is no character and cannot be written again
    except UnicodeEncodeError as error:
        raise BadArtifact(
            f"{what}: \\u{ord(error.object[error.start]):04x} is half a character "
            "(a lone surrogate)"
        ) from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise BadArtifact(f"{what}: not valid JSON: {error.msg} at {place}") from error
    except ValueError as error:
        raise BadArtifact(f"{what}: not usable JSON: a number is too long") from error
    return value


def parse_json_object(raw: bytes, what: str, most: int = MAX_JSON) -> JsonObject:
    """As :func:`parse_json`, and the document must be an object."""
    value = parse_json(raw, what, most)
    if not isinstance(value, dict):
        raise BadArtifact(f"{what}: expected a JSON object, found {_kind(value)}")
    return value


def shown(value: JsonValue) -> str:
    """A foreign value in an error: text and numbers as they are, of the rest what it is."""
    if isinstance(value, str):
        return repr(value[:_MAX_SHOWN] + ("…" if len(value) > _MAX_SHOWN else ""))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)[:_MAX_SHOWN]
    return _kind(value)


def _document(raw: bytes, what: str, most: int) -> str:
    """The text, of a size and depth that can be parsed."""
    if len(raw) > most:
        raise BadArtifact(f"{what}: {len(raw)} bytes of JSON, more than {most}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadArtifact(f"{what}: not UTF-8 (byte {error.start})") from error
    if _is_too_deep(text):
        raise BadArtifact(f"{what}: not usable JSON: nested too deeply")
    return text


def _is_too_deep(text: str) -> bool:
    """Whether brackets outside of strings nest too deeply; known before anything recurses."""
    if text.count("[") + text.count("{") <= _MAX_DEPTH:
        return False
    depth = 0
    for bracket in _NO_BRACKETS.sub("", _STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > _MAX_DEPTH:
            return True
    return False


def _kind(value: JsonValue) -> str:
    names = {list: "an array", dict: "an object", str: "a string", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), "a number")
