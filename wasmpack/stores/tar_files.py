"""Files inside a tar on disk, read where they lie: nothing is unpacked."""

import os
from typing import BinaryIO, NamedTuple

from wasmpack.errors import BadArtifact
from wasmpack.oci.budget import Budget
from wasmpack.oci.gunzip import UnreadableLayer
from wasmpack.oci.stream import SeekableFile
from wasmpack.oci.tar import TarReader

_MOST_FILES = 100_000
_LONGEST_NAME = 4096


class Span(NamedTuple):
    """The position of a file's bytes in the tar."""

    offset: int
    size: int


def find_files(tar: BinaryIO, what: str) -> dict[str, Span]:
    """The regular files of a tar by their names; the first of a name counts.

    :param what: names the tar in errors
    :raises BadArtifact: not a tar, cut off, or of more files than any image has
    """
    end = os.fstat(tar.fileno()).st_size
    found: dict[str, Span] = {}
    try:
        for entry in TarReader(SeekableFile(tar), Budget(entries=_MOST_FILES)):
            inside = entry.parts is None and entry.end <= end
            if entry.regular and inside and len(entry.name) <= _LONGEST_NAME:
                name = entry.name.removeprefix(b"./").decode(errors="backslashreplace")
                found.setdefault(name, Span(entry.data, entry.end - entry.data))
    except UnreadableLayer as error:
        raise BadArtifact(f"{what}: not a readable tar file: {error.reason}") from error
    except BadArtifact as error:
        raise BadArtifact(f"{what}: more than {_MOST_FILES} entries") from error
    return found


class Slice:
    """A part of an open file, as a file; the open file keeps its own position."""

    def __init__(self, file: BinaryIO, span: Span) -> None:
        self._file = file
        self._at, self._left = span

    def skip(self, size: int) -> None:
        """Go forward, at most to the end."""
        passed = min(size, self._left)
        self._at += passed
        self._left -= passed

    def read(self, size: int = -1, /) -> bytes:
        data = os.pread(
            self._file.fileno(), self._left if size < 0 else min(size, self._left), self._at
        )
        self._at += len(data)
        self._left -= len(data)
        return data

    def close(self) -> None:
        """The file stays open: other parts of it may be read."""
