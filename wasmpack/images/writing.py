"""From an image to a place, and what became of it."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

from wasmpack.errors import DigestMismatch
from wasmpack.files.home import expanded
from wasmpack.files.outputs import is_stdout
from wasmpack.findings import Report
from wasmpack.images.image import Image, layer_json, variant_of
from wasmpack.images.opening import refuse_path
from wasmpack.images.transfer import Moved, transfer_all
from wasmpack.images.variants import Variant
from wasmpack.oci import media_types as mt
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.oci.place import (
    STREAM,
    ArchivePlace,
    DaemonPlace,
    LayoutPlace,
    NamePlace,
    Place,
    pinned,
)
from wasmpack.oci.reference import Reference
from wasmpack.stores.layout import Layout
from wasmpack.stores.local import LayoutWriter, open_store
from wasmpack.stores.ports import ImageWriter
from wasmpack.stores.session import Session, registry_name

_DOCKER = {mt.DOCKER_MANIFEST, mt.DOCKER_LIST}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An image, the places it is at now, and what moved on the way."""

    places: tuple[Place, ...]
    """The first one first."""
    image: Image
    """The image that was written."""
    manifest: Manifest | Index
    """The manifest or index that the places name."""
    moved: tuple[Moved, ...] = ()
    """One row for each blob; empty where nothing was sent."""
    report: Report | None = None
    """None if it was not validated."""
    replaced: Digest | None = None
    """The other digest that the first place had before, as far as it is known."""

    @property
    def digest(self) -> Digest:
        """The digest that the places name, for those that keep it."""
        return self.manifest.digest

    @property
    def named(self) -> str:
        """``NAME@DIGEST``, of the first place."""
        return str(pinned(self.places[0], self.digest))

    @property
    def others(self) -> Sequence[str]:
        """The same of all other places."""
        return [str(pinned(place, self.digest)) for place in self.places[1:]]

    @property
    def _blobs(self) -> Sequence[Descriptor]:
        if isinstance(self.manifest, Index):
            return [row.descriptor for row in self.moved]
        return self.manifest.blobs

    def as_json(self) -> dict[str, object]:
        """The contract's shape of ``build`` and ``push --format json``."""
        image = None if isinstance(self.manifest, Index) else self.manifest
        return {
            "schemaVersion": 1,
            "reference": str(self.places[0]),
            "digest": str(self.digest),
            "size": len(self.manifest.raw) + sum(blob.size for blob in self._blobs),
            "variant": (variant_of(image) if image else Variant.UNKNOWN).value,
            "layers": [layer_json(layer) for layer in image.layers] if image else [],
            "pushed": [blob.as_json() for blob in self.moved],
            "findings": [f.as_json() for f in (self.report.findings if self.report else ())],
            "references": [str(place) for place in self.places],
        }


def write_image(
    image: Image,
    place: Place,
    session: Session,
    *,
    top: Manifest | Index | None = None,
    tags: Sequence[str] = (),
    referrers: bool = False,
    force: bool = False,
    source: Place | None = None,
) -> Written:
    """Write an image to a place, bytes unchanged; a name means its registry.

    :param top: what of it is written; by default what its reference names, with all below
    :param tags: further names there
    :param referrers: also what refers to it: signatures, bills of material
    :param source: where it comes from: of the same registry, its blobs may be mounted
    :param force: replace another image in a layout or archive; to a registry, send everything
    :raises WouldOverwrite: another image is there, and ``force`` is not given
    """
    top = top or image.top
    if isinstance(place, LayoutPlace | ArchivePlace) and top.media_type in _DOCKER:
        session.notice(
            f"{place}: a Docker manifest in an OCI layout, which skopeo and umoci do not find; "
            "--variant compat is the same for a mesh"
        )
    with open_writer(
        place, session, top.digest, force=force, tags=tags, source=registry_name(source)
    ) as writer:
        moved = transfer_all(
            image,
            top,
            writer,
            [*names_at(place), *tags],
            referrers=referrers,
            progress=session.progress,
            notice=session.notice,
        )
        before = [writer.replaced.get(name or "") for name in names_at(place)]
    return Written(
        places=(place,),
        image=image,
        manifest=top,
        moved=moved,
        replaced=next(filter(None, before), None),
    )


@contextlib.contextmanager
def local_writer() -> Iterator[ImageWriter]:
    """The local store, locked against pruning while the block runs."""
    store = open_store()
    with store.writing():
        yield LayoutWriter(store)


@contextlib.contextmanager
def open_writer(
    place: Place,
    session: Session,
    digest: Digest,
    *,
    force: bool,
    tags: Sequence[str] = (),
    source: Reference | None = None,
) -> Iterator[ImageWriter]:
    """The writer of images to a place.

    :param digest: of the manifest that will be written
    :param tags: further names that it will get there
    :param source: a registry that it comes from
    :raises WouldOverwrite: another image is there, and ``force`` is not given
    """
    match place:
        case NamePlace():
            refuse_path(place)
            yield registry_writer(place.reference, session, digest, source, force=force)
        case LayoutPlace():
            layout = Layout.create(expanded(place.path))
            if not force:
                layout.index.check_names([place.tag, *tags], digest)
            with layout.writing():
                yield LayoutWriter(layout, force=force)
        case ArchivePlace():
            from wasmpack.stores.archive import archive_layout, check_archive

            path = _archive_target(place)
            if not force:
                check_archive(path, [place.tag, *tags], digest)
            with archive_layout(path, session.notice) as layout:
                yield LayoutWriter(layout)
        case DaemonPlace():
            from wasmpack.stores.daemon import DaemonWriter

            session.notice(
                f"{place}: the Docker engine writes its own manifest, so the digest there "
                "may differ"
            )
            writer = DaemonWriter(place.reference)
            yield writer
            writer.load()
        case _:
            assert_never(place)


def registry_writer(
    reference: Reference,
    session: Session,
    digest: Digest,
    source: Reference | None = None,
    *,
    force: bool = False,
) -> ImageWriter:
    """Push to a repository.

    :param source: where the image comes from; of the same registry, its blobs are mounted
    :param force: send everything, whatever is there
    :raises DigestMismatch: the name has another digest than the image
    """
    from wasmpack.stores.registry.repository import RegistryWriter

    if reference.digest not in {None, digest}:
        raise DigestMismatch(f"{reference}: the image's digest is {digest}")
    mount_from = ""
    if source is not None and not force and source.registry == reference.registry:
        mount_from = source.repository if source.repository != reference.repository else ""
    return RegistryWriter(
        reference, session.writing, session.notice, mount_from=mount_from, force=force
    )


def names_at(place: Place) -> list[str | None]:
    """Under which names the manifest is written at this place."""
    if isinstance(place, LayoutPlace | ArchivePlace):
        return [place.tag]
    return [place.reference.written_as]


def tagged(place: NamePlace, tag: str) -> NamePlace:
    """The same repository under another tag."""
    return replace(place, reference=place.reference.with_tag(tag))


def goes_to_stdout(place: Place | None) -> bool:
    """True if an image written there takes standard output."""
    return isinstance(place, ArchivePlace) and is_stdout(_archive_target(place))


def _archive_target(place: ArchivePlace) -> Path:
    return Path("/dev/stdout") if place.path == STREAM else expanded(place.path)
