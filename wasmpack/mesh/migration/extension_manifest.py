"""``/manifest.yaml`` of an image for ServiceMeshExtension (maistra/istio mec/pkg/model/types.go).

>>> manifest = read_extension_manifest(b"schemaVersion: 1\\nmodule: extension.wasm\\npriority: 5")
>>> manifest.module, manifest.priority, manifest.phase
('extension.wasm', 5, '')
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from wasmpack.errors import BadArtifact
from wasmpack.kubeyaml.reader import read_documents
from wasmpack.oci.canonical import JsonValue

NAME = "manifest.yaml"
PHASE = "maistra.io/phase"
PRIORITY = "maistra.io/priority"
"""Annotations that keep what the file said for the resource."""
_TITLE = "org.opencontainers.image.title"
_DESCRIPTION = "org.opencontainers.image.description"
_VERSION = "org.opencontainers.image.version"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionManifest:
    """What the file says; all of it is optional but the module."""

    module: str
    """Path of the module from the root of the image."""
    name: str = ""
    """Of the plugin; empty if it is not given, as all below."""
    description: str = ""
    """For people."""
    version: str = ""
    """Of the plugin."""
    phase: str = ""
    """``PreAuthN`` and so on."""
    priority: int | None = None
    """None if it is not given."""

    @property
    def annotations(self) -> dict[str, str]:
        """The same on an image."""
        found = {
            _TITLE: self.name,
            _DESCRIPTION: self.description,
            _VERSION: self.version,
            PHASE: self.phase,
            PRIORITY: "" if self.priority is None else str(self.priority),
        }
        return {key: text for key, text in found.items() if text}

    @classmethod
    def from_annotations(cls, found: Mapping[str, str]) -> Self:
        """Read back what :attr:`annotations` wrote."""
        priority = found.get(PRIORITY, "")
        return cls(
            module="plugin.wasm",
            name=found.get(_TITLE, ""),
            description=found.get(_DESCRIPTION, ""),
            version=found.get(_VERSION, ""),
            phase=found.get(PHASE, ""),
            priority=int(priority) if re.fullmatch("-?[0-9]{1,10}", priority) else None,
        )


def read_extension_manifest(raw: bytes) -> ExtensionManifest:
    """Read the file as leniently as Maistra does: what is of another type counts as not there.

    :raises BadArtifact: no YAML, or no module is named
    """
    documents = read_documents(raw, NAME)
    value = documents[0].value if documents else None
    if not isinstance(value, dict):
        raise BadArtifact(f"{NAME}: expected a mapping with the key 'module'")
    module = _text(value.get("module")).removeprefix("./").lstrip("/")
    if not module:
        raise BadArtifact(f"{NAME}: names no module", hint="module: plugin.wasm")
    priority = value.get("priority")
    return ExtensionManifest(
        module=module,
        name=_text(value.get("name")),
        description=_text(value.get("description")),
        version=_text(value.get("version")),
        phase=_text(value.get("phase")),
        priority=priority if isinstance(priority, int) and not isinstance(priority, bool) else None,
    )


def _text(value: JsonValue) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)
