"""The parts of an image, as values for printing and for the JSON contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wasmpack.actions.explain import rule_named
from wasmpack.actions.inspect_module import ModuleView, inspect_module
from wasmpack.errors import BadArtifact, NotFound, WrongUsage
from wasmpack.findings import Report
from wasmpack.images.image import (
    Contents,
    Image,
    large_module,
    layer_json,
    runtime_config_blob,
    variant_of,
)
from wasmpack.images.parts import UNREADABLE
from wasmpack.images.variants import Variant
from wasmpack.oci.canonical import JsonObject
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.runtime_config import runtime_config_object
from wasmpack.stores.local import known_report
from wasmpack.wasm.cursor import MalformedModule

if TYPE_CHECKING:
    from wasmpack.actions.inspect_parts import PartialLook


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageView:
    """An image as ``inspect`` shows it."""

    reference: str
    """The place, as it was given."""
    source: str
    """``local``, ``registry``, ``layout``, ``archive``, ``daemon`` or ``memory``."""
    top: Manifest | Index
    """The manifest or index that the reference names."""
    indexes: tuple[Index, ...]
    """The indexes that a mesh goes through, the top first; empty for a plain image."""
    image: Manifest | None
    """The image that a mesh would pull; None if an index has none."""
    annotations: Mapping[str, str]
    """Annotations of the manifest; they override the labels of a file system image."""
    created: str | None
    """RFC 3339; None if the image has no date."""
    module: ModuleView | None
    """None if no module can be read."""
    module_fault: str
    """The reason if no module can be shown."""
    runtime_config: JsonObject | None
    """The file, valid by its schema or not; None if it is missing or not JSON."""
    report: Report
    """The verdict of each target."""

    @property
    def variant(self) -> Variant:
        """The format of the image that a mesh would pull."""
        return variant_of(self.image) if self.image else Variant.UNKNOWN

    @property
    def layers(self) -> Sequence[Descriptor]:
        """Layers, the first one first."""
        return self.image.layers if self.image else ()

    def as_json(self) -> dict[str, object]:
        """The contract's shape of ``inspect image --format json``."""
        return {
            "schemaVersion": 1,
            "reference": self.reference,
            "source": self.source,
            "digest": str(self.top.digest),
            "mediaType": self.top.media_type,
            "variant": self.variant.value,
            "created": self.created,
            "annotations": dict(self.annotations),
            "layers": [layer_json(layer) for layer in self.layers],
            "module": self.module.as_json() if self.module else None,
            "runtimeConfig": self.runtime_config,
            "targets": [row.as_json() for row in self.report.targets],
            "findings": [finding.as_json() for finding in self.report.findings],
            "meshDigest": str(self.image.digest) if self.image else None,
        }


def inspect_image(image: Image, targets: Sequence[str] = ()) -> ImageView:
    """Inspect any image, and start its module as ``validate`` does; faults are shown, not raised.

    :raises NotFound: no such image
    """
    top, manifest = image.top, image.manifest
    looked = _look(image)
    report = looked.partial.report(targets) if looked.partial else _report(image, targets, looked)
    return ImageView(
        reference=image.reference,
        source=image.source,
        top=top,
        indexes=image.indexes,
        image=manifest,
        annotations=image.annotations,
        created=image.created,
        module=looked.module,
        module_fault=looked.fault,
        runtime_config=_runtime_config(looked.runtime_config),
        report=report,
    )


def _report(image: Image, targets: Sequence[str], looked: _Looked) -> Report:
    """The stored report of an accepted image that is still complete; otherwise a new one."""
    whole = looked.module is not None and not looked.fault
    if whole and image.source == "local" and not targets and isinstance(image.top, Manifest):
        known = known_report(image.top, rule_named)
        if known is not None:
            return replace(known, subject=image.reference, kind="image")
    from wasmpack.actions.checks import Checks
    from wasmpack.actions.validate_image import validate_image

    return validate_image(image, Checks(targets=targets))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """Contents of the layers."""

    module: ModuleView | None = None
    fault: str = ""
    runtime_config: bytes | None = None
    partial: PartialLook | None = None


def _look(image: Image) -> _Looked:
    layer = large_module(image.manifest) if image.manifest else None
    if image.manifest is not None and layer is not None:
        return _look_at_parts(image, image.manifest, layer)
    contents, fault = _contents(image)
    if contents.module is None:
        return _Looked(fault=fault, runtime_config=contents.runtime_config)
    try:
        view = inspect_module(contents.module)
    except MalformedModule as error:
        return _Looked(fault=error.message, runtime_config=contents.runtime_config)
    return _Looked(module=view, fault=fault, runtime_config=contents.runtime_config)


def _look_at_parts(image: Image, manifest: Manifest, layer: Descriptor) -> _Looked:
    from wasmpack.actions.inspect_parts import PartialLook

    config, raw = runtime_config_blob(manifest), None
    try:
        partial = PartialLook(image, layer)
        raw = image.small_blob(config) if config else None
    except (MalformedModule, *UNREADABLE) as error:
        return _Looked(fault=error.message, runtime_config=raw)
    return _Looked(module=partial.module, runtime_config=raw, partial=partial)


def raw_part(image: Image, part: str) -> Iterator[bytes]:
    """The exact bytes of ``manifest``, ``config`` or ``layer:N``, as they are stored.

    :raises WrongUsage: another name, or no such layer
    """
    if part == "manifest":
        yield image.top.raw
        return
    manifest = image.pulled()
    kind, _, number = part.partition(":")
    if part != "config" and (kind != "layer" or not number.isdecimal()):
        raise WrongUsage(f"--raw {part}: expected manifest, config or layer:N")
    if part != "config" and int(number) >= len(manifest.layers):
        raise NotFound(f"--raw {part}: the image has {len(manifest.layers)} layers, from 0")
    chosen = manifest.config if part == "config" else manifest.layers[int(number)]
    if chosen is None:
        raise NotFound(f"--raw {part}: the image has no configuration")
    with image.open(chosen) as blob:
        yield from blob.chunks()


def _contents(image: Image) -> tuple[Contents, str]:
    nothing = Contents(module=None, runtime_config=None, layer=None)
    if image.manifest is None:
        return nothing, "an index without a linux/amd64 image"
    try:
        found = image.contents
    except UNREADABLE as error:
        return nothing, error.message
    return found, "" if found.module is not None else "no plugin.wasm in this image"


def _runtime_config(raw: bytes | None) -> JsonObject | None:
    if raw is None:
        return None
    try:
        return runtime_config_object(raw)
    except BadArtifact:
        return None
