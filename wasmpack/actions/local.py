"""The images of the local store, and their names."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from wasmpack.dry_run.code_cache import cache_path, clear_cache
from wasmpack.errors import BadArtifact, DigestMismatch, NotFound, WrongUsage
from wasmpack.files.owned import held
from wasmpack.images.image import variant_of
from wasmpack.images.variants import CREATED
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import Index
from wasmpack.oci.reference import Reference
from wasmpack.stores.index_json import Entry
from wasmpack.stores.layout import Layout
from wasmpack.stores.local import (
    find_local,
    forget_reports,
    has_store,
    names_of,
    open_store,
    reports_path,
    store_path,
)


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
    """Bytes of the manifest and what it names."""
    created: str | None
    """RFC 3339; None if the annotations name no date."""

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
    known: dict[tuple[Digest, int, str], _Facts] = {}
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


def remove_local(names: Sequence[Reference]) -> list[tuple[Reference, Digest]]:
    """Remove names, and delete what is no longer needed.

    :raises NotFound: one of the names is unknown; then none is removed
    """
    removed = {found.full: (found, digest) for name in names for found, digest in _meant(name)}
    layout = open_store()
    layout.index.untag(removed)
    layout.prune()
    return list(removed.values())


def _meant(name: Reference) -> list[tuple[Reference, Digest]]:
    """The name itself; for a digest, all names of its repository with that digest.

    :raises NotFound: not in the local store
    """
    tagged = name.with_default_tag()
    descriptor = find_local(tagged)
    if descriptor is None:
        raise _missing(name)
    if name.digest is None:
        return [(tagged, descriptor.digest)]
    found = [entry.name for entry in names_of(Layout(store_path()), name) if entry.name]
    return [(replace(Reference.parse(full), digest=None), name.digest) for full in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """A cache: what is known already, and need not be worked out again."""

    name: str
    """``verdicts`` or ``code``."""
    path: Path | None
    """Its directory, whether or not it exists; None if it is turned off."""
    files: int
    size: int
    """Bytes of all files."""

    def as_json(self) -> dict[str, object]:
        """One row of ``cache --format json``."""
        path = None if self.path is None else str(self.path)
        return {"name": self.name, "path": path, "files": self.files, "bytes": self.size}


def list_caches() -> list[Cache]:
    """Reports of images that were accepted, and compiled code."""
    found = []
    for name, path in (("verdicts", reports_path()), ("code", cache_path())):
        files, size = held(path) if path else (0, 0)
        found.append(Cache(name=name, path=path, files=files, size=size))
    return found


def clear_caches() -> tuple[int, int]:
    """Remove all that is cached: how many files, how many bytes. Images stay."""
    (files, size), (others, more) = clear_cache(), forget_reports()
    return files + others, size + more


def prune_local() -> tuple[int, int]:
    """Delete what no name needs, and the caches; return the number of files and bytes."""
    removed = [clear_caches()]
    if has_store():
        removed.append(open_store().prune())
    return sum(files for files, _ in removed), sum(size for _, size in removed)


class _Facts(NamedTuple):
    """Facts about an image, whatever its name."""

    variant: str
    size: int = 0
    created: str | None = None


def _row(layout: Layout, entry: Entry, known: dict[tuple[Digest, int, str], _Facts]) -> LocalImage:
    """:param known: facts of images that have other names too."""
    descriptor = entry.descriptor
    key = descriptor.digest, descriptor.size, descriptor.media_type
    if key not in known:
        known[key] = _facts(layout, descriptor)
    return LocalImage(
        name=(entry.name or "<none>").removeprefix("docker.io/library/"),
        digest=descriptor.digest,
        variant=known[key].variant,
        size=known[key].size,
        created=known[key].created,
    )


def _facts(layout: Layout, descriptor: Descriptor) -> _Facts:
    try:
        found = layout.get(descriptor)
    except (NotFound, DigestMismatch, BadArtifact):
        return _Facts("damaged")
    if isinstance(found, Index):
        return _Facts("index", len(found.raw))
    size = len(found.raw) + sum(blob.size for blob in found.blobs)
    return _Facts(variant_of(found).value, size, found.annotations.get(CREATED))


def _missing(name: Reference) -> NotFound:
    return NotFound(f"{name}: not in the local store", hint="wasmpack list")
