"""The deterministic tar+gzip layer of the ``compat`` and ``docker`` variants.

Same files, same bytes, on every machine and day: no clock, user, host name or umask goes in. The
deflate coder is libdeflate at a fixed level (package ``deflate``), not the zlib of this
Python, because zlib and zlib-ng give different bytes for the same input (docs/adr/0005). What is
larger than a block becomes several gzip members (RFC 1952 2.2), compressed side by side.
"""

import hashlib
import os
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from wasmpack.oci.descriptor import Digest
from wasmpack.redaction import note

_LEVEL = 5
"""Of libdeflate's 12; the next ones take twice the time for half a percent."""
_BLOCK = 4 << 20
"""Bytes of a gzip member before it is compressed; part of the format: another gives other bytes."""
_MOST_THREADS = 8
_TAR_BLOCK = 512
_TAR_RECORD = 20 * _TAR_BLOCK
_GZIP_HEADER = b"\x1f\x8b\x08\x00" + b"\x00\x00\x00\x00" + b"\x00\xff"
"""RFC 1952 2.3: deflate, no name, no time, no claim about the level or the system."""
Piece = bytes | memoryview


@dataclass(frozen=True, slots=True, kw_only=True)
class TarGzip:
    """A compressed layer and the digest of the tar inside it (image-spec config.md, diff_ids)."""

    data: bytes
    diff_id: Digest


def tar_gzip(files: Mapping[str, bytes], *, mtime: int = 0) -> TarGzip:
    """Pack files, in the order given, owned by root with mode 0644.

    :param files: name in the layer -> content
    :param mtime: seconds since the epoch for every entry (``SOURCE_DATE_EPOCH``)
    """
    pieces = list(_tar(files, mtime))
    note(f"compressing {', '.join(files)}")
    hasher = hashlib.sha256()
    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:
        members = pool.map(_member, _blocks(pieces))
        for piece in pieces:
            hasher.update(piece)
        return TarGzip(data=b"".join(members), diff_id=Digest("sha256", hasher.hexdigest()))


def gzip_pieces(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Gzip whose bytes depend on the data alone, however it comes."""
    return map(_member, _blocks(pieces))


def _tar(files: Mapping[str, bytes], mtime: int) -> Iterator[Piece]:
    """The parts of a tar file, contents not copied."""
    size = 0
    for name, content in files.items():
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        entry.mode = 0o644
        entry.mtime = mtime
        header = entry.tobuf(tarfile.USTAR_FORMAT)
        padding = bytes(-len(content) % _TAR_BLOCK)
        size += len(header) + len(content) + len(padding)
        yield header
        yield memoryview(content)
        yield padding
    size += 2 * _TAR_BLOCK
    yield bytes(2 * _TAR_BLOCK + -size % _TAR_RECORD)


def _blocks(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The same bytes in blocks of one size; a block that lies within a piece is not copied."""
    parts: list[Piece] = []
    room = _BLOCK
    whole = True
    for piece in pieces:
        left = memoryview(piece)
        while left:
            parts.append(left[:room])
            left = left[room:]
            room -= len(parts[-1])
            if not room:
                yield parts[0] if len(parts) == 1 else b"".join(parts)
                parts, room, whole = [], _BLOCK, False
    if parts or whole:
        yield b"".join(parts)


def _member(block: Piece) -> bytes:
    import deflate

    body = bytes(deflate.deflate_compress(block, _LEVEL))
    trailer = zlib.crc32(block).to_bytes(4, "little") + len(block).to_bytes(4, "little")
    return _GZIP_HEADER + body + trailer
