"""The public functions: each takes names as one would type them, or the values behind them.

>>> image = build_image(PluginModule(b"\\0asm\\1\\0\\0\\0", "empty.wasm"))
>>> validate(image, targets=["ossm-3.0"]).accepted
False

Where a ``session`` is taken, it says how registries are reached, and who is told of what happens;
the default is silent and reads the credentials of Docker and Podman.
"""

from collections.abc import Sequence
from pathlib import Path

from wasmpack.actions import copy as _copy
from wasmpack.actions import local as _local
from wasmpack.actions import login as _login
from wasmpack.actions import tags as _tags
from wasmpack.actions.build import BuildOptions, build_image
from wasmpack.actions.documents import read_or_report
from wasmpack.actions.explain import explain
from wasmpack.actions.inputs import read_module_file
from wasmpack.actions.inspect import ImageView, inspect_image
from wasmpack.actions.inspect_module import ModuleView, inspect_module
from wasmpack.actions.local import LocalImage
from wasmpack.actions.migrate import Migration, MigrationRequest, migrate_extensions
from wasmpack.actions.push import push_image
from wasmpack.actions.render import RenderedPlugin, render_wasmplugin
from wasmpack.actions.render_request import RenderRequest
from wasmpack.actions.render_secret import RenderedSecret, SecretRequest, render_secret
from wasmpack.actions.repack import RepackRequest, repack_image
from wasmpack.actions.validate import Checks, validate_config, validate_module
from wasmpack.actions.validate_image import validate_image
from wasmpack.actions.validate_wasmplugin import ImageScope, validate_wasmplugin
from wasmpack.dry_run.start_up import StartUp
from wasmpack.errors import WrongUsage
from wasmpack.findings import Report
from wasmpack.images import opening as _opening
from wasmpack.images.image import Image
from wasmpack.images.writing import Written, write_image
from wasmpack.oci.descriptor import Digest
from wasmpack.oci.place import NamePlace, Place, parse_place, with_default_tag
from wasmpack.oci.reference import Reference, RegistryName
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.session import Session
from wasmpack.targets import Target, all_targets

__all__ = [
    "BuildOptions", "Checks", "Image", "ImageScope", "ImageView", "LocalImage", "Migration",
    "MigrationRequest", "ModuleView", "PluginModule", "RegistryOptions", "RenderRequest",
    "RenderedPlugin", "RenderedSecret", "RepackRequest", "Report", "SecretRequest", "Session",
    "StartUp", "Target", "Written", "all_targets", "build_image", "copy", "explain", "extract",
    "inspect", "list_images", "list_tags", "login", "logout", "migrate", "open_image", "prune",
    "pull", "push", "read_module", "remove_images", "render", "render_secret", "repack",
    "tag_image", "validate", "validate_config", "validate_resources", "write",
]  # fmt: skip


def read_module(path: str | Path) -> PluginModule:
    """Read a ``.wasm`` or ``.wat`` file; ``-`` is standard input.

    :raises NotFound: no such file
    :raises BadArtifact: invalid WebAssembly text, or more than 256 MiB
    """
    return read_module_file(str(path))


def open_image(place: str | Place, session: Session | None = None) -> Image:
    """The image at a place: a name, a layout, an archive, or one of the Docker engine.

    :raises NotFound: nothing there
    """
    return _opening.open_image(_place(place), session)


def validate(
    subject: Image | PluginModule,
    *,
    targets: Sequence[str] = (),
    plugin_config: bytes | None = None,
    root_id: str = "",
    strict: bool = False,
    dry_run: bool = True,
    envoy: bool = False,
) -> Report:
    """Judge an image or a module as each target's fetcher and proxy would.

    :param targets: release names such as ``ossm-3.0``, or ``all``; none means the default ones
    :param plugin_config: handed to the plugin when it is started; None if there is none
    :param root_id: by default the first in the image's runtime configuration
    :param strict: warnings reject too
    :param dry_run: start the module, in a process of its own
    :param envoy: ask the Envoy of this machine too
    :raises WrongUsage: an unknown target
    :raises NotFound: no such image; ``envoy``, and there is none
    """
    start_up = StartUp(plugin_config=plugin_config, root_id=root_id, dry_run=dry_run)
    checks = Checks(targets=targets, start_up=start_up, strict=strict, envoy=envoy)
    if isinstance(subject, Image):
        return validate_image(subject, checks)
    return validate_module(subject, checks)


def validate_resources(
    files: Sequence[str | Path],
    checks: Checks | None = None,
    session: Session | None = None,
    *,
    images: ImageScope | None = None,
) -> Report:
    """Judge the WasmPlugins and TrafficExtensions in YAML and JSON files, and their images.

    :param files: files, or directories of them
    :param images: how far the images are looked at
    :raises BadArtifact: no such resource in the files
    """
    names = [str(file) for file in files]
    documents, unreadable = read_or_report(names)
    return validate_wasmplugin(
        documents, ", ".join(names), checks, session, images=images, unreadable=unreadable
    )


