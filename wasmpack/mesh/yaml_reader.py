"""YAML and JSON as ``kubectl apply -f`` reads them.

>>> (document,) = read_documents(b"kind: WasmPlugin  # ours\\nspec: {url: x}", "a.yaml")
>>> document.value
{'kind': 'WasmPlugin', 'spec': {'url': 'x'}}

Many documents in one stream; JSON as the subset of YAML that it is. Errors name file, line, column
and reason. Aliases are expanded, within bounds: a document that is nested or multiplied beyond them
is refused.
"""

import base64
import math
import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NoReturn

from wasmpack.errors import BadArtifact
from wasmpack.mesh.documents import Comment, Document, FieldPath
from wasmpack.mesh.scalars import resolve
from wasmpack.mesh.yaml_comments import comments_of, placed
from wasmpack.mesh.yaml_parts import Part, document_parts
from wasmpack.oci.canonical import JsonObject, JsonValue, parse_json

MAX_BYTES = 64 << 20
"""Most bytes of one stream: the exports of whole clusters are smaller."""
_MAX_VALUES = 1_000_000
"""Most values of one stream, aliases expanded."""
_MAX_DEPTH = 100
_TAGS = "tag:yaml.org,2002:"
_TEMPLATE = re.compile(r"^(?:[^#'\"\n]*:[ ]+|[ ]*)(\{\{.*?\}\})", re.MULTILINE)
_EXPLICIT_TAG = re.compile(r"(&\S+\s+)?!")


def read_documents(raw: bytes, source: str) -> tuple[Document, ...]:
    """Every document of a stream that is not empty.

    :param source: names the stream in errors and places
    :raises BadArtifact: with file, line, column and reason
    """

    text = _decoded(raw, source)
    if text.lstrip()[:1] not in {"{", "["}:
        return _read_yaml(text, source)
    try:
        value = parse_json(raw, source)
    except BadArtifact:
        return _read_yaml(text, source)  # YAML in flow style, or the place of the fault
    try:  # for the lines alone: a tab is white space in JSON, and no indentation in YAML
        (document,) = _read_yaml(text.replace("\t", " "), source)
    except (BadArtifact, ValueError):
        return (Document(source=source, value=value, text=text),)
    return (replace(document, value=value, text=text),)


