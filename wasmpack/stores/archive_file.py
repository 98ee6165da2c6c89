"""A tar file with an image in it, as somebody hands it over: plain, gzipped, or through a pipe."""

import tempfile
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from wasmpack.errors import BadArtifact, NotFound, WasmpackError
from wasmpack.files.directories import explained, open_regular
from wasmpack.files.inputs import is_pipe, read_named
from wasmpack.oci.gunzip import UnreadableLayer, gunzip
from wasmpack.oci.manifest import MAX_MANIFEST
from wasmpack.stores.tar_files import Slice, find_files
from wasmpack.stores.verified import CHUNK

_LIMIT = 1 << 30
"""Most bytes of an archive that is gzipped or comes through a pipe: it is kept in a temporary
file. As many as are taken out of the Docker engine."""
_GZIP = b"\x1f\x8b"
_OTHERS = {
    b"\x28\xb5\x2f\xfd": ("zstd", "zstd -d"),
    b"\xfd7zXZ\0": ("xz", "xz -dk"),
    b"BZh": ("bzip2", "bunzip2 -k"),
}
"""How other compressed files start (RFC 8878 3.1.1, the formats of xz and bzip2), and what unpacks
them; Python 3.11 has no zstd."""


class ArchiveFile:
    """The files of an archive by their names; the file stays open as long as this is there."""

    def __init__(self, path: Path) -> None:
        """:raises NotFound: no such file
        :raises BadArtifact: not a tar, or of a compression that is not read here
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
        start = file.read(8)
        file.seek(0)
        _refuse_others(start, path)
        if start[:2] != _GZIP:
            return file
        unpacked = _kept(_inflated(file, path))
    except (OSError, WasmpackError):
        file.close()
        raise
    file.close()
    return unpacked


def _refuse_others(start: bytes, path: Path) -> None:
    for magic, (name, command) in _OTHERS.items():
        if start.startswith(magic):
            raise BadArtifact(
                f"{path}: compressed with {name}, which is not read here",
                hint=f"{command} {path}, then oci-archive: and the file that it writes",
            )


def _inflated(file: BinaryIO, path: Path) -> Iterator[bytes]:
    size = 0
    try:
        for piece in gunzip(iter(lambda: file.read(CHUNK), b"")):
            size += len(piece)
            if size > _LIMIT:
                raise BadArtifact(f"{path}: unpacks to more than {_LIMIT} bytes")
            yield piece
    except UnreadableLayer as error:
        raise BadArtifact(f"{path}: damaged gzip: {error.reason}") from error


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
