"""Places of a resource's schema: the one that was meant, and the form of what belongs there.

>>> where_it_belongs("WasmPlugin", ("spec",), "env")
'did you mean spec.vmConfig.env?'
>>> form_at("WasmPlugin", ("spec", "vmConfig", "env"))
'env: [{name: NAME, value: VALUE, valueFrom: INLINE|HOST}]'
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from wasmpack.kubeyaml.documents import FieldPath
from wasmpack.schemas import load_schema
from wasmpack.similar import nearest

Schema = Mapping[str, Any]
_DEEPEST = 8
"""Steps that are searched."""
_INNER = 3
"""Objects and lists in one another that a form shows."""
_SHOWN = 4
"""Keys of an object that a form shows."""
_FREE = "{…}"


def schema_of(kind: str) -> Schema:
    """The schema of a kind, or of a part of one."""
    schema: Schema = load_schema("wasmplugin")["$defs"][kind]
    return schema


def resolved(schema: Schema) -> Schema:
    """Follow references to the schema they name."""
    while "$ref" in schema:
        schema = schema_of(schema["$ref"].rpartition("/")[2])
    return schema


def where_it_belongs(kind: str, path: FieldPath, key: str) -> str:
    """The hint for a key that is not known at this path."""
    known = _known_keys(kind, path)
    if near := nearest(key, known):
        return f"did you mean {near}?"
    if path == () and key in _known_keys(kind, ("spec",)):
        return "indent it: it belongs under spec"
    if path[-1:] == ("selector",):
        return "labels belong under selector.matchLabels"
    places = _places(kind).get(key, ())
    if len(places) == 1:
        return f"did you mean {places[0]}?"
    if path and isinstance(path[-1], int):
        return f"items are of the form {_form(_schema_at(kind, path), str(path[-2]))}"
    return "leave it out"


def form_at(kind: str, path: FieldPath) -> str:
    """An example of the value that belongs to a path."""
    names = [step for step in path if isinstance(step, str)]
    name = names[-1] if names else kind
    form = _form(_schema_at(kind, path), name)
    return f"{name}: {form}" if path[-1:] == (name,) else form


def _known_keys(kind: str, path: FieldPath) -> list[str]:
    return list(_schema_at(kind, path).get("properties", {}))


def _schema_at(kind: str, path: FieldPath) -> Schema:
    """The schema of a path; an empty one of a place that is free."""
    here = schema_of(kind)
    for step in path:
        inner = here.get("items") if isinstance(step, int) else here.get("properties", {}).get(step)
        inner = here.get("additionalProperties") if inner is None else inner
        here = resolved(inner) if isinstance(inner, dict) else {}
    return here


@cache
def _places(kind: str) -> Mapping[str, tuple[str, ...]]:
    """The paths under which a kind has each key."""
    found: dict[str, tuple[str, ...]] = {}
    for key, path in _keys(schema_of(kind), "", _DEEPEST):
        found[key] = (*found.get(key, ()), path)
    return found


def _keys(schema: Schema, path: str, deepest: int) -> Iterator[tuple[str, str]]:
    if not deepest:
        return
    if "items" in schema:
        yield from _keys(resolved(schema["items"]), f"{path}[]", deepest - 1)
    for key, inner in schema.get("properties", {}).items():
        place = f"{path}.{key}" if path else key
        yield key, place
        yield from _keys(resolved(inner), place, deepest - 1)


def _form(schema: Schema, name: str, inner: int = _INNER) -> str:
    """An example of what a schema takes.

    :param name: of the key; a text is it in upper case
    """
    kinds = schema.get("type", "object" if "properties" in schema else "")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if "enum" in schema:
        return "|".join(map(str, schema["enum"]))
    if kind == "array":
        return f"[{_form(resolved(schema.get('items', {})), name, inner - 1)}]" if inner else "[…]"
    if kind == "object":
        return _object_form(schema, inner)
    return {"string": name.upper(), "integer": "1", "boolean": "true"}.get(kind, "…")


def _object_form(schema: Schema, inner: int) -> str:
    rows = list(schema.get("properties", {}).items())
    if not rows or not inner:
        return _FREE
    shown = [f"{key}: {_form(resolved(one), key, inner - 1)}" for key, one in rows[:_SHOWN]]
    return f"{{{', '.join(shown)}{', …' if len(rows) > _SHOWN else ''}}}"
