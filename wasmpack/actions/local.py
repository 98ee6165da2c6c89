"""The images of the local store, and their names."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from wasmpack.errors import NotFound, WrongUsage
from wasmpack.images.image import Image, variant_of
from wasmpack.images.parts import UNREADABLE
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.oci.reference import Reference
from wasmpack.stores.index_json import Entry
from wasmpack.stores.layout import Layout
from wasmpack.stores.local import (
    LayoutReader,
    find_local,
    has_store,
    open_store,
    store_path,
)
from wasmpack.stores.store_names import Named, StoreNames, shown_name

Key = tuple[Digest, int, str]
"""Digest, size and media type of a manifest: a layout says of any bytes what it likes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalImage:
    """One name of the local store."""

    name: str
    """``REPOSITORY:TAG``, or ``<none>``."""
    digest: Digest
    """The digest of the manifest or index."""
    variant: str
    """``oci``, ``compat`` and so on; ``index``, or ``damaged``."""
    size: int
    """Bytes of the manifest and its blobs."""
    created: str | None = None
    """RFC 3339, if the image says so."""

    def as_json(self) -> dict[str, object]:
        """The shape of one row of ``list --format json``."""
        return {
            "reference": self.name,
            "digest": str(self.digest),
            "variant": self.variant,
            "size": self.size,
            "created": self.created,
        }


def list_local() -> list[LocalImage]:
    """List every name, sorted; a damaged image is listed as such."""
    if not has_store():
        return []
    layout = Layout(store_path())
    known: dict[Key, LocalImage] = {}
    rows = [_row(layout, entry, known) for entry in layout.entries()]
    return sorted(rows, key=lambda row: row.name)


def tag_local(image: Reference, name: Reference) -> Digest:
    """Point a name at an image; return its digest.

    :raises NotFound: no such image
    """
    if name.digest is not None:
        raise WrongUsage(f"{name}: expected NAME[:TAG], not a digest")
    found = find_local(image.with_default_tag())
    if found is None:
        raise _missing(image)
    layout = open_store()
    with layout.writing():
        layout.put_manifest(layout.get(found), [name.full])
    return found.digest


def remove_local(texts: Sequence[str]) -> list[Named]:
    """Remove names, all at once, and delete what is no longer needed.

    :param texts: as :meth:`StoreNames.meant` reads them
    :raises NotFound: nothing is meant by one of them; then nothing is removed
    """
    found = Layout(store_path()).entries() if has_store() else ()
    removed = StoreNames(found).meant(texts)
    layout = open_store()
    layout.index.untag(removed)
    layout.prune()
    return [(replace(name, digest=None) if name.tag else name, d) for name, d in removed.values()]


def prune_local() -> tuple[int, int]:
    """Delete what no name needs, and the caches; return the number of files and bytes."""
    from wasmpack.actions.caches import clear_caches

    removed = [clear_caches()]
    if has_store():
        removed.append(open_store().prune())
    return sum(files for files, _ in removed), sum(size for _, size in removed)


def _row(layout: Layout, entry: Entry, known: dict[Key, LocalImage]) -> LocalImage:
    """:param known: of images that have other names too."""
    descriptor = entry.descriptor
    key = descriptor.digest, descriptor.size, descriptor.media_type
    if key not in known:
        known[key] = _looked_at(layout, descriptor)
    return replace(known[key], name=shown_name(entry.name or "<none>"))


def _looked_at(layout: Layout, descriptor: Descriptor) -> LocalImage:
    image = Image(LayoutReader(layout, descriptor, "local"), str(descriptor.digest))
    row = LocalImage(name="", digest=descriptor.digest, variant="damaged", size=descriptor.size)
    with contextlib.suppress(*UNREADABLE):
        top = image.top
        variant = "index" if isinstance(top, Index) else variant_of(top).value
        row = replace(row, variant=variant, size=row.size + _size_below(top))
        row = replace(row, created=image.created)
    return row


def _size_below(top: Manifest | Index) -> int:
    blobs = top.manifests if isinstance(top, Index) else top.blobs
    return sum(blob.size for blob in blobs)


def _missing(name: Reference) -> NotFound:
    return NotFound(f"{name}: not in the local store", hint="wasmpack list")
