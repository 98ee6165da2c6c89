"""One view of WasmPlugin and TrafficExtension: the same fields by the same names.

>>> document = Document(source="a.yaml", value={"kind": "WasmPlugin", "spec": {"url": "x"}})
>>> Plugin.of(document).text("url")
'x'
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from wasmpack.findings import Problem, Rule, Severity
from wasmpack.kubeyaml.documents import Document, FieldPath
from wasmpack.oci.canonical import JsonObject, JsonValue

API_VERSION = "extensions.istio.io/v1alpha1"
WASM_PLUGIN = "WasmPlugin"
TRAFFIC_EXTENSION = "TrafficExtension"
KINDS = (WASM_PLUGIN, TRAFFIC_EXTENSION)
DEFAULT_NAMESPACE = "default"
ROOT_NAMESPACE = "istio-system"
GATEWAY_GROUP = "gateway.networking.k8s.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A resource and its fields, whatever their depth."""

    document: Document
    kind: str
    value: JsonObject
    """As the API server keeps it, without properties that are null."""
    fields: Mapping[str, JsonValue]
    """The fields of ``spec`` by WasmPlugin's names."""

    @classmethod
    def of(cls, document: Document) -> Self:
        """Read what is there; what is missing or of the wrong type is not."""
        value = mapping(without_nulls(document.value))
        spec = mapping(value.get("spec"))
        kind = str(value.get("kind"))
        fields: JsonObject = dict(spec)
        if kind == TRAFFIC_EXTENSION:
            fields = {k: v for k, v in spec.items() if k != "wasm"} | mapping(spec.get("wasm"))
            if fields.get("phase") == "UNSPECIFIED":
                fields["phase"] = "UNSPECIFIED_PHASE"
        return cls(document=document, kind=kind, value=value, fields=fields)

    @property
    def name(self) -> str:
        """``metadata.name``."""
        return str(self._metadata.get("name", ""))

    @property
    def namespace(self) -> str:
        """``metadata.namespace``, empty if the command that applies it decides."""
        return str(self._metadata.get("namespace") or "")

    @property
    def _metadata(self) -> JsonObject:
        return mapping(self.value.get("metadata"))

    def text(self, name: str) -> str:
        """A field that is a string; empty if it is not there."""
        found = self.fields.get(name)
        return found if isinstance(found, str) else ""

    @property
    def pull_secret(self) -> str:
        """Name of the pull secret; the mesh puts the plugin's own namespace before it."""
        return self.text("imagePullSecret").rpartition("/")[2]

    def path(self, name: str) -> FieldPath:
        """Where the field stands in the resource."""
        inner = self.kind == TRAFFIC_EXTENSION and name not in _OUTSIDE_WASM
        return ("spec", "wasm", name) if inner else ("spec", name)

    def problem(
        self,
        rule: Rule,
        field: str | FieldPath,
        message: str,
        hint: str = "",
        *,
        severity: Severity | None = None,
    ) -> Problem:
        """A problem at a field (by its name) or at a path."""
        path = self.path(field) if isinstance(field, str) else field
        return rule.problem(self.document.where(path), message, hint, severity=severity)


_OUTSIDE_WASM = {"selector", "targetRef", "targetRefs", "priority", "match", "phase", "lua"}


def without_nulls(value: JsonValue) -> JsonValue:
    """Without properties that are null, which the API server takes out before it looks.

    (apiextensions-apiserver, ``PruneNonNullableNullsWithoutDefaults``.) The plugin's own
    configuration has no schema, so its nulls stay.
    """
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: item if key == "pluginConfig" else without_nulls(item)
        for key, item in value.items()
        if item is not None
    }


def mapping(value: JsonValue) -> JsonObject:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def filled(value: JsonObject) -> JsonObject:
    """The fields that say something: without what is empty, false or null."""
    return {key: item for key, item in value.items() if item}


def mappings(value: JsonValue) -> list[JsonObject]:
    """The items of a list that are mappings."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
