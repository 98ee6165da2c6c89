"""Public functions on images: read, open, push, copy, inspect, extract, pack again."""

from collections.abc import Sequence
from pathlib import Path

from wasmpack.actions import copy as _copy
from wasmpack.actions.inputs import read_module_file
from wasmpack.actions.inspect import ImageView, inspect_image
from wasmpack.actions.inspect_module import ModuleView, inspect_module
from wasmpack.actions.push import push_image
from wasmpack.actions.repack import RepackRequest, repack_image
from wasmpack.errors import WrongUsage
from wasmpack.images import opening as _opening
from wasmpack.images.image import Image
from wasmpack.images.writing import Written, write_image
from wasmpack.oci.place import NamePlace, Place, parse_place, with_default_tag
from wasmpack.oci.reference import Reference
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.stores.session import Session


def read_module(path: str | Path) -> PluginModule:
    """Read a ``.wasm`` or ``.wat`` file; ``-`` is standard input.

    >>> wasmpack.read_module("filter.wasm").scan.abi
    '0.2.1'

    :raises NotFound: no such file
    :raises BadArtifact: invalid WebAssembly text, or more than 256 MiB
    """
    return read_module_file(str(path))


def open_image(place: str | Place, session: Session | None = None) -> Image:
    """The image at a place: a name, a layout, an archive, or one of the Docker engine.

    Nothing is read until it is asked for; each blob is then read once, and verified.

    >>> opened = wasmpack.open_image("quay.io/me/plugin:v1")
    >>> opened.source, opened.digest == pushed.digest
    ('registry', True)

    :raises NotFound: nothing there
    """
    return _opening.open_image(as_place(place), session)


def push(
    image: Image,
    destination: str | Reference,
    session: Session | None = None,
    *,
    tags: Sequence[str] = (),
    validate: bool = True,
) -> Written:
    """Push an image to a registry, validated first; blobs that are there are not sent.

    >>> written = wasmpack.push(image, "quay.io/me/plugin:v1", tags=["latest"])
    >>> [str(place) for place in written.places]
    ['quay.io/me/plugin:v1', 'quay.io/me/plugin:latest']
    >>> [moved.status.value for moved in written.moved]
    ['exists', 'exists']

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

    >>> print(wasmpack.write(image, "oci:layout:v1").places[0])
    oci:layout:v1

    :raises WouldOverwrite: another image is there, and ``force`` is not given
    """
    return write_image(image, with_default_tag(as_place(place)), session or Session(), force=force)


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

    >>> copied = wasmpack.copy("quay.io/me/plugin:v1", "oci-archive:plugin.tar:v1")
    >>> copied.digest == pushed.digest
    True

    :param whole_index: all images of an index, not the one that a mesh pulls
    :param referrers: signatures and the like too
    :param tags: further tags at the destination
    :raises WouldOverwrite: another image is there, and ``force`` is not given
    """
    scope = _copy.CopyScope(whole_index=whole_index, referrers=referrers, tags=tags)
    target = with_default_tag(as_place(destination))
    return _copy.copy_image(as_place(source), target, session, scope=scope, force=force)


def pull(name: str | Reference, session: Session | None = None) -> Written:
    """Fetch an image from its registry into the local store; every byte is verified.

    >>> pulled = wasmpack.pull("quay.io/me/plugin:v1")
    >>> wasmpack.open_image("quay.io/me/plugin:v1").source
    'local'

    :raises NotFound: no such image
    """
    return _copy.pull_image(NamePlace(as_reference(name)), None, session)


def inspect(subject: Image | PluginModule, targets: Sequence[str] = ()) -> ImageView | ModuleView:
    """Show what an image or a module is made of; of an image also what each target would say.

    >>> wasmpack.inspect(module).abi_version
    '0.2.1'
    >>> view = wasmpack.inspect(image, ["ossm-3.0"])
    >>> view.variant.value, view.report.accepted
    ('oci', True)

    :raises NotFound: no such image
    :raises MalformedModule: the bytes are not a module
    """
    if isinstance(subject, Image):
        return inspect_image(subject, targets)
    return inspect_module(subject)


def extract(image: Image, directory: str | Path, *, force: bool = False) -> list[Path]:
    """Write ``plugin.wasm`` and, where there is one, ``runtime-config.json``; return their paths.

    >>> [str(path) for path in wasmpack.extract(image, "out")]
    ['out/plugin.wasm', 'out/runtime-config.json']

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

    >>> request = wasmpack.RepackRequest(variant=wasmpack.Variant.COMPAT)
    >>> written = wasmpack.repack("quay.io/me/plugin:v1", "oci:compat:v1", request)
    >>> written.as_json()["variant"]
    'compat'

    :raises BadArtifact: no module, or several to choose from
    :raises RejectedArtifact: every target would refuse the module
    """
    target = with_default_tag(as_place(destination))
    return repack_image(as_place(source), target, request, session)


def as_place(text: str | Place) -> Place:
    """A place as the command line reads it.

    :raises WrongUsage: not a place
    """
    return parse_place(text) if isinstance(text, str) else text


def as_reference(text: str | Reference) -> Reference:
    """An image name as the command line reads it.

    :raises WrongUsage: not an image name
    """
    if isinstance(text, Reference):
        return text
    if not text:
        raise WrongUsage("an empty image name")
    return Reference.parse(text.removeprefix("docker://"))
