"""Documents that are ready to be printed."""

from dataclasses import dataclass

from wasmpack.kubeyaml.documents import Document
from wasmpack.kubeyaml.writer import join_documents, to_yaml
from wasmpack.oci.canonical import JsonValue, indented_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """One or several resources."""

    documents: tuple[Document, ...]

    def text(self, shape: str) -> str:
        """As ``yaml``, or as ``json``: one object, a ``List`` if there are several."""
        if shape == "yaml":
            return join_documents([to_yaml(d.value, d.comments) for d in self.documents])
        return indented_json(self.as_json()) + "\n"

    def as_json(self) -> JsonValue:
        """One resource as an object, several as a ``List``, which ``kubectl`` takes apart."""
        values: list[JsonValue] = [document.value for document in self.documents]
        if len(values) == 1:
            return values[0]
        return {"apiVersion": "v1", "kind": "List", "items": values}
