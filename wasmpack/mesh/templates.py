"""Templates of resources, and values files: what is rendered is put into the one, over the other.

A template is YAML of one or more documents. ``${name}`` and its kin stand for what is known of the
image, in any text of any document; the first document of the kind asked for gets the fields, over
those it has. Its comments, further fields and further documents stay. A values file has the fields
of ``spec`` by WasmPlugin's names, and ``name``, ``namespace``, ``labels``, ``annotations``; they
may also be under ``spec`` and ``metadata``, as in a resource.

>>> fill("oci://${repository}", {"repository": "quay.io/me/plugin"}, "a.yaml:1")
'oci://quay.io/me/plugin'
>>> (document,) = read_documents(b"name: a\\nphase: AUTHN", "values.yaml")
>>> values = read_values(document)
>>> values.metadata, values.fields
({'name': 'a'}, {'phase': 'AUTHN'})
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from wasmpack.errors import BadArtifact
from wasmpack.kubeyaml.documents import Comments, Document, FieldPath, cut
from wasmpack.kubeyaml.reader import read_documents
from wasmpack.mesh.plugin import WASM_PLUGIN, mapping
from wasmpack.oci.canonical import JsonObject, JsonValue
from wasmpack.schemas import load_schema
from wasmpack.similar import did_you_mean

PLACEHOLDERS = ("name", "namespace", "url", "registry", "repository", "tag", "digest")
_PLACEHOLDER = re.compile(r"\$(\$\{|\{([^}]*)\})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The documents of a template, and which of them is filled."""

    documents: tuple[Document, ...]
    index: int

    @property
    def value(self) -> JsonObject:
        """Current content of the document that is being filled."""
        return mapping(self.documents[self.index].value)

    def with_value(self, value: JsonObject, comments: Comments) -> tuple[Document, ...]:
        """All documents, with what was rendered in its place."""
        own = self.documents[self.index]
        done = replace(own, value=value, comments={**comments, **own.comments})
        return (*self.documents[: self.index], done, *self.documents[self.index + 1 :])


def read_template(raw: bytes, source: str, kind: str, values: Mapping[str, str]) -> Template:
    """Parse it, then put the values in.

    :raises BadArtifact: not YAML, no document of this kind, a placeholder without a value
    """
    written = read_documents(raw, source)
    own = next((d for d in written if mapping(d.value).get("kind") == kind), None)
    namespace = mapping(mapping(own.value).get("metadata")).get("namespace") if own else None
    if isinstance(namespace, str) and "$" not in namespace:
        values = {"namespace": namespace, **values}
    documents = [
        replace(document, value=_filled(document, document.value, values, ()))
        for document in written
    ]
    for index, document in enumerate(documents):
        if mapping(document.value).get("kind") == kind:
            return Template(documents=tuple(documents), index=index)
    kinds = ", ".join(str(mapping(d.value).get("kind")) for d in documents) or "nothing"
    raise BadArtifact(f"{source}: no document of kind {kind} in this template, but {kinds}")


def fill(text: str, values: Mapping[str, str], where: str) -> str:
    """Text with its placeholders filled; ``$${`` writes ``${``.

    :raises BadArtifact: a placeholder that is not known, or has no value here
    """

    def one(found: re.Match[str]) -> str:
        name = found[2]
        if name is None:
            return "${"
        if name not in PLACEHOLDERS:
            known = ", ".join(PLACEHOLDERS)
            raise BadArtifact(
                f"{where}: unknown placeholder ${{{cut(name)}}}", hint=f"known are: {known}"
            )
        if name not in values:
            raise BadArtifact(
                f"{where}: ${{{name}}} has no value here", hint=_MISSING.get(name, "")
            )
        return values[name]

    last = text.rfind("}") + 1  # so that no search for the end of a placeholder is in vain
    return _PLACEHOLDER.sub(one, text[:last]) + text[last:].replace("$${", "${")


_MISSING = {
    "digest": "--pin",
    "namespace": "--namespace NAMESPACE",
    "tag": "the image was named without a tag",
}


def _filled(
    document: Document, value: JsonValue, values: Mapping[str, str], path: FieldPath
) -> JsonValue:
    if isinstance(value, dict):
        return {key: _filled(document, item, values, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(document, item, values, (*path, n)) for n, item in enumerate(value)]
    return fill(value, values, document.where(path)) if isinstance(value, str) else value


def merged(under: JsonValue, over: JsonValue) -> JsonValue:
    """Mappings key by key; of anything else the one on top."""
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    return {**under, **{key: merged(under.get(key), value) for key, value in over.items()}}


def ordered(value: JsonObject, order: Sequence[str]) -> JsonObject:
    """The keys that have a place in the order first, the others as they came."""
    known = {key: value[key] for key in order if key in value}
    return known | {key: item for key, item in value.items() if key not in known}


METADATA = ("name", "namespace", "labels", "annotations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """Values given by a file or the command line."""

    metadata: JsonObject = field(default_factory=dict)
    """``name``, ``namespace``, ``labels``, ``annotations``."""
    fields: JsonObject = field(default_factory=dict)
    """The fields of ``spec`` by WasmPlugin's names."""


def read_values(document: Document) -> Values:
    """Sort the keys of a values file.

    :raises BadArtifact: no mapping, or a key that no resource has
    """
    value = document.value
    if not isinstance(value, dict):
        raise BadArtifact(f"{document.where()}: expected a mapping of field names to values")
    known = load_schema("wasmplugin")["$defs"][WASM_PLUGIN]["properties"]["spec"]["properties"]
    metadata: JsonObject = {}
    fields: JsonObject = {}
    for key, item in value.items():
        if key in {"metadata", "spec"} and isinstance(item, dict):
            (metadata if key == "metadata" else fields).update(item)
        elif key == "url":
            raise BadArtifact(f"{document.where((key,))}: the URL is the argument of the command")
        elif key in METADATA:
            metadata[key] = item
        elif key in known:
            fields[key] = item
        elif key not in {"apiVersion", "kind"}:
            raise BadArtifact(
                f"{document.where((key,))}: no field of this name",
                hint=did_you_mean(key, [*METADATA, *known], f"known: {', '.join(known)}"),
            )
    return Values(metadata=metadata, fields=fields)
