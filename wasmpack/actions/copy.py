"""From any place to any other, bytes unchanged; and the files out of an image."""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wasmpack.errors import BadArtifact, WouldOverwrite
from wasmpack.files.directories import explained, open_regular, write_inside
from wasmpack.images.image import Image
from wasmpack.images.opening import open_image
from wasmpack.images.transfer import transfer
from wasmpack.images.writing import Written, local_writer, write_image
from wasmpack.oci.media_types import PLUGIN_FILE, RUNTIME_CONFIG_FILE
from wasmpack.oci.place import NamePlace, Place
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.stores.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyScope:
    """How much of an image to copy, and under which names."""

    whole_index: bool = False
    """Copy every image of an index, not just the one that a mesh pulls."""
    referrers: bool = False
    """Copy signatures, bills of materials and other referrers too."""
    tags: Sequence[str] = ()
    """Further tags at the destination."""


def pull_image(
    source: NamePlace,
    destination: Place | None = None,
    session: Session | None = None,
    *,
    force: bool = False,
) -> Written:
    """Copy from a registry to the local store or another place; every byte is verified."""
    session = session or Session()
    remote = NamePlace(source.reference.with_default_tag(), remote=True)
    if destination is not None and not isinstance(destination, NamePlace):
        return copy_image(remote, destination, session, force=force)
    image = open_image(remote, session)
    manifest = image.alone(session.notice)
    place = destination or NamePlace(remote.reference)
    with local_writer() as writer:
        moved = transfer(image, manifest, writer, [place.reference.full], session.progress)
    return Written(places=(place,), image=image, manifest=manifest, moved=moved)


def copy_image(
    source: Place,
    destination: Place,
    session: Session | None = None,
    *,
    scope: CopyScope | None = None,
    force: bool = False,
) -> Written:
    """Copy from any place to any other, bytes and digest unchanged; a name means its registry.

    :raises WouldOverwrite: another image is there, and ``force`` is not given
    """
    session, scope = session or Session(), scope or CopyScope()
    image = open_image(source, session.reading(source, destination))
    top = image.top if scope.whole_index else image.alone(session.notice)
    return write_image(
        image,
        destination,
        session,
        top=top,
        tags=scope.tags,
        referrers=scope.referrers,
        force=force,
        source=source,
    )


def extract_image(image: Image, directory: Path, session: Session, *, force: bool) -> list[Path]:
    """Write ``plugin.wasm`` and, where there is one, ``runtime-config.json``.

    :raises WouldOverwrite: a file of that name has other content
    :raises BadArtifact: no module in the image
    """
    files = {PLUGIN_FILE: extract_module(image, session).data}
    if image.contents.runtime_config is not None:
        files[RUNTIME_CONFIG_FILE] = image.contents.runtime_config
    for name, data in files.items():
        path = directory / name
        if not force and os.path.lexists(path) and not _is_same(path, data):
            raise WouldOverwrite(f"{path}: exists with other content", hint="--force replaces it")
    for name, data in files.items():
        write_inside(directory, name, [data])
    return [directory / name for name in files]


def extract_module(image: Image, session: Session) -> PluginModule:
    """The plugin of an image.

    :raises BadArtifact: no module in the image
    """
    image.alone(session.notice)
    contents = image.contents
    if contents.module is None:
        raise BadArtifact(
            f"{image.reference}: no plugin.wasm in this image",
            hint=f"wasmpack repack {image.reference} DESTINATION finds modules of other names and "
            "places",
        )
    if contents.damage:
        session.notice(f"{contents.damage}; meshes read no further either")
    return contents.module


def _is_same(path: Path, data: bytes) -> bool:
    """True for a file with these bytes; a link to one does not count."""
    if path.is_symlink():
        return False
    with contextlib.suppress(BadArtifact), explained(path), open_regular(path) as file:
        return file.read(len(data) + 1) == data
    return False
