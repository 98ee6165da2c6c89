"""From a place to something that reads or writes there."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import assert_never

from wasmpack.errors import DigestMismatch, NotFound, Notice, WrongUsage
from wasmpack.files.outputs import is_stdout
from wasmpack.oci.digest import Digest
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.oci.place import (
    ArchivePlace,
    DaemonPlace,
    LayoutPlace,
    NamePlace,
    Place,
    is_there,
)
from wasmpack.oci.reference import Reference
from wasmpack.stores.archive import ArchiveReader, archive_layout, check_archive
from wasmpack.stores.layout import Layout
from wasmpack.stores.layout_places import LayoutReader, LayoutWriter, LocalReader
from wasmpack.stores.local import find_local, open_store, store_path
from wasmpack.stores.ports import ImageReader, ImageWriter
from wasmpack.stores.registry.options import RegistryOptions


def open_reader(place: Place, options: RegistryOptions, notice: Notice) -> ImageReader:
    """The image at a place.

    A name is looked for in the local store first, then in its registry.

    :param notice: told where a name was found
    :raises NotFound: nothing there
    """
    match place:
        case NamePlace():
            return _name_reader(place, options, notice)
        case LayoutPlace():
            layout = Layout.open(_path(place.path))
            return LayoutReader(layout, layout.find(place.tag, place.digest), "layout")
        case ArchivePlace():
            return ArchiveReader(_path(place.path), place.tag, place.digest)
        case DaemonPlace():
            from wasmpack.stores.daemon import DaemonReader

            return DaemonReader(place.reference)
        case _:
            assert_never(place)


@contextlib.contextmanager
def local_writer() -> Iterator[ImageWriter]:
    """The local store, locked against pruning while the block runs."""
    store = open_store()
    with store.writing():
        yield LayoutWriter(store)


@contextlib.contextmanager
def open_writer(
    place: Place,
    options: RegistryOptions,
    digest: Digest,
    *,
    force: bool,
    notice: Notice,
    tags: Sequence[str] = (),
    source: Reference | None = None,
) -> Iterator[ImageWriter]:
    """Write an image to a place; a name means its registry here.

    :param digest: of the manifest that will be written
    :param tags: further names that it will get there
    :param source: where the image comes from, if from a registry: its blobs may be mounted
    :param notice: told what is special about the place
    :raises WouldOverwrite: another image is there, and ``force`` is not given
    """
    match place:
        case NamePlace():
            yield registry_writer(place.reference, options, digest, source)
        case LayoutPlace():
            layout = Layout.create(_path(place.path))
            if not force:
                layout.check_names([place.tag, *tags], digest)
            with layout.writing():
                yield LayoutWriter(layout, force)
        case ArchivePlace():
            path = _archive_target(place)
            if not force:
                check_archive(path, [place.tag, *tags], digest)
            with archive_layout(path, notice) as layout:
                yield LayoutWriter(layout)
        case DaemonPlace():
            from wasmpack.stores.daemon import DaemonWriter

            notice(
                f"{place}: the Docker engine writes a manifest of its own, so the digest there "
                "may differ"
            )
            writer = DaemonWriter(place.reference)
            yield writer
            writer.load()
        case _:
            assert_never(place)


def registry_writer(
    reference: Reference, options: RegistryOptions, digest: Digest, source: Reference | None = None
) -> ImageWriter:
    """Push to a repository.

    :param source: where the image comes from; of the same registry, its blobs are mounted
    :raises DigestMismatch: the name has another digest than the image
    """
    from wasmpack.stores.registry.repository import RegistryWriter

    if reference.digest not in {None, digest}:
        raise DigestMismatch(f"{reference}: the image's digest is {digest}")
    mount_from = ""
    if source is not None and source.registry == reference.registry:
        mount_from = source.repository if source.repository != reference.repository else ""
    return RegistryWriter(reference, options, mount_from=mount_from)


def source_options(source: Place, destination: Place, options: RegistryOptions) -> RegistryOptions:
    """How to reach the source: user and password are for the destination, if that is a registry."""
    ours, theirs = registry_name(destination), registry_name(source)
    if ours is None or (theirs is not None and theirs.registry == ours.registry):
        return options
    return options.without_login()


def goes_to_stdout(place: Place | None) -> bool:
    """Whether an image written there takes standard output."""
    return isinstance(place, ArchivePlace) and is_stdout(_archive_target(place))


def _archive_target(place: ArchivePlace) -> Path:
    return Path("/dev/stdout") if place.path == "-" else _path(place.path)


def registry_name(place: Place) -> Reference | None:
    """The name of an image that a registry has, or may have."""
    return place.reference if isinstance(place, NamePlace) else None


def names_at(place: Place) -> list[str | None]:
    """Under which names the manifest is written at this place."""
    if isinstance(place, LayoutPlace | ArchivePlace):
        return [place.tag]
    return [place.reference.written_as]


def _name_reader(place: NamePlace, options: RegistryOptions, notice: Notice) -> ImageReader:
    reference = place.reference.with_default_tag()
    found = None if place.remote else find_local(reference)
    if found is not None:
        return LocalReader(Layout(store_path()), found, reference, options, notice)
    if place.remote:
        return _registry_reader(reference, options)
    if not reference.names_registry:
        raise NotFound(
            f"{reference}: not in the local store, and the name has no registry",
            hint=_what_it_may_be(str(place)),
        )
    notice(f"{reference}: not in the local store, asking the registry")
    return _registry_reader(reference, options)


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise WrongUsage(f"{text}: {error}") from error


def _what_it_may_be(text: str) -> str:
    if is_there(Path(text).is_file):
        return f"{text} is a file: wasmpack inspect module, or oci-archive:{text}"
    if is_there(Path(text).is_dir):
        return f"oci:{text}, if this directory is a layout"
    return "wasmpack list; or a full name such as quay.io/me/plugin:v1"


def _registry_reader(reference: Reference, options: RegistryOptions) -> ImageReader:
    from wasmpack.stores.registry.repository import RegistryReader

    return RegistryReader(reference, options)


def require_image(found: Manifest | Index, place: Place) -> Manifest:
    """:raises WrongUsage: an index where one image is needed."""
    if isinstance(found, Index):
        children = ", ".join(f"{c.platform or '?'} {c.digest}" for c in found.manifests[:4])
        raise WrongUsage(
            f"{place} is an index of several images ({children})", hint="name one by its digest"
        )
    return found
