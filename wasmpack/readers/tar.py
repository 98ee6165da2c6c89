"""Files out of a gzipped tar layer, read forward only and within a limit."""

import io
import posixpath
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wasmpack.oci.layer import gunzip

_MAX_ENTRIES = 65_536
"""Most entries of a layer that are looked at; a plugin image has one or two."""


class UnreadableLayer(Exception):
    """Not gzip, not tar, or cut off; ``reason`` is Go's wording, as the fetchers print it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class TarEntry:
    """One entry; a directory or link has no content."""

    name: str
    content: bytes
    regular: bool

    @property
    def basename(self) -> str:
        """The last part of its path: all that the fetchers compare."""
        return posixpath.basename(self.name.rstrip("/"))


def tar_entries(
    chunks: Iterable[bytes], limit: int, wanted: frozenset[str] | None
) -> Iterator[TarEntry]:
    """Entries of a gzipped tar whose basename is wanted, in order; None wants them all.

    Their type does not matter: Istio compares no more.

    :param chunks: the compressed layer
    :param limit: most bytes of the decompressed tar that are read; it just ends there
    :raises UnreadableLayer: at the place where the layer cannot be read on
    """
    return entries_of_tar(gunzip(iter(chunks), limit), limit, wanted)


def entries_of_tar(
    pieces: Iterator[bytes], limit: int, wanted: frozenset[str] | None
) -> Iterator[TarEntry]:
    """The same of a tar that is not compressed."""
    stream = _Stream(pieces)
    try:
        with tarfile.open(fileobj=stream, mode="r|", ignore_zeros=False) as archive:
            for number, entry in enumerate(archive):
                if number > _MAX_ENTRIES or not 0 <= entry.size <= limit:
                    raise UnreadableLayer("unexpected EOF")
                if wanted is None or posixpath.basename(entry.name.rstrip("/")) in wanted:
                    file = archive.extractfile(entry) if entry.isreg() else None
                    content = file.read() if file else b""
                    yield TarEntry(name=entry.name, content=content, regular=entry.isreg())
    except (tarfile.TarError, EOFError, ValueError, RecursionError, zlib.error) as error:
        if stream.total or stream.reason:
            raise UnreadableLayer(stream.reason or "unexpected EOF") from error


class _Stream(io.RawIOBase):
    """The pieces of a generator as a file, as :mod:`tarfile` reads it."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = b""
        self._at = 0
        self.total = 0
        self.reason = ""
        """Why there is no more, if the gzip stream is to blame; tarfile hides its errors."""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        parts: list[bytes] = []
        have = 0
        while size < 0 or have < size:
            if self._at >= len(self._piece):
                piece = self._next()
                if piece is None:
                    break
                self._piece, self._at = piece, 0
            end = len(self._piece) if size < 0 else min(len(self._piece), self._at + size - have)
            parts.append(self._piece[self._at : end])
            have += end - self._at
            self._at = end
        self.total += have
        return b"".join(parts)

    def _next(self) -> bytes | None:
        try:
            return next(self._pieces, None)
        except zlib.error as error:
            self.reason = "unexpected EOF" if "EOF" in str(error) else "gzip: invalid header"
            raise