def _read_yaml(text: str, source: str) -> tuple[Document, ...]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        nodes = list(yaml.compose_all(text, Loader=loader))
        tokens = list(yaml.scan(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        _refuse_templates(text, source)
        mark = error.problem_mark
        if mark is None or (mark.index >= len(text) and error.context_mark):
            mark = error.context_mark
        _refuse(source, mark, _reason(error, text, mark))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BadArtifact(f"{source}:{line}: a control character: {error.reason}") from error
    except RecursionError:
        raise BadArtifact(f"{source}: nested too deeply") from None
    stream = _Stream(text, source, comments_of(text, tokens))
    parts = zip(nodes, document_parts(text, tokens), strict=True)
    found = [stream.document(node, part) for node, part in parts if node is not None]
    return tuple(document for document in found if document.value is not None)


class _Stream:
    """From composed nodes to values; counts what all documents come to."""

    def __init__(self, text: str, source: str, comments: Mapping[int, Comment]) -> None:
        self._text = text
        self._source = source
        self._comments = comments
        self._commented = sorted(comments)
        self._values = 0

    def document(self, node: Any, part: Part) -> Document:
        """The document of a node, and what stands around it."""
        lines: dict[FieldPath, int] = {}
        value = self._value(node, (), lines, frozenset())
        own = slice(*(bisect_left(self._commented, line) for line in (part.first, part.until)))
        return Document(
            source=self._source,
            value=value,
            text=part.text,
            line=node.start_mark.line + 1,
            lines=lines,
            comments=placed({at: self._comments[at] for at in self._commented[own]}, lines),
        )

    def _value(
        self, node: Any, path: FieldPath, lines: dict[FieldPath, int], above: frozenset[int]
    ) -> JsonValue:
        import yaml

        self._values += 1
        if self._values > _MAX_VALUES:
            self._refuse(node, f"more than {_MAX_VALUES} values, aliases expanded")
        if id(node) in above:
            self._refuse(node, "an anchor whose value contains itself")
        if len(above) > _MAX_DEPTH:
            self._refuse(node, f"nested more than {_MAX_DEPTH} deep")
        lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        inside = above | {id(node)}
        if isinstance(node, yaml.SequenceNode):
            return [
                self._value(child, (*path, number), lines, inside)
                for number, child in enumerate(node.value)
            ]
        return self._mapping(node, path, lines, inside)

    def _mapping(
        self, node: Any, path: FieldPath, lines: dict[FieldPath, int], inside: frozenset[int]
    ) -> JsonObject:
        found: JsonObject = {}
        merged: JsonObject = {}
        for key_node, value_node in node.value:
            if key_node.tag == f"{_TAGS}merge":
                merged = {**self._merged(value_node, path, inside), **merged}
                continue
            key = self._key(key_node)
            if key in found:
                first = lines[(*path, key)]
                reason = f"the key {key!r} stands twice in one mapping, first in line {first}"
                self._refuse(key_node, reason)
            lines[(*path, key)] = key_node.start_mark.line + 1
            found[key] = self._value(value_node, (*path, key), lines, inside)
        return {**merged, **found}

    def _merged(self, node: Any, path: FieldPath, inside: frozenset[int]) -> JsonObject:
        """Of a merge key ``<<``: one mapping, or several, of which the first wins."""
        found = self._value(node, (*path, "<<"), {}, inside)
        merged: JsonObject = {}
        for part in found if isinstance(found, list) else [found]:
            if not isinstance(part, dict):
                self._refuse(node, "<< merges mappings only")
            merged = {**part, **merged}
        return merged

    def _key(self, node: Any) -> str:
        key = self._scalar(node) if isinstance(node.value, str) else None
        if isinstance(key, bool):
            return "true" if key else "false"
        if key is None or isinstance(key, float):
            _refuse_templates(self._text, self._source)
            self._refuse(node, "a key must be a string")
        return str(key)

    def _scalar(self, node: Any) -> JsonValue:
        plain = not node.style
        value: JsonValue = resolve(node.value) if plain else str(node.value)
        if _EXPLICIT_TAG.match(self._text, node.start_mark.index, node.end_mark.index):
            value = self._tagged(node)
        if isinstance(value, float) and not math.isfinite(value):
            self._refuse(node, f"{node.value} has no form in JSON")
        return value

    def _tagged(self, node: Any) -> JsonValue:
        """``!!str 1`` and its kin; any other tag has no meaning to an API server."""
        kind = node.tag.removeprefix(_TAGS)
        if kind in {"str", "!"}:
            return str(node.value)
        if kind == "binary":
            return self._binary(node)
        value = resolve(node.value)
        kinds = {"int": (int,), "float": (int, float), "bool": (bool,), "null": (type(None),)}
        if type(value) not in kinds.get(kind, ()):
            self._refuse(node, f"the tag {node.tag} has no meaning here, or not on this value")
        return value

    def _binary(self, node: Any) -> str:
        """As go-yaml does: the bytes behind base64, which JSON can hold if they are text."""
        try:
            return base64.b64decode("".join(node.value.split()), validate=True).decode()
        except ValueError:
            self._refuse(node, "!!binary whose content is not base64 of text")

    def _refuse(self, node: Any, reason: str) -> NoReturn:
        _refuse(self._source, node.start_mark, reason)


def _decoded(raw: bytes, source: str) -> str:
    if len(raw) > MAX_BYTES:
        raise BadArtifact(f"{source}: more than {MAX_BYTES >> 20} MiB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise BadArtifact(f"{source}:{line}: not UTF-8 text") from error
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n")


def _reason(error: Any, text: str, mark: Any) -> str:
    if mark and text[mark.index : mark.index + 1] == "\t":
        return "a tab: YAML is indented with spaces"
    return ": ".join(part for part in (error.context, error.problem) if part) or "not YAML"


def _refuse(source: str, mark: Any, reason: str) -> NoReturn:
    place = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else source
    raise BadArtifact(f"{place}: {reason}")


def _refuse_templates(text: str, source: str) -> None:
    """``{{ … }}`` in a plain scalar is a mapping as a key to YAML, and a template to people."""
    found = _TEMPLATE.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        raise BadArtifact(
            f"{source}:{line}: {found[1]} is a template, which is no YAML yet",
            hint="helm template, then the result",
        )
