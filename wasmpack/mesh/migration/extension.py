"""ServiceMeshExtension as it was, and the work on one.

The resource: maistra/api core/v1 and core/v1alpha1, extension_types.go.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from wasmpack.findings import Problem, Rule, Severity
from wasmpack.kubeyaml.documents import Document, FieldPath
from wasmpack.mesh.migration.extension_manifest import ExtensionManifest
from wasmpack.mesh.plugin import mapping
from wasmpack.oci.canonical import JsonObject, JsonValue

KIND = "ServiceMeshExtension"
API_VERSIONS = ("maistra.io/v1", "maistra.io/v1alpha1", "extensions.maistra.io/v1alpha1")
RAW_CONFIG = "raw_v1alpha1_config"
"""Key under which the conversion to v1 kept any string other than a JSON object
(extension_conversion.go).
"""
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
    "image",
    "imagePullPolicy",
    "imagePullSecrets",
    "workloadSelector",
    "phase",
    "priority",
    "config",
)
KEPT_METADATA = ("name", "namespace", "labels", "annotations")
SERVER_METADATA = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)
"""Set by the API server; meaningless on another resource."""
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True)
class Extension:
    """One resource, as far as it can be read."""

    document: Document
    """The resource as it was read."""

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
        return _text(self.metadata.get("name"))

    @property
    def image(self) -> str:
        """``spec.image``."""
        return _text(self.spec.get("image"))

    @property
    def phase(self) -> str:
        """``spec.phase``."""
        return _text(self.spec.get("phase"))


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def is_extension(document: Document) -> bool:
    """True if the document is one, of whatever version."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationOptions:
    """Options that may differ from the default."""

    namespace: str = ""
    """For resources that have none."""
    root_id: bool = True
    """Carry the root id over that Maistra gave the plugin."""
    inbound_only: bool = False
    """Say that the plugin sees inbound traffic only, as it did."""
    both_directions: bool = True
    """The new mesh runs plugins on outbound traffic too, unless told otherwise."""
    as_published: bool = False
    """The form of Red Hat's example: without priority and root id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewImage:
    """The new image of an extension."""

    url: str
    """``oci://`` and the name of the new image."""
    sha256: str = ""
    """Hex digest to pin; empty for none."""
    manifest: ExtensionManifest | None = None
    """Content of ``/manifest.yaml`` in the old image; None if it was not read."""


@dataclass(slots=True)
class Work:
    """One resource on its way."""

    extension: Extension
    options: MigrationOptions
    image: NewImage | None
    """The new image; None if images are left alone."""
    problems: list[Problem] = field(default_factory=list)
    notes: dict[FieldPath, str] = field(default_factory=dict)
    """Comments that stand before fields of the new resource."""

    def say(
        self,
        rule: Rule,
        path: FieldPath,
        message: str,
        hint: str = "",
        *,
        severity: Severity | None = None,
    ) -> None:
        """Something about a field of the old resource."""
        where = self.extension.document.where(path)
        self.problems.append(rule.problem(where, message, hint, severity=severity))
