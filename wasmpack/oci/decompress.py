"""Compressions that no mesh unpacks, of images and archives that are read to be packed again.

>>> import bz2
>>> packed = bz2.compress(b"one, ") + bz2.compress(b"two")
>>> b"".join(decompressed(iter([packed]), Compression.of(packed)))
b'one, two'
"""

import bz2
import lzma
import sys
from collections.abc import Callable, Iterator
from typing import Protocol

from wasmpack.oci.gunzip import UNEXPECTED_EOF, UnreadableLayer, gunzip
from wasmpack.oci.stream import CHUNK, Compression, Stream

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


class _Decoder(Protocol):
    """A decoder of one frame, as :mod:`bz2`, :mod:`lzma` and ``zstd`` have it."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


_WINDOW_LOG = 27
"""128 MiB, as much as ``zstd -d`` takes without being told to (RFC 8878 3.1.1.1.2)."""
_DICTIONARY = 128 << 20
"""Bytes of memory for xz: what its highest preset needs, twice."""
_DECODERS: dict[Compression, Callable[[], _Decoder]] = {
    Compression.ZSTD: lambda: zstd.ZstdDecompressor(
        options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}
    ),
    Compression.XZ: lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_DICTIONARY),
    Compression.BZIP2: bz2.BZ2Decompressor,
}
_MOST_FRAMES = 65_536
"""As many as of gzip: one for each file of a layer."""
_FEED = 1 << 14
"""Bytes given to a decoder at once; what is left behind a frame is copied."""


def decompressed(
    pieces: Iterator[bytes], kind: Compression, begin: Callable[[], None] = lambda: None
) -> Iterator[bytes]:
    """Unpack a stream of any number of frames, piece by piece.

    :param begin: called for each frame
    :raises UnreadableLayer: where it cannot be read on
    """
    if kind is Compression.NONE:
        yield from pieces
    elif kind is Compression.GZIP:
        yield from gunzip(pieces, begin)
    else:
        yield from _frames(Stream(pieces), kind, begin)


def _frames(source: Stream, kind: Compression, begin: Callable[[], None]) -> Iterator[bytes]:
    rest = source.some(_FEED)
    for _ in range(_MOST_FRAMES):
        begin()
        decoder = _DECODERS[kind]()
        while not decoder.eof:
            data, rest = rest, b""
            if not data and decoder.needs_input:
                data = source.some(_FEED)
                if not data:
                    raise UnreadableLayer(UNEXPECTED_EOF)
            try:
                piece = decoder.decompress(data, CHUNK)
            except (zstd.ZstdError, lzma.LZMAError, OSError, MemoryError) as error:
                raise UnreadableLayer(f"{kind}: {error}") from error
            if piece:
                yield piece
        rest = decoder.unused_data or source.some(_FEED)
        if not rest:
            return
    raise UnreadableLayer(f"more than {_MOST_FRAMES} {kind} frames")
