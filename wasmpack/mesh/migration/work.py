"""The work on one ServiceMeshExtension: what is asked for, and what was found on the way."""

from dataclasses import dataclass, field

from wasmpack.findings import Problem, Rule, Severity
from wasmpack.kubeyaml.documents import FieldPath
from wasmpack.mesh.migration.extension import Extension
from wasmpack.mesh.migration.extension_manifest import ExtensionManifest


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationOptions:
    """What may differ from the default."""

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
    """What the image of an extension became."""

    url: str
    sha256: str = ""
    """Hex digest to pin; empty for none."""
    manifest: ExtensionManifest | None = None


@dataclass(slots=True)
class Work:
    """One resource on its way."""

    extension: Extension
    options: MigrationOptions
    image: NewImage | None
    """What its image became; None if images are left alone."""
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
