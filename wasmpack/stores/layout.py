"""An OCI image-layout directory (image-spec, image-layout.md), safe for several processes.

Blobs are written whole and renamed; ``index.json`` is replaced under a lock. A process killed at
any point leaves a layout that reads as before, at worst with a blob that nothing names. After a
power failure a blob may be damaged: its digest tells, and it is fetched or built again.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from wasmpack.errors import BadArtifact, DigestMismatch, NotFound, WouldOverwrite
from wasmpack.files.directories import (
    TEMPORARY,
    delete_below,
    explained,
    inside,
    locked,
    open_regular,
    write_inside,
)
from wasmpack.oci.canonical import canonical_json
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import MAX_MANIFEST, Index, Manifest, known_type, parse
from wasmpack.stores.index_json import (
    INDEX,
    Entry,
    IndexFile,
    empty_index,
    find_entry,
    referring,
)
from wasmpack.stores.verified import Body, VerifiedStream

_MARK = canonical_json({"imageLayoutVersion": "1.0.0"})
_OURS = {"blobs", INDEX, "oci-layout", "verdicts"}
"""Names that another process may already have written into the same layout."""


class Layout:
    """A layout directory that exists.

    Names are the values of ``org.opencontainers.image.ref.name``: tags in a layout of the user's,
    full image names in the local store.
    """

    def __init__(self, root: Path, *, private: bool = False) -> None:
        """:param private: no other process knows of it, so it needs no locks."""
        self.root = root
        self.index = IndexFile(root, self.get, private=private)
        self._private = private

    @classmethod
    def create(cls, root: Path, *, private: bool = False) -> "Layout":
        """Make the directory a layout, or take the one that is there.

        :raises WouldOverwrite: a directory with other files in it, or no directory
        """
        with explained(root):
            if root.exists() and not root.is_dir():
                raise WouldOverwrite(f"{root}: a file, expected a directory")
            if _has_foreign_files(root) and not (root / "oci-layout").is_file():
                raise WouldOverwrite(
                    f"{root}: a directory with other files in it, no OCI image layout",
                    hint="choose a new or an empty directory",
                )
            with inside(root, "blobs/sha256", make=True):
                pass
        layout = cls(root, private=private)
        with layout.index.locked():
            if not (root / INDEX).is_file():
                write_inside(root, INDEX, [empty_index()])
            if not (root / "oci-layout").is_file():
                write_inside(root, "oci-layout", [_MARK])
        return layout

    @classmethod
    def open(cls, root: Path) -> "Layout":
        """An existing layout.

        :raises NotFound: no such directory, or not a layout
        """
        for name in ("oci-layout", INDEX):
            with explained(root):
                found = (root / name).is_file()
            if not found:
                raise NotFound(f"{root}: no OCI image layout here ({name} is missing)")
        return cls(root)

    def entries(self) -> tuple[Entry, ...]:
        """All images by name, in the order of ``index.json``."""
        return self.index.entries()

    def find(self, name: str | None, digest: Digest | None = None) -> Descriptor:
        """As :func:`find_entry`."""
        return find_entry(self.entries(), name, digest, str(self.root))

    def get(self, descriptor: Descriptor) -> Manifest | Index:
        """A manifest or index, verified."""
        if descriptor.size > MAX_MANIFEST:
            raise BadArtifact(f"{self.root}: a manifest of {descriptor.size} bytes")
        with self.open_blob(descriptor) as file:
            same_size = os.fstat(file.fileno()).st_size == descriptor.size
            raw = file.read(MAX_MANIFEST + 1) if same_size else b""
        if len(raw) != descriptor.size or not descriptor.digest.matches(raw):
            raise DigestMismatch(
                f"{self.blob_path(descriptor.digest)}: damaged, not the manifest it is named after",
                hint="build or pull the image again",
            )
        return parse(raw, descriptor.media_type, digest=descriptor.digest)

    def open_blob(self, descriptor: Descriptor) -> BinaryIO:
        """The blob's file.

        :raises NotFound: no such blob
        """
        path = self.blob_path(descriptor.digest)
        with explained(path):
            try:
                return open_regular(path)
            except FileNotFoundError:
                raise NotFound(
                    f"{path}: this blob of the image is missing",
                    hint="build or pull the image again",
                ) from None

    def read_at(self, descriptor: Descriptor, offset: int, size: int) -> bytes:
        """Some of a blob's bytes, not verified."""
        with self.open_blob(descriptor) as file:
            file.seek(offset)
            return file.read(size)

    def referrers(self) -> dict[Digest, list[Descriptor]]:
        """Manifests of this layout that have a subject, by its digest."""
        return referring([entry.descriptor for entry in self.entries()], self.get)

    def has_blob(self, descriptor: Descriptor) -> bool:
        """True if the blob is there with the right bytes; a damaged one counts as missing."""
        path = self.blob_path(descriptor.digest)
        if not path.is_file():
            return False
        try:
            with VerifiedStream(open_regular(path), descriptor) as stream:
                stream.drain()
        except (DigestMismatch, BadArtifact):
            return False
        return True

    def put_blob(self, descriptor: Descriptor, body: Body) -> None:
        """Write a blob under its digest."""
        with body() as stream:
            self._write_blob(descriptor.digest, stream.chunks())

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Held from the first blob to the name: keeps :meth:`prune` away meanwhile."""
        with self._locked(shared=True):
            yield

    def put_manifest(
        self, manifest: Manifest | Index, names: Sequence[str | None], *, force: bool = True
    ) -> None:
        """Write a manifest and let the names point at it.

        :param names: None is the nameless image, of which a layout has one at most
        :param force: a name that points at another image is moved
        :raises WouldOverwrite: it does, and ``force`` is not given; nothing is changed
        """
        self._write_blob(manifest.digest, [manifest.raw])
        if names:
            self.index.name(manifest.descriptor, names, force=force)

    def prune(self) -> tuple[int, int]:
        """Delete blobs that no image names; returns how many files, and how many bytes."""
        with self._locked(), explained(self.root):
            keep = self._reachable()
            freed = delete_below(self.root, "blobs", keep)
        with self.index.locked(), explained(self.root), os.scandir(self.root) as found:
            for file in list(found):
                if file.name.startswith(TEMPORARY) and not file.is_dir(follow_symlinks=False):
                    Path(file.path).unlink(missing_ok=True)
        return len(freed), sum(freed)

    def _reachable(self) -> set[str]:
        keep: set[str] = set()
        seen: set[tuple[Digest, int, str]] = set()
        waiting = [entry.descriptor for entry in self.entries()]
        while waiting:
            descriptor = waiting.pop()
            keep.add(descriptor.digest.hex)
            key = descriptor.digest, descriptor.size, known_type(descriptor.media_type)
            if key in seen:
                continue
            seen.add(key)
            try:
                found = self.get(descriptor)
            except (NotFound, DigestMismatch, BadArtifact):
                continue
            if isinstance(found, Index):
                waiting.extend(found.manifests)
            else:
                keep.update(blob.digest.hex for blob in found.blobs)
        return keep

    def _locked(self, *, shared: bool = False) -> contextlib.AbstractContextManager[None]:
        """Against pruning."""
        if self._private:
            return contextlib.nullcontext()
        return locked(self.root, "blobs", shared=shared)

    def blob_path(self, digest: Digest) -> Path:
        """The path of a blob, whether or not it is there."""
        return self.root / _blob_name(digest)

    def _write_blob(self, digest: Digest, pieces: Iterable[bytes]) -> None:
        write_inside(self.root, _blob_name(digest), pieces, durable=False)


def _blob_name(digest: Digest) -> str:
    return f"blobs/{digest.algorithm}/{digest.hex}"


def _has_foreign_files(root: Path) -> bool:
    """True if a directory holds what no process that makes a layout there would write."""
    names = {path.name for path in root.iterdir()} if root.exists() else set()
    return any(name not in _OURS and not name.startswith(TEMPORARY) for name in names)
