"""Documents that are ready to be printed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from wasmpack.kubeyaml.documents import Document
from wasmpack.kubeyaml.writer import join_documents, to_yaml
from wasmpack.oci.canonical import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """One or several resources."""

    documents: tuple[Document, ...]

    def text(self, shape: str) -> str:
        """As ``yaml``, or as ``json``: one object, a ``List`` if there are several."""
        if shape == "yaml":
            return join_documents([to_yaml(d.value, d.comments) for d in self.documents])
        return resources_json([document.value for document in self.documents])


def resources_json(values: Sequence[JsonValue]) -> str:
    """One resource as an object, several as a ``List``, which ``kubectl`` takes apart."""
    whole: JsonValue = {"apiVersion": "v1", "kind": "List", "items": [*values]}
    return json.dumps(values[0] if len(values) == 1 else whole, indent=2) + "\n"
