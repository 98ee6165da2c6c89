"""What an image is made of, as a value that prints and as the JSON contract."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from wasmpack.actions.inspect_module import ModuleView, inspect_module
from wasmpack.actions.inspect_parts import PartialLook, large_module
from wasmpack.actions.outcome import layer_json
from wasmpack.actions.reading import UNREADABLE, kept, mesh_image, open_chunks
from wasmpack.actions.validate_image import validate_image
from wasmpack.errors import BadArtifact, NotFound, WrongUsage
from wasmpack.findings import Report
from wasmpack.images.contents import Contents, read_contents, runtime_config_blob
from wasmpack.oci.canonical import JsonObject, parse_json_object
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.image import CREATED, Variant, variant_of
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.oci.media_types import DOCKER_CONFIG, OCI_CONFIG
from wasmpack.runtime_config import runtime_config_object
from wasmpack.stores.kept import KeptReader, read_blob
from wasmpack.stores.ports import ImageReader
from wasmpack.wasm.cursor import MalformedModule

_CONFIG_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageView:
    """An image as ``inspect`` shows it."""

    reference: str
    source: str
    top: Manifest | Index
    image: Manifest | None
    """Of an index the child a mesh takes; None if there is none."""
    annotations: Mapping[str, str]
    created: str | None
    module: ModuleView | None
    module_fault: str
    """Why there is no module to show."""
    runtime_config: JsonObject | None
    report: Report

    @property
    def variant(self) -> Variant:
        """The format of the image a mesh takes."""
        return variant_of(self.image) if self.image else Variant.UNKNOWN

    @property
    def layers(self) -> Sequence[Descriptor]:
        """First layer first."""
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
        }


def inspect_image(
    reader: ImageReader, reference: str, *, targets: Sequence[str] = (), pinned: bool = False
) -> ImageView:
    """Look at an image by anybody; its faults are shown, not raised.

    :raises NotFound: no such image
    """
    reader = kept(reader)
    top, image = mesh_image(reader)
    looked = _look(reader, top, image)
    created, labels = _image_config(reader, image)
    annotations = {**labels, **(image.annotations if image else top.annotations)}
    return ImageView(
        reference=reference,
        source=reader.source,
        top=top,
        image=image,
        annotations=annotations,
        created=annotations.get(CREATED) or created,
        module=looked.module,
        module_fault=looked.fault,
        runtime_config=_runtime_config(looked.runtime_config),
        report=looked.partial.report(reference, targets, pinned=pinned)
        if looked.partial
        else validate_image(reader, reference, targets=targets, pinned=pinned),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """What was found in the layers."""

    module: ModuleView | None = None
    fault: str = ""
    runtime_config: bytes | None = None
    partial: PartialLook | None = None


def _look(reader: KeptReader, top: Manifest | Index, image: Manifest | None) -> _Looked:
    layer = large_module(image) if image else None
    if image is not None and layer is not None:
        config, raw = runtime_config_blob(image), None
        try:
            partial = PartialLook(reader, top, image, layer)
            raw = read_blob(reader, config, _CONFIG_LIMIT) if config else None
        except (MalformedModule, *UNREADABLE) as error:
            return _Looked(fault=error.message, runtime_config=raw)
        return _Looked(module=partial.module, runtime_config=raw, partial=partial)
    contents, fault = _contents(reader, image)
    if contents.module is None:
        return _Looked(fault=fault, runtime_config=contents.runtime_config)
    try:
        view = inspect_module(contents.module)
    except MalformedModule as error:
        return _Looked(fault=error.message, runtime_config=contents.runtime_config)
    return _Looked(module=view, fault=fault, runtime_config=contents.runtime_config)


def raw_part(reader: ImageReader, part: str) -> Iterator[bytes]:
    """The exact bytes of ``manifest``, ``config`` or ``layer:N``, as they are stored.

    :raises WrongUsage: none of these, or no such layer
    """
    top, image = mesh_image(reader)
    if part == "manifest":
        yield top.raw
        return
    if image is None:
        raise NotFound("an index without a linux/amd64 image: there is only --raw manifest")
    if part == "config":
        yield from open_chunks(reader, image.config)
        return
    kind, _, number = part.partition(":")
    if kind != "layer" or not number.isdecimal():
        raise WrongUsage(f"--raw {part}: expected manifest, config or layer:N")
    if int(number) >= len(image.layers):
        raise NotFound(f"--raw {part}: the image has {len(image.layers)} layers, from 0")
    yield from open_chunks(reader, image.layers[int(number)])


def _contents(reader: KeptReader, image: Manifest | None) -> tuple[Contents, str]:
    nothing = Contents(module=None, runtime_config=None, layer=None)
    if image is None:
        return nothing, "an index without a linux/amd64 image"
    try:
        found = read_contents(image, reader.layers)
    except UNREADABLE as error:
        return nothing, error.message
    return found, "" if found.module is not None else "no plugin.wasm in this image"


def image_labels(reader: ImageReader, image: Manifest) -> dict[str, str]:
    """Labels of a file system image."""
    return _image_config(reader, image)[1]


def _image_config(reader: ImageReader, image: Manifest | None) -> tuple[str | None, dict[str, str]]:
    """Creation time and labels of a file system image (image-spec, config.md)."""
    if image is None or image.config.media_type not in {OCI_CONFIG, DOCKER_CONFIG}:
        return None, {}
    try:
        raw = read_blob(reader, image.config, _CONFIG_LIMIT)
        value = parse_json_object(raw, "image configuration")
    except UNREADABLE:
        return None, {}
    created, config = value.get("created"), value.get("config")
    labels = config.get("Labels") if isinstance(config, dict) else None
    texts = labels.items() if isinstance(labels, dict) else ()
    return (
        created if isinstance(created, str) else None,
        {key: text for key, text in texts if isinstance(text, str)},
    )


def _runtime_config(raw: bytes | None) -> JsonObject | None:
    if raw is None:
        return None
    try:
        return runtime_config_object(raw)
    except BadArtifact:
        return None
