"""Bytes read forwards: out of pieces as they come, or a file in which it can be sought."""

import os
from collections.abc import Iterator
from enum import StrEnum
from typing import BinaryIO, Protocol, Self

CHUNK = 1 << 20
"""Most bytes handed out at once."""


class Source(Protocol):
    """A source of bytes."""

    @property
    def position(self) -> int:
        """Bytes that were read or passed over."""

    def some(self, size: int, /) -> bytes:
        """The next bytes, at most so many; nothing only at the end."""

    def skip(self, size: int, /) -> int:
        """Pass over bytes; returns how many, fewer only at the end."""


def read_full(source: Source, size: int) -> bytes:
    """So many bytes; fewer only at the end."""
    data = source.some(size)
    while len(data) < size and (more := source.some(size - len(data))):
        data += more
    return data


class Compression(StrEnum):
    """How bytes are compressed, by its usual name."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"
    XZ = "xz"
    BZIP2 = "bzip2"

    @classmethod
    def of(cls, start: bytes) -> Self:
        """Tell it by the first six bytes."""
        return next(
            (cls(kind) for kind, magic in _MAGIC.items() if start[:6].startswith(magic)),
            cls("none"),
        )


_MAGIC = {
    "gzip": b"\x1f\x8b",  # RFC 1952 2.3.1
    "zstd": b"\x28\xb5\x2f\xfd",  # RFC 8878 3.1.1
    "xz": b"\xfd7zXZ\0",  # the .xz file format, 2.1.1.1
    "bzip2": b"BZh",
}


class Stream:
    """Pieces as they come; what the iterator raises is raised here when its turn has come."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = memoryview(b"")
        self.position = 0

    def peek(self, size: int, /) -> memoryview:
        """As :meth:`some`, and they stay where they are."""
        while not self._piece and size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._piece = memoryview(piece)
        return self._piece[:size]

    def drop(self, size: int, /) -> None:
        """Go on behind bytes that were peeked at."""
        self._piece = self._piece[size:]
        self.position += size

    def some(self, size: int, /) -> bytes:
        found = bytes(self.peek(size))
        self.drop(len(found))
        return found

    def skip(self, size: int, /) -> int:
        left = size
        while left and (found := len(self.some(min(left, CHUNK)))):
            left -= found
        return size - left


class SeekableFile:
    """A file of a known size, whose contents are passed over without being read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._end = os.fstat(file.fileno()).st_size
        self.position = file.tell()

    def some(self, size: int, /) -> bytes:
        found = self._file.read(min(size, CHUNK))
        self.position += len(found)
        return found

    def skip(self, size: int, /) -> int:
        passed = max(0, min(size, self._end - self.position))
        self.position = self._file.seek(self.position + passed)
        return passed
