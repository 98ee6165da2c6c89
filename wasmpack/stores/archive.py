"""An OCI image layout in one tar file: read in place, written whole."""

import contextlib
import os
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from wasmpack.errors import BadArtifact, NotFound, Notice, WouldOverwrite
from wasmpack.files.directories import TEMPORARY, explained
from wasmpack.files.outputs import check_named, named_output
from wasmpack.oci.canonical import parse_json_object
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import MAX_MANIFEST, Index, Manifest, parse
from wasmpack.stores.archive_file import ArchiveFile
from wasmpack.stores.index_json import INDEX, Entry, find_entry, parse_entries, referring
from wasmpack.stores.layout import Layout
from wasmpack.stores.names import not_one
from wasmpack.stores.ports import ImageReader
from wasmpack.stores.saved import SavedImage, SavedReader
from wasmpack.stores.tar_files import Slice
from wasmpack.stores.verified import VerifiedStream


def open_archive(path: Path, tag: str | None, digest: Digest | None = None) -> ImageReader:
    """Find an image in an archive: an image layout, or what ``docker save`` writes.

    :raises NotFound: no such file, or no such image in it
    :raises BadArtifact: no tar, or no image in it
    """
    archive = ArchiveFile(path)
    if INDEX in archive or "manifest.json" not in archive:
        return ArchiveReader(archive, tag, digest)
    image = SavedImage(archive.file, archive.what, tag)
    if digest not in {None, image.manifest.digest}:
        raise not_one(archive.what, str(digest), (), [str(image.manifest.digest)])
    return SavedReader(image, archive.what, "archive")


class ArchiveReader(ImageReader):
    """One image of a layout in a tar (:class:`wasmpack.stores.ports.ImageReader`)."""

    source = "archive"

    def __init__(self, archive: ArchiveFile, tag: str | None, digest: Digest | None = None) -> None:
        """Find the image in the file.

        :raises NotFound: no such image in it
        :raises BadArtifact: no image layout in it
        """
        self._archive = archive
        self._referrers: dict[Digest, list[Descriptor]] | None = None
        self._entries = _entries(archive)
        self._descriptor = find_entry(self._entries, tag, digest, archive.what)

    def get(self, descriptor: Descriptor | None = None) -> Manifest | Index:
        return _manifest(self._archive, descriptor or self._descriptor)

    def open_blob(self, descriptor: Descriptor) -> Slice:
        return _blob(self._archive, descriptor)

    def read_at(self, descriptor: Descriptor, offset: int, size: int) -> bytes:
        file = self.open_blob(descriptor)
        file.skip(offset)
        return file.read(size)

    def referrers(self, digest: Digest) -> Sequence[Descriptor]:
        if self._referrers is None:
            self._referrers = referring([entry.descriptor for entry in self._entries], self.get)
        return self._referrers.get(digest, [])


@contextlib.contextmanager
def archive_layout(path: Path, notice: Notice) -> Iterator[Layout]:
    """A layout to fill; when the block ends well, it becomes the tar file, whole.

    The same image gives the same bytes: entries are sorted and carry no time or owner. A pipe is
    opened before anything is done, so that one that nobody reads ends the work at once.
    """
    with explained(path):
        if not os.path.lexists(path):
            path.parent.mkdir(parents=True, exist_ok=True)
    target = check_named(path)
    with named_output(path, notice) as file, _work_directory(target) as directory:
        layout = Layout.create(Path(directory) / "layout", private=True)
        yield layout
        with explained(path):
            _pack(layout.root, file)


def _work_directory(target: Path | None) -> "tempfile.TemporaryDirectory[str]":
    """On the disk that will hold the archive, or where temporary files go."""
    if target is not None:
        with contextlib.suppress(OSError):
            return tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=target.parent)
    return tempfile.TemporaryDirectory(prefix=TEMPORARY)


def check_archive(path: Path, names: Sequence[str | None], digest: Digest) -> None:
    """:raises WouldOverwrite: the file holds another image."""
    if not path.exists() or check_named(path) is None:
        return
    held: tuple[Entry, ...] = ()
    with contextlib.suppress(BadArtifact):
        held = _entries(ArchiveFile(path))
    held = tuple(entry for entry in held if not entry.refers)
    if [(e.name, e.descriptor.digest) for e in held] != [(name, digest) for name in names]:
        what = ", ".join(f"{e.name or 'no tag'} {e.descriptor.digest}" for e in held)
        raise WouldOverwrite(
            f"{path}: this file holds {what or 'no image layout'}", hint="--force replaces it"
        )


def _entries(archive: ArchiveFile) -> tuple[Entry, ...]:
    if INDEX not in archive:
        raise BadArtifact(f"{archive.what}: no image in this tar (index.json is missing)")
    index = parse_json_object(archive.small(INDEX), f"{archive.what}: {INDEX}")
    return parse_entries(index, lambda descriptor: _manifest(archive, descriptor))


def _manifest(archive: ArchiveFile, descriptor: Descriptor) -> Manifest | Index:
    if descriptor.size > MAX_MANIFEST:
        raise BadArtifact(f"{archive.what}: a manifest of {descriptor.size} bytes")
    with VerifiedStream(_blob(archive, descriptor), descriptor) as stream:
        return parse(b"".join(stream.chunks()), descriptor.media_type)


def _blob(archive: ArchiveFile, descriptor: Descriptor) -> Slice:
    digest = descriptor.digest
    name = f"blobs/{digest.algorithm}/{digest.hex}"
    if name not in archive:
        raise NotFound(f"{archive.what}: blob {digest} of the image is missing")
    return archive.open(name)


def _pack(root: Path, target: BinaryIO) -> None:
    with tarfile.open(fileobj=target, mode="w|", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(p for p in root.rglob("*") if p.is_file()):
            entry = tarfile.TarInfo(path.relative_to(root).as_posix())
            entry.size = path.stat().st_size
            entry.mode = 0o644
            with path.open("rb") as file:
                tar.addfile(entry, file)
