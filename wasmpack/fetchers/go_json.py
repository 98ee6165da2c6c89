"""Faults that Go's decoder finds in a manifest or an index that wasmpack can read.

go-containerregistry decodes into typed structures (``v1.Manifest``, ``v1.IndexManifest``), so a
value of a wrong type refuses the image even where nobody looks at it. The texts are those of
encoding/json, encoding/base64 and ``v1.Hash``. What is stricter here than in Go was refused when
the document was read.
"""

import base64
import binascii
import re
from collections.abc import Iterator, ValuesView
from functools import lru_cache

from wasmpack.oci.canonical import JsonValue, go_fields, parse_json_object
from wasmpack.oci.manifest import Index, Manifest

_BOM = b"\xef\xbb\xbf"
_SHOWN = 100
"""Characters of a value in a message."""
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")

Shape = str | tuple[str, "Shape"] | dict[str, "Shape"]
"""``int64``, ``string``, ``hash`` or ``base64``; an array or a map of something; an object."""
_TEXTS: Shape = ("map", "string")
_LIST: Shape = ("array", "string")
_DESCRIPTOR: Shape = {
    "mediaType": "string",
    "size": "int64",
    "digest": "hash",
    "data": "base64",
    "urls": _LIST,
    "annotations": _TEXTS,
    "artifactType": "string",
    "platform": {
        "architecture": "string",
        "os": "string",
        "os.version": "string",
        "os.features": _LIST,
        "variant": "string",
        "features": _LIST,
    },
}
_COMMON: dict[str, Shape] = {
    "schemaVersion": "int64",
    "mediaType": "string",
    "annotations": _TEXTS,
    "subject": _DESCRIPTOR,
}
_MANIFEST: Shape = {**_COMMON, "config": _DESCRIPTOR, "layers": ("array", _DESCRIPTOR)}
_INDEX: Shape = {**_COMMON, "manifests": ("array", _DESCRIPTOR)}
_TYPES = {"int64": "int64", "string": "string", "hash": "v1.Hash", "base64": "[]uint8"}


def refused_by_go(document: Manifest | Index) -> str:
    """The text of the first error; empty if Go reads it."""
    return _first_error(document.raw, isinstance(document, Index))


@lru_cache(maxsize=4)
def _first_error(raw: bytes, is_index: bool) -> str:
    """Each release asks for the same document."""
    if raw.startswith(_BOM):
        return "invalid character 'ï' looking for beginning of value"
    shape, name = (_INDEX, "IndexManifest") if is_index else (_MANIFEST, "Manifest")
    return next(_errors(parse_json_object(raw, name), shape, name), "")


def _errors(value: JsonValue, shape: Shape, where: str) -> Iterator[str]:
    """Errors in the order of the document; null leaves a field as it is."""
    if value is None:
        return
    if isinstance(shape, str):
        yield from _of_scalar(value, shape, where)
    elif isinstance(shape, dict):
        yield from _of_object(value, shape, where)
    else:
        yield from _of_items(value, *shape, where)


def _of_object(value: JsonValue, shape: dict[str, Shape], where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _mismatch(value, where, _type_name(shape))
        return
    for key, item in go_fields(value, shape).items():
        if key in shape:
            yield from _errors(item, shape[key], f"{where}.{key}")


def _of_items(value: JsonValue, kind: str, inner: Shape, where: str) -> Iterator[str]:
    items = value.values() if kind == "map" and isinstance(value, dict) else value
    if not isinstance(items, list if kind == "array" else ValuesView):
        yield _mismatch(
            value, where, ("[]" if kind == "array" else "map[string]") + _type_name(inner)
        )
        return
    for item in items:
        yield from _errors(item, inner, where)


def _of_scalar(value: JsonValue, kind: str, where: str) -> Iterator[str]:
    if kind == "int64":
        if not isinstance(value, int) or isinstance(value, bool) or not -1 << 63 <= value < 1 << 63:
            yield _mismatch(value, where, kind)
    elif not isinstance(value, str):
        yield _mismatch(value, where, _TYPES[kind])
    elif kind == "hash" and not value.startswith("sha256:"):
        yield f"unsupported hash: {_quoted(value.partition(':')[0])}"
    elif kind == "base64":
        yield from _of_base64(value)


def _of_base64(text: str) -> Iterator[str]:
    """Line ends count for nothing (encoding/base64)."""
    plain = text.replace("\r", "").replace("\n", "")
    try:
        base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError):
        found = _NOT_BASE64.search(text)
        yield f"illegal base64 data at input byte {found.start() if found else len(text)}"


def _mismatch(value: JsonValue, where: str, kind: str) -> str:
    return f"json: cannot unmarshal {_go_kind(value)} into Go struct field {where} of type {kind}"


def _go_kind(value: JsonValue) -> str:
    match value:
        case bool():
            return "bool"
        case float() | int():
            return f"number {value!r}"[:_SHOWN]
        case str():
            return "string"
        case list():
            return "array"
    return "object"


def _type_name(shape: Shape) -> str:
    return _TYPES[shape] if isinstance(shape, str) else "v1.Descriptor"


def _quoted(text: str) -> str:
    return f'"{text[:_SHOWN]}"'
