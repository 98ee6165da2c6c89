"""An OCI image layout in one tar file: read in place, written whole."""

import contextlib
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from wasmpack.errors import BadArtifact, NotFound, Notice, WouldOverwrite
from wasmpack.files.directories import TEMPORARY, explained, open_regular
from wasmpack.files.outputs import check_named, named_output
from wasmpack.oci.canonical import parse_json_object
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import MAX_MANIFEST, Index, Manifest, parse
from wasmpack.stores.index_json import Entry, find_entry, parse_entries, referring
from wasmpack.stores.layout import Layout
from wasmpack.stores.ports import ImageReader
from wasmpack.stores.tar_files import Slice, Span, find_files
from wasmpack.stores.verified import VerifiedStream


class ArchiveReader(ImageReader):
    """One image of an archive (:class:`wasmpack.stores.ports.ImageReader`)."""

    source = "archive"

    def __init__(self, path: Path, tag: str | None, digest: Digest | None = None) -> None:
        """Find the image in the file.

        :raises NotFound: no such file, or no such image in it
        :raises BadArtifact: no tar, or no image layout in it
        """
        self._path = path
        self._referrers: dict[Digest, list[Descriptor]] | None = None
        self._spans = _spans(path)
        self._descriptor = find_entry(_entries(path, self._spans), tag, digest, str(path))

    def get(self, descriptor: Descriptor | None = None) -> Manifest | Index:
        descriptor = descriptor or self._descriptor
        with VerifiedStream(self.open_blob(descriptor), descriptor) as stream:
            if descriptor.size > MAX_MANIFEST:
                raise BadArtifact(f"{self._path}: a manifest of {descriptor.size} bytes")
            return parse(b"".join(stream.chunks()), descriptor.media_type)

    def open_blob(self, descriptor: Descriptor) -> Slice:
        digest = descriptor.digest
        span = self._spans.get(f"blobs/{digest.algorithm}/{digest.hex}")
        if span is None:
            raise NotFound(f"{self._path}: blob {digest} of the image is missing")
        return _open(self._path, span)

    def read_at(self, descriptor: Descriptor, offset: int, size: int) -> bytes:
        with contextlib.closing(self.open_blob(descriptor)) as file:
            file.skip(offset)
            return file.read(size)

    def referrers(self, digest: Digest) -> Sequence[Descriptor]:
        if self._referrers is None:
            entries = [entry.descriptor for entry in _entries(self._path, self._spans)]
            self._referrers = referring(entries, self.get)
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
        held = _entries(path, _spans(path))
    held = tuple(entry for entry in held if not entry.refers)
    if [(e.name, e.descriptor.digest) for e in held] != [(name, digest) for name in names]:
        what = ", ".join(f"{e.name or 'no tag'} {e.descriptor.digest}" for e in held)
        raise WouldOverwrite(
            f"{path}: this file holds {what or 'no image layout'}", hint="--force replaces it"
        )


def _entries(path: Path, spans: Mapping[str, Span]) -> tuple[Entry, ...]:
    span = spans.get("index.json")
    if span is None:
        raise BadArtifact(
            f"{path}: no OCI image layout in this tar (index.json is missing)",
            hint="an archive of docker save is none: docker load it and use docker-daemon:NAME",
        )
    if span.size > MAX_MANIFEST:
        raise BadArtifact(f"{path}: index.json has {span.size} bytes")
    with contextlib.closing(_open(path, span)) as file:
        return parse_entries(parse_json_object(file.read(), f"{path}: index.json"))


def _spans(path: Path) -> dict[str, Span]:
    with explained(path), open_regular(path) as file:
        return find_files(file, str(path))


def _open(path: Path, span: Span) -> Slice:
    with explained(path):
        return Slice(open_regular(path), span, owned=True)


def _pack(root: Path, target: BinaryIO) -> None:
    with tarfile.open(fileobj=target, mode="w|", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(p for p in root.rglob("*") if p.is_file()):
            entry = tarfile.TarInfo(path.relative_to(root).as_posix())
            entry.size = path.stat().st_size
            entry.mode = 0o644
            with path.open("rb") as file:
                tar.addfile(entry, file)
