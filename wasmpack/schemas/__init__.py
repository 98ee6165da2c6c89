"""JSON Schemas of the documents wasmpack reads, as package data, and the one module that uses them.

>>> [fault.message for fault in schema_faults("runtime-config", {})]
["'type' is a required property"]
"""

import json
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

_LONGEST = 500
_MOST = 1000
"""Faults of one document; a hostile one has millions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaFault:
    """A violation of a schema."""

    path: tuple[str | int, ...]
    """Keys and indices from the top to the value at fault."""
    json_path: str
    """The same as ``$.spec.url``."""
    keyword: str
    """The keyword of JSON Schema that failed."""
    expected: Any
    """The schema's value of that keyword."""
    value: Any
    """The value at fault."""
    message: str
    known: tuple[str, ...] = ()
    """Keys that the schema has at this place."""
    since: str = ""
    """First release with this limit (``x-limits-since``); empty if each has it."""


def schema_faults(name: str, value: object, definition: str = "") -> Iterator[SchemaFault]:
    """The first thousand faults, in the order of the places.

    :param name: of the schema, without ``.schema.json``
    :param definition: one of its ``$defs``; the whole schema if empty
    """
    found = islice(_validator(name, definition).iter_errors(value), _MOST)
    for error in sorted(found, key=_place):
        yield SchemaFault(
            path=tuple(error.absolute_path),
            json_path=error.json_path,
            keyword=str(error.validator),
            expected=error.validator_value,
            value=error.instance,
            message=error.message[:_LONGEST],
            known=_keys_of(error.schema),
            since=_limits_of(error.schema).get(str(error.validator), ""),
        )


def _limits_of(schema: Any) -> Mapping[str, str]:
    found: Mapping[str, str] = schema.get("x-limits-since", {}) if isinstance(schema, dict) else {}
    return found


def _keys_of(schema: Any) -> tuple[str, ...]:
    return tuple(schema.get("properties", ())) if isinstance(schema, dict) else ()


@cache
def load_schema(name: str) -> Mapping[str, Any]:
    """A schema, parsed."""
    loaded: Mapping[str, Any] = json.loads(pkgutil.get_data(__name__, f"{name}.schema.json") or b"")
    return loaded


def _place(error: Any) -> str:
    return str(error.json_path)


@cache
def _validator(name: str, definition: str) -> Any:
    import jsonschema

    schema = load_schema(name)
    if definition:
        schema = {"$defs": schema["$defs"], "$ref": f"#/$defs/{definition}"}
    extend: Any = jsonschema.validators.extend
    return extend(jsonschema.Draft202012Validator, {"pattern": _pattern})(schema)


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[Any]:
    """As ECMA 262 and Go have it: ``$`` is the end of the text, not the place before a last LF."""
    import jsonschema

    if isinstance(value, str) and not re.search(pattern.replace("$", r"\Z"), value):
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern!r}")
