"""From any place to any other, and the files out of an image."""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wasmpack.actions.reading import kept, mesh_image
from wasmpack.actions.transfer import Moved, transfer, transfer_all
from wasmpack.errors import BadArtifact, Notice, WouldOverwrite
from wasmpack.files.directories import explained, open_regular, write_inside
from wasmpack.images.contents import read_contents
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.oci.media_types import PLUGIN_FILE, RUNTIME_CONFIG_FILE
from wasmpack.oci.place import NamePlace, Place
from wasmpack.stores.places import (
    local_writer,
    names_at,
    open_reader,
    open_writer,
    registry_name,
    source_options,
)
from wasmpack.stores.ports import ImageReader, Progress
from wasmpack.stores.registry.options import RegistryOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What stands at the destination now."""

    manifest: Manifest | Index
    moved: tuple[Moved, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much of an image is copied, and under which names."""

    whole_index: bool = False
    """Every image of an index, not the one that a mesh takes."""
    referrers: bool = False
    """What refers to the image too: signatures, bills of material."""
    tags: Sequence[str] = ()
    """Further tags at the destination."""


def take_image(reader: ImageReader, subject: str, notice: Notice) -> Manifest:
    """The image, or of an index the one a mesh takes.

    :raises BadArtifact: an index without linux/amd64
    """
    top, image = mesh_image(reader)
    if image is None:
        raise BadArtifact(f"{subject}: an index without a linux/amd64 image")
    if image.body_media_type and image.body_media_type != image.media_type:
        raise BadArtifact(
            f"{subject}: the manifest was served as {image.media_type}, but says that it is "
            f"{image.body_media_type}"
        )
    if image is not top:
        notice(f"{subject}: an index; taking its linux/amd64 image {image.digest}")
    return image


def pull_image(
    source: NamePlace,
    destination: Place | None,
    options: RegistryOptions,
    *,
    force: bool = False,
    notice: Notice,
    progress: Progress | None = None,
) -> Copied:
    """Registry to local store, or to a place; every byte is verified."""
    remote = NamePlace(source.reference.with_default_tag(), remote=True)
    if destination is not None and not isinstance(destination, NamePlace):
        return copy_image(
            remote, destination, options, force=force, notice=notice, progress=progress
        )
    reader = open_reader(remote, options, notice)
    manifest = take_image(reader, str(source), notice)
    name = destination.reference if destination else remote.reference
    with local_writer() as writer:
        moved = transfer(reader, manifest, writer, [name.full], progress)
    return Copied(manifest=manifest, moved=moved)


def copy_image(
    source: Place,
    destination: Place,
    options: RegistryOptions,
    *,
    extent: Extent | None = None,
    force: bool = False,
    notice: Notice,
    progress: Progress | None = None,
) -> Copied:
    """Any place to any place, bytes and digest unchanged (a name as destination: its registry)."""
    extent = extent or Extent()
    reader = open_reader(source, source_options(source, destination, options), notice)
    top = reader.get() if extent.whole_index else take_image(reader, str(source), notice)
    with open_writer(
        destination, options, top.digest, force=force, notice=notice, tags=extent.tags,
        source=registry_name(source),
    ) as writer:  # fmt: skip
        names = [*names_at(destination), *extent.tags]
        moved = transfer_all(
            reader, top, writer, names, referrers=extent.referrers, progress=progress
        )
    return Copied(manifest=top, moved=moved)


def extract_image(
    image: Place, directory: Path, options: RegistryOptions, *, force: bool, notice: Notice
) -> list[Path]:
    """Write ``plugin.wasm`` and, where there is one, ``runtime-config.json``.

    :raises WouldOverwrite: a file of that name has other content
    :raises BadArtifact: no module in the image
    """
    reader = kept(open_reader(image, options, notice))
    manifest = take_image(reader, str(image), notice)
    contents = read_contents(manifest, reader.layers)
    if contents.module is None:
        raise BadArtifact(
            f"{image}: no plugin.wasm in this image",
            hint=f"wasmpack repack {image} DESTINATION finds modules of other names and places",
        )
    files = {PLUGIN_FILE: contents.module}
    if contents.runtime_config is not None:
        files[RUNTIME_CONFIG_FILE] = contents.runtime_config
    for name, data in files.items():
        path = directory / name
        if not force and os.path.lexists(path) and not _is_same(path, data):
            raise WouldOverwrite(f"{path}: exists with other content", hint="--force replaces it")
    for name, data in files.items():
        write_inside(directory, name, [data])
    return [directory / name for name in files]


def _is_same(path: Path, data: bytes) -> bool:
    """A file with these bytes; a link to one is something else."""
    if path.is_symlink():
        return False
    with contextlib.suppress(BadArtifact), explained(path), open_regular(path) as file:
        return file.read(len(data) + 1) == data
    return False
