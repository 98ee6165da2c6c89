"""ServiceMeshExtension as it was (maistra/api core/v1 and core/v1alpha1, extension_types.go)."""

from collections.abc import Iterator
from dataclasses import dataclass

from wasmpack.kubeyaml.documents import Document, FieldPath
from wasmpack.mesh.plugin import mapping
from wasmpack.oci.canonical import JsonObject, JsonValue

KIND = "ServiceMeshExtension"
API_VERSIONS = ("maistra.io/v1", "maistra.io/v1alpha1", "extensions.maistra.io/v1alpha1")
RAW_CONFIG = "raw_v1alpha1_config"
"""Where the conversion to v1 kept a string that is no JSON object (extension_conversion.go)."""
PHASES = {
    "PreAuthN": "AUTHN",
    "PostAuthN": "AUTHZ",
    "PreAuthZ": "AUTHZ",
    "PostAuthZ": "STATS",
    "PreStats": "STATS",
    "PostStats": "",
}
"""Old phases in the order in which they ran, and the new ones; empty means none."""
SPEC_FIELDS = (
    "image", "imagePullPolicy", "imagePullSecrets", "workloadSelector", "phase", "priority",
    "config",
)  # fmt: skip
KEPT_METADATA = ("name", "namespace", "labels", "annotations")
SERVER_METADATA = (
    "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink",
    "deletionTimestamp", "deletionGracePeriodSeconds",
)  # fmt: skip
"""Set by the API server; meaningless on another resource."""
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True)
class Extension:
    """One resource, as far as it can be read."""

    document: Document

    @property
    def value(self) -> JsonObject:
        """The resource."""
        return mapping(self.document.value)

    @property
    def metadata(self) -> JsonObject:
        """``metadata``, or nothing."""
        return mapping(self.value.get("metadata"))

    @property
    def spec(self) -> JsonObject:
        """``spec``, or nothing."""
        return mapping(self.value.get("spec"))

    @property
    def name(self) -> str:
        """``metadata.name``."""
        found = self.metadata.get("name")
        return found if isinstance(found, str) else ""

    @property
    def image(self) -> str:
        """``spec.image``."""
        found = self.spec.get("image")
        return found if isinstance(found, str) else ""

    @property
    def phase(self) -> str:
        """``spec.phase``."""
        found = self.spec.get("phase")
        return found if isinstance(found, str) else ""


def is_extension(document: Document) -> bool:
    """Whether the document is one, of whatever version."""
    return mapping(document.value).get("kind") == KIND


def unknown_fields(extension: Extension) -> Iterator[FieldPath]:
    """Fields that the API never had: the server took them out, or nobody read them."""
    for key in extension.value:
        if key not in {"apiVersion", "kind", "metadata", "spec", "status"}:
            yield (key,)
    for key in extension.spec:
        if key not in SPEC_FIELDS:
            yield ("spec", key)
    for key in mapping(extension.spec.get("workloadSelector")):
        if key != "labels":
            yield ("spec", "workloadSelector", key)
    secrets: JsonValue = extension.spec.get("imagePullSecrets")
    for number, item in enumerate(secrets if isinstance(secrets, list) else []):
        for key in mapping(item):
            if key != "name":
                yield ("spec", "imagePullSecrets", number, key)
