"""What others packed wrongly, packed again so that meshes load it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wasmpack.actions.build import BuildRequest, build_image, check_build
from wasmpack.actions.inputs import ModuleInput
from wasmpack.actions.inspect import image_labels
from wasmpack.actions.reading import kept, search_image
from wasmpack.actions.transfer import MemoryReader, Moved, transfer
from wasmpack.errors import BadArtifact
from wasmpack.findings import Report
from wasmpack.oci.image import COMPAT_MARK, Image, Variant
from wasmpack.oci.manifest import Manifest
from wasmpack.oci.place import Place
from wasmpack.readers.search import choose_module
from wasmpack.runtime_config import parse_runtime_config
from wasmpack.stores.places import Notice, names_at, open_reader, open_writer
from wasmpack.stores.ports import Advance, ImageReader
from wasmpack.stores.registry.options import RegistryOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class RepackRequest:
    """How an image is packed again."""

    variant: Variant = Variant.OCI
    with_runtime_config: bool = True
    module: str | None = None
    """Which file is the plugin, if there are several modules."""
    validate: bool = True
    targets: Sequence[str] = ()
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Repacked:
    """The new image, as it stands at the destination."""

    image: Image
    moved: tuple[Moved, ...]
    report: Report | None


def repack_image(
    source: Place,
    destination: Place,
    request: RepackRequest,
    options: RegistryOptions,
    *,
    notice: Notice,
    advance: Advance | None = None,
) -> Repacked:
    """Find the module, check it, and write a new image; the source is left as it is.

    :raises BadArtifact: no module, or several to choose from
    :raises RejectedArtifact: every target would refuse the module
    """
    reader = kept(open_reader(source, options, notice))
    manifest, found = search_image(reader)
    name, module = choose_module(found, request.module)
    notice(f"{source}: {name}, {len(module)} bytes, from the image {manifest.digest}")
    build = BuildRequest(
        module=ModuleInput(name=f"{source}: {name}", data=module, path=None),
        runtime_config=_usable(found.runtime_config, notice),
        variant=request.variant,
        with_runtime_config=request.with_runtime_config,
        annotations=_annotations(reader, manifest),
        use_git=False,
    )
    report = check_build(build, targets=request.targets) if request.validate else None
    image = build_image(build)
    digest = image.manifest.digest
    with open_writer(destination, options, digest, force=request.force, notice=notice) as writer:
        moved = transfer(
            MemoryReader(image), image.manifest, writer, names_at(destination), advance
        )
    return Repacked(image=image, moved=moved, report=report)


def _usable(config: bytes | None, notice: Notice) -> bytes | None:
    """The image's own runtime configuration, unless it cannot be read."""
    if config is None:
        return None
    try:
        parse_runtime_config(config)
    except BadArtifact as error:
        notice(f"its runtime-config.json is left out: {error.message}")
        return None
    return config


def _annotations(reader: ImageReader, manifest: Manifest) -> Mapping[str, str]:
    """Of the manifest, and the labels of a file system image; what names the old form goes."""
    kept_ones = {**image_labels(reader, manifest), **manifest.annotations}
    return {key: text for key, text in kept_ones.items() if key not in COMPAT_MARK}
