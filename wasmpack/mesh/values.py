"""A values file: what else a resource shall say.

>>> from wasmpack.kubeyaml.reader import read_documents
>>> (document,) = read_documents(b"name: a\\nphase: AUTHN", "values.yaml")
>>> values = read_values(document)
>>> values.metadata, values.fields
({'name': 'a'}, {'phase': 'AUTHN'})

The fields of ``spec`` by WasmPlugin's names, and ``name``, ``namespace``, ``labels``,
``annotations``; they may also stand under ``spec`` and ``metadata``, as in a resource.
"""

import difflib
from dataclasses import dataclass, field

from wasmpack.errors import BadArtifact
from wasmpack.kubeyaml.documents import Document
from wasmpack.mesh.plugin import WASM_PLUGIN
from wasmpack.oci.canonical import JsonObject
from wasmpack.schemas import load_schema

METADATA = ("name", "namespace", "labels", "annotations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What a file or the command line asks for."""

    metadata: JsonObject = field(default_factory=dict)
    fields: JsonObject = field(default_factory=dict)


def read_values(document: Document) -> Values:
    """Sort the keys of a values file.

    :raises BadArtifact: no mapping, or a key that no resource has
    """
    value = document.value
    if not isinstance(value, dict):
        raise BadArtifact(f"{document.where()}: expected a mapping of field names to values")
    fields_known = list(load_schema("wasmplugin")["$defs"][WASM_PLUGIN]["properties"]["spec"][
        "properties"
    ])  # fmt: skip
    metadata: JsonObject = {}
    fields: JsonObject = {}
    for key, item in value.items():
        if key in {"metadata", "spec"} and isinstance(item, dict):
            (metadata if key == "metadata" else fields).update(item)
        elif key == "url":
            raise BadArtifact(f"{document.where((key,))}: the URL is the argument of the command")
        elif key in METADATA:
            metadata[key] = item
        elif key in fields_known:
            fields[key] = item
        elif key not in {"apiVersion", "kind"}:
            near = difflib.get_close_matches(key, [*METADATA, *fields_known], 1)
            raise BadArtifact(
                f"{document.where((key,))}: no field of this name",
                hint=f"did you mean {near[0]}?" if near else f"known: {', '.join(fields_known)}",
            )
    return Values(metadata=metadata, fields=fields)
