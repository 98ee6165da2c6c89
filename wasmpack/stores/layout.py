"""An OCI image-layout directory (image-spec, image-layout.md), safe for several processes.

Blobs are written whole and renamed; ``index.json`` is replaced under a lock. A process killed at
any point leaves a layout that reads as before, at worst with a blob that nothing names. After a
power failure a blob may be damaged: its digest tells, and it is fetched or built again.
"""

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
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
from wasmpack.oci.canonical import MAX_JSON, JsonObject, canonical_json, parse_json_object
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import MAX_MANIFEST, Index, Manifest, artifact_type, known_type, parse
from wasmpack.stores.index_json import (
    Entry,
    find_entry,
    index_json,
    index_row,
    index_rows,
    is_referrer,
    parse_entries,
    referring,
    row_name,
)
from wasmpack.stores.verified import Body, VerifiedStream

_MARK = canonical_json({"imageLayoutVersion": "1.0.0"})
_OURS = {"blobs", "index.json", "oci-layout", "verdicts"}
"""What another process that makes the same layout may have written by now."""


class Layout:
    """A layout directory that exists.

    Names are the values of ``org.opencontainers.image.ref.name``: tags in a layout of the user's,
    full image names in the local store.
    """

    def __init__(self, root: Path, *, private: bool = False) -> None:
        """:param private: no other process knows of it, so it needs no locks."""
        self.root = root
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
        with layout._locked():
            if not (root / "index.json").is_file():
                write_inside(root, "index.json", [index_json([])])
            if not (root / "oci-layout").is_file():
                write_inside(root, "oci-layout", [_MARK])
        return layout

    @classmethod
    def open(cls, root: Path) -> "Layout":
        """An existing layout.

        :raises NotFound: no such directory, or one that is no layout
        """
        for name in ("oci-layout", "index.json"):
            with explained(root):
                found = (root / name).is_file()
            if not found:
                raise NotFound(f"{root}: no OCI image layout here ({name} is missing)")
        return cls(root)

    def entries(self) -> tuple[Entry, ...]:
        """All images by name, in the order of ``index.json``."""
        return parse_entries(self._index())

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
        return parse(raw, descriptor.media_type)

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
        """Whether the blob is there with the right bytes; a damaged one counts as missing."""
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
        with self._locked("blobs", shared=True):
            yield

    def put_manifest(
        self, manifest: Manifest | Index, names: Sequence[str | None], *, force: bool = True
    ) -> None:
        """Write a manifest and let the names point at it.

        :param names: None is the nameless image, of which a layout has one at most
        :param force: a name that points at another image is moved
        :raises WouldOverwrite: it does, and ``force`` is not given; nothing is changed
        """
        descriptor = manifest.descriptor

        def change(entries: list[JsonObject]) -> list[JsonObject]:
            if not force:
                self._refuse_overwrite(entries, names, descriptor.digest)
            kept = [
                value for value in entries if is_referrer(value) or row_name(value) not in names
            ]
            return [*kept, *(index_row(descriptor, name) for name in names)]

        self._write_blob(descriptor.digest, [manifest.raw])
        if names:
            self._change(change)

    def list_referrer(self, manifest: Manifest | Index) -> None:
        """Name a manifest in ``index.json`` without a tag, marked as one that refers to another."""
        own = {
            **manifest.descriptor.as_json(),
            "artifactType": artifact_type(manifest),
        }

        def change(entries: list[JsonObject]) -> list[JsonObject]:
            there = any(value.get("digest") == own["digest"] for value in entries)
            return entries if there else [*entries, own]

        self._change(change)

    def check_names(self, names: Sequence[str | None], digest: Digest) -> None:
        """:raises WouldOverwrite: one of the names belongs to another image."""
        self._refuse_overwrite(index_rows(self._index()), names, digest)

    def untag(self, names: Collection[str]) -> None:
        """Take names away, all at once; the blobs stay until :meth:`prune`."""
        gone = frozenset(names)
        self._change(lambda entries: [v for v in entries if row_name(v) not in gone])

    def prune(self) -> tuple[int, int]:
        """Delete blobs that no image names; returns how many files, and how many bytes."""
        with self._locked("blobs"), explained(self.root):
            keep = self._reachable()
            freed = delete_below(self.root, "blobs", keep)
        with self._locked(), explained(self.root), os.scandir(self.root) as found:
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

    def _refuse_overwrite(
        self, entries: Sequence[JsonObject], names: Sequence[str | None], digest: Digest
    ) -> None:
        for value in entries:
            named = row_name(value) in names and not is_referrer(value)
            if named and value.get("digest") != str(digest):
                what = row_name(value) or "the image without a tag"
                raise WouldOverwrite(
                    f"{self.root}: {what} is another image there ({value.get('digest')})",
                    hint="--force replaces it; another tag keeps both",
                )

    def _change(self, change: Callable[[list[JsonObject]], list[JsonObject]]) -> None:
        with self._locked():
            index = self._index()
            index["manifests"] = list(change(index_rows(index)))
            write_inside(self.root, "index.json", [canonical_json(index)])

    def _locked(
        self, name: str = "", *, shared: bool = False
    ) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext() if self._private else locked(self.root, name, shared=shared)

    def _index(self) -> JsonObject:
        path = self.root / "index.json"
        with explained(path):
            try:
                with open_regular(path) as file:
                    raw = file.read(MAX_JSON + 1)
            except FileNotFoundError:
                raise NotFound(f"{path}: no OCI image layout here") from None
        return parse_json_object(raw, str(path))

    def blob_path(self, digest: Digest) -> Path:
        """Where a blob lies, or would."""
        return self.root / _blob_name(digest)

    def _write_blob(self, digest: Digest, pieces: Iterable[bytes]) -> None:
        write_inside(self.root, _blob_name(digest), pieces, durable=False)


def _blob_name(digest: Digest) -> str:
    return f"blobs/{digest.algorithm}/{digest.hex}"


def _has_foreign_files(root: Path) -> bool:
    """Whether a directory holds what no process that makes a layout there would write."""
    names = {path.name for path in root.iterdir()} if root.exists() else set()
    return any(name not in _OURS and not name.startswith(TEMPORARY) for name in names)
