"""A tar with an image in it, as somebody hands it over: plain, compressed, or through a pipe."""

import tempfile
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from wasmpack.errors import BadArtifact, NotFound, WasmpackError
from wasmpack.files.directories import explained, open_regular
from wasmpack.files.inputs import is_pipe, read_named
from wasmpack.oci.decompress import decompressed
from wasmpack.oci.gunzip import UnreadableLayer
from wasmpack.oci.manifest import MAX_MANIFEST
from wasmpack.oci.stream import Compression
from wasmpack.stores.tar_files import Slice, find_files
from wasmpack.stores.verified import CHUNK

_LIMIT = 1 << 30
"""Most bytes of an archive that is compressed or comes through a pipe: it is kept in a temporary
file. As many as are taken out of the Docker engine."""


class ArchiveFile:
    """The files of an archive by their names; the file stays open as long as this is there."""

    def __init__(self, path: Path) -> None:
        """:raises NotFound: no such file
        :raises BadArtifact: not a tar, or one that is damaged
        """
        self.what = str(path)
        with explained(path):
            self._file = _opened(path)
        weakref.finalize(self, self._file.close)
        self._spans = find_files(self._file, self.what)

    @property
    def file(self) -> BinaryIO:
        """The tar, unpacked."""
        self._file.seek(0)
        return self._file

    def __contains__(self, name: str) -> bool:
        return name in self._spans

    def open(self, name: str) -> Slice:
        """:raises NotFound: no file of that name."""
        span = self._spans.get(name)
        if span is None:
            raise NotFound(f"{self.what}: no file {name[:200]} in this archive")
        return Slice(self._file, span)

    def small(self, name: str) -> bytes:
        """A whole file.

        :raises BadArtifact: larger than a manifest may be
        """
        data = self.open(name).read(MAX_MANIFEST + 1)
        if len(data) > MAX_MANIFEST:
            raise BadArtifact(f"{self.what}: {name}: more than {MAX_MANIFEST} bytes")
        return data


def _opened(path: Path) -> BinaryIO:
    """A plain tar that can be sought."""
    file = _kept(iter([read_named(path, _LIMIT)])) if is_pipe(path) else open_regular(path)
    try:
        compression = Compression.of(file.read(8))
        file.seek(0)
        if compression is Compression.NONE:
            return file
        unpacked = _kept(_unpacked(file, path, compression))
    except (OSError, WasmpackError):
        file.close()
        raise
    file.close()
    return unpacked


def _unpacked(file: BinaryIO, path: Path, compression: Compression) -> Iterator[bytes]:
    size = 0
    try:
        for piece in decompressed(iter(lambda: file.read(CHUNK), b""), compression):
            size += len(piece)
            if size > _LIMIT:
                raise BadArtifact(f"{path}: unpacks to more than {_LIMIT} bytes")
            yield piece
    except UnreadableLayer as error:
        raise BadArtifact(f"{path}: damaged {compression}: {error.reason}") from error


def _kept(pieces: Iterable[bytes]) -> BinaryIO:
    """The pieces in a temporary file, at its start."""
    file = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - closed with the archive
    try:
        file.writelines(pieces)
    except (OSError, WasmpackError):
        file.close()
        raise
    file.seek(0)
    return file
