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
from wasmpack.kubeyaml.documents import Document, shortened
from wasmpack.kubeyaml.reader import read_unresolved
from wasmpack.kubeyaml.scalars import PlainText
from wasmpack.mesh.mappings import mapping
from wasmpack.oci.canonical import JsonValue

NAME = "manifest.yaml"
_LARGEST = 1 << 63
"""Go's int is an int64."""
PHASE = "maistra.io/phase"
PRIORITY = "maistra.io/priority"
"""Annotations that keep what the file said for the resource."""
_TITLE = "org.opencontainers.image.title"
_DESCRIPTION = "org.opencontainers.image.description"
_VERSION = "org.opencontainers.image.version"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionManifest:
    """Content of the file; everything but the module is optional."""

    module: str
    """Path of the module from the root of the image."""
    name: str = ""
    """Name of the plugin; empty if not given, like all fields below."""
    description: str = ""
    """For people."""
    version: str = ""
    """Version of the plugin."""
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
    """Read the file as yaml.v2 decodes it into Maistra's structure: unknown keys are ignored.

    :raises BadArtifact: not YAML, a value of another type, or no module is named
    """
    documents = read_unresolved(raw, NAME)
    document = documents[0] if documents else Document(source=NAME, value=None)
    if not isinstance(document.value, dict):
        raise BadArtifact(f"{NAME}: expected a mapping with the key 'module'")
    module = _text(document, "module").removeprefix("./").lstrip("/")
    if not module:
        raise BadArtifact(f"{NAME}: names no module", hint="module: plugin.wasm")
    return ExtensionManifest(
        module=module,
        name=_text(document, "name"),
        description=_text(document, "description"),
        version=_text(document, "version"),
        phase=_text(document, "phase"),
        priority=_integer(document, "priority"),
    )


def _text(document: Document, key: str) -> str:
    """The scalar's own text, whatever it looks like; empty for null."""
    value = mapping(document.value).get(key)
    if isinstance(value, PlainText) and value.resolved is None:
        return ""
    if value is None or isinstance(value, str):
        return str(value or "")
    raise _refused(document, key, value, "string")


def _integer(document: Document, key: str) -> int | None:
    """A number without quotes; yaml.v2 cuts what is behind the point."""
    value = mapping(document.value).get(key)
    number = value.resolved if isinstance(value, PlainText) else value
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise _refused(document, key, value, "int")
    if not -_LARGEST <= number < _LARGEST:
        raise _refused(document, key, value, "int")
    return int(number)


def _refused(document: Document, key: str, value: JsonValue, wanted: str) -> BadArtifact:
    shown = shortened(str(value) if isinstance(value, str) else value)
    message = f"{document.where((key,))}: the old mesh cannot unmarshal {shown} into {wanted}"
    hint = f"{key}: {value}" if wanted == "int" and str(value).lstrip("-").isdecimal() else ""
    return BadArtifact(message, hint=hint and f"write it without quotes: {hint}")