def push(
    image: Image,
    destination: str | Reference,
    session: Session | None = None,
    *,
    tags: Sequence[str] = (),
    validate: bool = True,
) -> Written:
    """Push an image to a registry, validated first; blobs that are there are not sent.

    :param tags: further tags of the destination
    :param validate: refuse what every default target rejects
    :raises RejectedArtifact: it cannot work
    :raises AccessRefused, RegistryUnavailable: the registry refuses, or does not answer
    """
    return push_image(image, destination, session, tags=tags, validate=validate)


def write(
    image: Image, place: str | Place, session: Session | None = None, *, force: bool = False
) -> Written:
    """Write an image to a place, bytes unchanged; a name means its registry.

    :raises WouldOverwrite: another image is there, and ``force`` is not given
    """
    return write_image(image, with_default_tag(_place(place)), session or Session(), force=force)


def copy(
    source: str | Place,
    destination: str | Place,
    session: Session | None = None,
    *,
    whole_index: bool = False,
    referrers: bool = False,
    tags: Sequence[str] = (),
    force: bool = False,
) -> Written:
    """Copy an image from any place to any other, bytes and digest unchanged.

    :param whole_index: all images of an index, not the one that a mesh pulls
    :param referrers: signatures and the like too
    :param tags: further tags at the destination
    :raises WouldOverwrite: another image is there, and ``force`` is not given
    """
    scope = _copy.CopyScope(whole_index=whole_index, referrers=referrers, tags=tags)
    target = with_default_tag(_place(destination))
    return _copy.copy_image(_place(source), target, session, scope=scope, force=force)


def pull(name: str | Reference, session: Session | None = None) -> Written:
    """Fetch an image from its registry into the local store; every byte is verified.

    :raises NotFound: no such image
    """
    return _copy.pull_image(NamePlace(_reference(name)), None, session)


def inspect(subject: Image | PluginModule, targets: Sequence[str] = ()) -> ImageView | ModuleView:
    """Show what an image or a module is made of; of an image also what each target would say.

    :raises NotFound: no such image
    :raises MalformedModule: the bytes are not a module
    """
    if isinstance(subject, Image):
        return inspect_image(subject, targets)
    return inspect_module(subject)


def extract(image: Image, directory: str | Path, *, force: bool = False) -> list[Path]:
    """Write ``plugin.wasm`` and, where there is one, ``runtime-config.json``; returns their paths.

    :raises WouldOverwrite: a file of that name has other content, and ``force`` is not given
    :raises BadArtifact: no module in the image
    """
    return _copy.extract_image(image, Path(directory), Session(), force=force)


def repack(
    source: str | Place,
    destination: str | Place,
    request: RepackRequest | None = None,
    session: Session | None = None,
) -> Written:
    """Find the module of any image and write a new image of it that meshes load.

    :raises BadArtifact: no module, or several to choose from
    :raises RejectedArtifact: every target would refuse the module
    """
    target = with_default_tag(_place(destination))
    return repack_image(_place(source), target, request, session)


def render(request: RenderRequest, session: Session | None = None) -> RenderedPlugin:
    """Write the resource that lets a mesh load an image.

    :raises RejectedArtifact: the targets would refuse it
    """
    return render_wasmplugin(request, session)


def migrate(request: MigrationRequest, session: Session | None = None) -> Migration:
    """Turn ServiceMeshExtensions into WasmPlugins, and their images where that is asked for.

    :raises BadArtifact: none among the documents
    """
    return migrate_extensions(request, session)


def list_images() -> list[LocalImage]:
    """The images of the local store, sorted by name."""
    return _local.list_local()


def tag_image(image: str | Reference, name: str | Reference) -> Digest:
    """Give an image of the local store another name; a tag that exists moves.

    :raises NotFound: no such image
    """
    return _local.tag_local(_reference(image), _reference(name))


def remove_images(names: Sequence[str | Reference]) -> list[tuple[Reference, Digest]]:
    """Remove images from the local store, and what only they needed.

    :raises NotFound: one of them is not there; none is removed then
    """
    return _local.remove_local([_reference(name) for name in names])


def prune() -> tuple[int, int]:
    """Delete what the local store no longer needs, and the caches: files, bytes."""
    return _local.prune_local()


def list_tags(repository: str | Reference, session: Session | None = None) -> list[str]:
    """The tags of a repository in its registry, sorted.

    :raises NotFound: no such repository
    """
    return _tags.list_tags(_reference(repository), session)


def login(registry: str, username: str, password: str, session: Session | None = None) -> str:
    """Try credentials at a registry and keep them where Docker does; returns where.

    :raises AccessRefused: the registry refuses them; nothing is kept
    """
    name = RegistryName.parse(registry)
    used = (session or Session()).with_login(name.registry, username, password)
    return _login.log_in(name, used)


def logout(registry: str, session: Session | None = None) -> bool:
    """Remove the stored credentials for a registry; whether there were any."""
    return _login.log_out(RegistryName.parse(registry), session or Session())


def _place(text: str | Place) -> Place:
    return parse_place(text) if isinstance(text, str) else text


def _reference(text: str | Reference) -> Reference:
    if isinstance(text, Reference):
        return text
    if not text:
        raise WrongUsage("an empty image name")
    return Reference.parse(text.removeprefix("docker://"))
