"""The deterministic tar+gzip layer of the ``compat`` and ``docker`` variants.

Same files, same bytes, on every machine and day: no clock, user, host name or umask goes in. The
deflate coder is libdeflate at a fixed level (package ``deflate``), not the zlib of the Python at
hand, because zlib and zlib-ng give different bytes for the same input (docs/adr/0005).
"""

import io
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wasmpack.oci.digest import Digest

_LEVEL = 9
_GZIP_HEADER = b"\x1f\x8b\x08\x00" + b"\x00\x00\x00\x00" + b"\x02\xff"
"""RFC 1952 2.3: deflate, no name, no time, slowest algorithm, operating system unknown."""


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
    tar = _tar(files, mtime)
    return TarGzip(data=gzip_bytes(tar), diff_id=Digest.of(tar))


def _tar(files: Mapping[str, bytes], mtime: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o644
            entry.mtime = mtime
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def gzip_bytes(data: bytes) -> bytes:
    """One gzip member whose bytes depend on the data alone."""
    import deflate

    body = bytes(deflate.deflate_compress(data, _LEVEL))
    trailer = zlib.crc32(data).to_bytes(4, "little") + (len(data) & 0xFFFFFFFF).to_bytes(
        4, "little"
    )
    return _GZIP_HEADER + body + trailer


def gunzip(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """Inflate a gzip stream of one or more members (RFC 1952 2.2), at most ``limit`` bytes of it.

    The stream just ends at the limit, as Go's ``io.LimitReader`` does in the mesh's fetcher.

    :raises zlib.error: not gzip, or damaged
    """
    left = limit
    inflate = zlib.decompressobj(wbits=31)
    for chunk in chunks:
        data = chunk
        while data and left > 0:
            if inflate.eof:
                inflate = zlib.decompressobj(wbits=31)
            out = inflate.decompress(data, min(left, 1 << 20))
            left -= len(out)
            if out:
                yield out
            data = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
        if left <= 0:
            return
    if not inflate.eof:
        raise zlib.error("unexpected EOF")
