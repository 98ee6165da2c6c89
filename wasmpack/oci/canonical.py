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


def parse_json(raw: bytes, what: str) -> JsonValue:
    """Read JSON from bytes that somebody else wrote.

    :param what: names the document in errors ("runtime-config.json", "manifest")
    :raises BadArtifact: with line and column; also for duplicate keys, NaN and absurd nesting
    """

    def no_duplicates(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
        found = dict(pairs)
        if len(found) != len(pairs):
            counts = Counter(key for key, _ in pairs)
            twice = counts.most_common(1)[0][0]
            raise BadArtifact(f"{what}: the key {twice!r} stands twice in one object")
        return found

    def no_constant(name: str) -> NoReturn:
        raise BadArtifact(f"{what}: {name} is no JSON number")

    def finite(text: str) -> float:
        number = float(text)
        return number if math.isfinite(number) else no_constant(text)

    try:
        text = raw.decode("utf-8-sig")
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
    except UnicodeDecodeError as error:
        raise BadArtifact(f"{what}: not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise BadArtifact(f"{what}: not valid JSON: {error.msg} at {place}") from error
    except (RecursionError, ValueError) as error:
        raise BadArtifact(f"{what}: not usable JSON: {_reason(error)}") from error
    return value


def parse_json_object(raw: bytes, what: str) -> JsonObject:
    """As :func:`parse_json`, and the document must be an object."""
    value = parse_json(raw, what)
    if not isinstance(value, dict):
        raise BadArtifact(f"{what}: expected a JSON object, found {_kind(value)}")
    return value


def _reason(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else "a number is too long"


def _kind(value: JsonValue) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
