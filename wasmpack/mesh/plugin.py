"""One view of all that can carry a plugin: the same fields by the same names.

>>> document = Document(source="a.yaml", value={"kind": "WasmPlugin", "spec": {"url": "x"}})
>>> Plugin.of(document).text("url")
'x'
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from wasmpack.findings import Problem, Rule, Severity
from wasmpack.kubeyaml.documents import Document, FieldPath
from wasmpack.mesh.apis import ISTIO, TRAFFIC_EXTENSION, WASM_PLUGIN, Api, Carried, api_of, carried
from wasmpack.mesh.mappings import filled, mapping, mappings, without_nulls
from wasmpack.oci.canonical import JsonObject, JsonValue

__all__ = [
    "API_VERSION",
    "DEFAULT_NAMESPACE",
    "GATEWAY_GROUP",
    "KINDS",
    "ROOT_NAMESPACE",
    "TRAFFIC_EXTENSION",
    "WASM_PLUGIN",
    "Plugin",
    "filled",
    "mapping",
    "mappings",
    "without_nulls",
]
API_VERSION = "extensions.istio.io/v1alpha1"
KINDS = (WASM_PLUGIN, TRAFFIC_EXTENSION)
"""Of Istio's API."""
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

    api: Api = ISTIO
    """API that defines the resource."""
    definition: str = WASM_PLUGIN
    """Name of its schema; empty if there is none."""
    places: Mapping[str, FieldPath] = field(default_factory=dict)
    """Paths of fields that are not directly under ``spec``."""
    configuration: bytes | None = None
    """The text that the plugin gets, if it is not made of ``pluginConfig``."""
    vm_configuration: bytes | None = None
    """The text that its VM gets, if the resource can give one."""
    alone: bool = True
    """The first plugin of its resource: what concerns the resource is reported with it."""

    @classmethod
    def of(cls, document: Document) -> Self:
        """The only or first plugin of a resource; what is of the wrong type is not there."""
        return next(cls.all_of(document))

    @classmethod
    def all_of(cls, document: Document) -> Iterator[Self]:
        """The plugins of a resource, of Istio's API if its group is not known."""
        value = mapping(without_nulls(document.value))
        kind = str(value.get("kind"))
        api, definition = api_of(value) or (ISTIO, kind if kind in KINDS else WASM_PLUGIN)
        found = carried(definition, mapping(value.get("spec"))) or [Carried(fields={})]
        for number, one in enumerate(found):
            yield cls(
                document=document,
                kind=kind,
                value=value,
                fields=one.fields,
                api=api,
                definition=definition,
                places=one.places,
                configuration=one.configuration,
                vm_configuration=one.vm_configuration,
                alone=number == 0,
            )

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
        """The place of a field in the resource."""
        return self.places.get(name, ("spec", name))

    def problem(
        self,
        rule: Rule,
        at: str | FieldPath,
        message: str,
        hint: str = "",
        *,
        severity: Severity | None = None,
    ) -> Problem:
        """A problem at a field (by its name) or at a path."""
        path = self.path(at) if isinstance(at, str) else at
        return rule.problem(self.document.where(path), message, hint, severity=severity)
