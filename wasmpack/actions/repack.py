"""What others packed wrongly, packed again so that meshes load it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wasmpack.actions.build import BuildRequest, build_image, check_build
from wasmpack.actions.inputs import ModuleInput
from wasmpack.actions.inspect import image_labels
from wasmpack.actions.reading import kept, search_image
from wasmpack.actions.transfer import Moved, transfer
from wasmpack.errors import BadArtifact, Notice, WouldOverwrite
from wasmpack.findings import Report
from wasmpack.images.search import FoundFiles, choose_module
from wasmpack.mesh.migration.extension_manifest import ExtensionManifest, read_extension_manifest
from wasmpack.oci.image import COMPAT_MARK, Image, Variant
from wasmpack.oci.manifest import Manifest
from wasmpack.oci.place import NamePlace, Place
from wasmpack.runtime_config import parse_runtime_config
from wasmpack.stores.memory import MemoryReader
from wasmpack.stores.places import names_at, open_reader, open_writer, source_options
from wasmpack.stores.ports import ImageReader, Progress
from wasmpack.stores.registry.options import RegistryOptions

BASE_NAME = "org.opencontainers.image.base.name"
BASE_DIGEST = "org.opencontainers.image.base.digest"


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
    extension: bool = False
    """It must be an image for ServiceMeshExtension: ``/manifest.yaml`` names the module."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repacked:
    """The new image, as it stands at the destination."""

    image: Image
    moved: tuple[Moved, ...]
    report: Report | None
    extension: ExtensionManifest | None = None
    """What ``/manifest.yaml`` said, if there was one."""


def repack_image(
    source: Place,
    destination: Place,
    request: RepackRequest,
    options: RegistryOptions,
    *,
    notice: Notice,
    progress: Progress | None = None,
) -> Repacked:
    """Find the module, check it, and write a new image; the source is left as it is.

    :raises BadArtifact: no module, or several to choose from
    :raises RejectedArtifact: every target would refuse the module
    :raises WouldOverwrite: source and destination are the same
    """
    if _source_name(source) == destination and not request.force:
        raise WouldOverwrite(
            f"{destination}: the new image would take the place of the one it is made of",
            hint="another tag keeps both; --force replaces it",
        )
    reading = source_options(source, destination, options)
    reader = kept(open_reader(source, reading, notice))
    manifest, found = search_image(reader)
    extension = _extension(found, source, required=request.extension)
    wanted = request.module or (extension.module if extension else None)
    name, module = choose_module(found, wanted)
    notice(f"{source}: {name}, {len(module)} bytes, from the image {manifest.digest}")
    about = {} if extension is None else {**extension.annotations, **_origin(source, manifest)}
    build = BuildRequest(
        module=ModuleInput(name=f"{source}: {name}", data=module, path=None),
        runtime_config=_usable(found.runtime_config, notice),
        variant=request.variant,
        with_runtime_config=request.with_runtime_config,
        annotations={**_annotations(reader, manifest), **about},
        use_git=False,
    )
    image = build_image(build)
    report = check_build(build, image, targets=request.targets) if request.validate else None
    digest = image.manifest.digest
    with open_writer(destination, options, digest, force=request.force, notice=notice) as writer:
        moved = transfer(
            MemoryReader(image), image.manifest, writer, names_at(destination), progress
        )
    return Repacked(image=image, moved=moved, report=report, extension=extension)


def _source_name(source: Place) -> Place:
    """Where a name is read, as it is written to: in its registry, under its tag."""
    if isinstance(source, NamePlace):
        return NamePlace(source.reference.with_default_tag())
    return source


def _extension(found: FoundFiles, source: Place, *, required: bool) -> ExtensionManifest | None:
    """What ``/manifest.yaml`` says; one that cannot be read counts only where it must be there."""
    if found.extension_manifest is None:
        if required:
            raise BadArtifact(
                f"{source}: no /manifest.yaml in it, so no image for ServiceMeshExtension",
                hint=f"wasmpack repack {source} DESTINATION, and name that in the resource",
            )
        return None
    try:
        return read_extension_manifest(found.extension_manifest)
    except BadArtifact:
        if required:
            raise
        return None


def _origin(source: Place, manifest: Manifest) -> dict[str, str]:
    """Which image it was made of (image-spec, annotations.md)."""
    return {BASE_NAME: str(source), BASE_DIGEST: str(manifest.digest)}


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
