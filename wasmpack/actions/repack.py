"""Images that meshes refuse, repacked so that they load."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from wasmpack.actions.build import BuildOptions, build_image, check_built
from wasmpack.actions.checks import Checks
from wasmpack.errors import BadArtifact, Notice, WouldOverwrite
from wasmpack.images.image import Image
from wasmpack.images.opening import open_image
from wasmpack.images.search import FoundFiles, choose_module
from wasmpack.images.variants import COMPAT_MARK, Variant
from wasmpack.images.writing import Written, write_image
from wasmpack.mesh.migration.extension_manifest import ExtensionManifest, read_extension_manifest
from wasmpack.oci.manifest import Manifest
from wasmpack.oci.place import NamePlace, Place
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.runtime_config import parse_runtime_config
from wasmpack.stores.session import Session

BASE_NAME = "org.opencontainers.image.base.name"
BASE_DIGEST = "org.opencontainers.image.base.digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepackRequest:
    """How to repack an image."""

    variant: Variant = Variant.OCI
    """The format of the new image."""
    with_runtime_config: bool = True
    """Include a runtime configuration; the ``oci`` variant requires one."""
    module: str | None = None
    """The file that is the plugin, if there are several modules."""
    validate: bool = True
    """Refuse modules that the targets reject."""
    targets: Sequence[str] = ()
    """Names, or ``all``; none means the default targets."""
    force: bool = False
    """Overwrite another image at the destination."""
    extension: bool = False
    """Require an image for ServiceMeshExtension, whose ``/manifest.yaml`` names the module."""


def repack_image(
    source: Place,
    destination: Place,
    request: RepackRequest | None = None,
    session: Session | None = None,
) -> Written:
    """Find the module, check it, and write a new image; the source is left as it is.

    :raises BadArtifact: no module, or several to choose from
    :raises RejectedArtifact: every target would refuse the module
    :raises WouldOverwrite: source and destination are the same
    """
    request, session = request or RepackRequest(), session or Session()
    if _source_name(source) == destination and not request.force:
        raise WouldOverwrite(
            f"{destination}: the new image would replace its own source",
            hint="another tag keeps both; --force replaces it",
        )
    old = open_image(source, session.reading(source, destination))
    manifest, found = old.search()
    extension = _extension(found, source, required=request.extension)
    wanted = request.module or (extension.module if extension else None)
    name, data = choose_module(found, wanted)
    session.notice(f"{source}: {name}, {len(data)} bytes, from the image {manifest.digest}")
    for damage in found.damage:
        session.notice(f"{damage}; what lies before it is used")
    about = {} if extension is None else {**extension.annotations, **_origin(source, manifest)}
    module = PluginModule(data, f"{source}: {name}")
    options = BuildOptions(
        runtime_config=_usable(found.runtime_config, session.notice),
        variant=request.variant,
        with_runtime_config=request.with_runtime_config,
        annotations={**_annotations(old, manifest), **about},
        use_git=False,
    )
    image, report = build_image(module, options), None
    if request.validate:
        checks = Checks(targets=request.targets)
        report = check_built(image, module, checks, options.runtime_config)
    done = write_image(image, destination, session, force=request.force)
    return replace(done, report=report)


def _source_name(source: Place) -> Place:
    """The place in the form of a destination: a name means its registry and a tag."""
    if isinstance(source, NamePlace):
        return NamePlace(source.reference.with_default_tag())
    return source


def _extension(found: FoundFiles, source: Place, *, required: bool) -> ExtensionManifest | None:
    """Contents of ``/manifest.yaml``; an unreadable one is an error only if it is required."""
    if found.extension_manifest is None:
        if required:
            raise BadArtifact(
                f"{source}: not an image for ServiceMeshExtension, /manifest.yaml not found",
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
    """Annotations that name the source image (image-spec, annotations.md)."""
    return {BASE_NAME: str(source), BASE_DIGEST: str(manifest.digest)}


def _usable(config: bytes | None, notice: Notice) -> bytes | None:
    """The image's own runtime configuration, unless it cannot be read."""
    if config is None:
        return None
    try:
        parse_runtime_config(config)
    except BadArtifact as error:
        notice(f"ignoring its runtime-config.json: {error.message}")
        return None
    return config


def _annotations(image: Image, manifest: Manifest) -> Mapping[str, str]:
    """Annotations of the manifest and labels of a file system image, without the variant's."""
    _, labels = image.file_system_config(manifest)
    kept = {**labels, **manifest.annotations}
    return {key: text for key, text in kept.items() if key not in COMPAT_MARK}
