"""Gzip as Go's compress/gzip reads it, because that is what opens a layer in a mesh (RFC 1952).

What comes before damage is handed out, a checksum counts only for whoever reads on behind its
member, and reasons are Go's texts. Python's own reader does neither: it drops what it has inflated
when a checksum is wrong.

>>> import gzip
>>> b"".join(gunzip(iter([gzip.compress(b"one, "), gzip.compress(b"two")])))
b'one, two'
"""

import contextlib
import zlib
from collections.abc import Callable, Iterator

from wasmpack.oci.stream import CHUNK, Stream, read_full

UNEXPECTED_EOF = "unexpected EOF"
_INVALID_HEADER = "gzip: invalid header"
_INVALID_CHECKSUM = "gzip: invalid checksum"
_CORRUPT = "flate: corrupt input"

_RAW = -zlib.MAX_WBITS
_MAGIC = b"\x1f\x8b\x08"
_HEADER = 10
_TRAILER = 8
_HDR_CRC, _EXTRA, _NAME, _COMMENT = 2, 4, 8, 16
"""Flags of a member's header (RFC 1952 2.3.1)."""
_LONGEST_TEXT = 512
"""Bytes of a name or comment with its NUL (compress/gzip, ``readString``)."""
_MOST_MEMBERS = 65_536
"""As many as entries of a layer: eStargz gives each file a member."""
_FIRST_FEED, _LAST_FEED = 1 << 9, 1 << 16
"""Bytes given to the decoder at once: few at first, because it copies what it does not use, and
empty members are twenty bytes long."""
_FINER = (1 << 16, 1 << 12, 1 << 8, 1 << 4)
"""Bytes of output in which a damaged stream is read up to its damage, and then input by byte."""


class UnreadableLayer(Exception):
    """Not gzip, not tar, or cut off; ``reason`` is Go's text, as the fetchers print it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotGzip(UnreadableLayer):
    """The header of the first member cannot be read."""


def gunzip(chunks: Iterator[bytes], begin: Callable[[], None] = lambda: None) -> Iterator[bytes]:
    """Inflate a gzip stream of any number of members, piece by piece.

    :param begin: called for each member
    :raises UnreadableLayer: where it cannot be read on
    """
    source = Stream(chunks)
    try:
        _read_header(source)
    except UnreadableLayer as error:
        raise NotGzip(error.reason) from None
    for _ in range(_MOST_MEMBERS):
        begin()
        yield from _member(source)
        if not source.peek(1):
            return
        _read_header(source)
    raise UnreadableLayer(f"more than {_MOST_MEMBERS} gzip members")


def _take(source: Stream, size: int) -> bytes:
    """Exactly so many bytes.

    :raises UnreadableLayer: there are fewer
    """
    taken = read_full(source, size)
    if len(taken) < size:
        raise UnreadableLayer(UNEXPECTED_EOF)
    return taken


def _text(source: Stream) -> bytes:
    """Bytes up to a NUL, and the NUL."""
    found = b""
    while len(found) < _LONGEST_TEXT:
        piece = bytes(source.peek(_LONGEST_TEXT - len(found)))
        if not piece:
            raise UnreadableLayer(UNEXPECTED_EOF)
        end = piece.find(b"\0") + 1
        found += piece[: end or None]
        source.drop(end or len(piece))
        if end:
            return found
    raise UnreadableLayer(_INVALID_HEADER)


def _read_header(source: Stream) -> None:
    """RFC 1952 2.3; nothing of it is of use."""
    if not source.peek(1):
        raise UnreadableLayer("EOF")
    header = _take(source, _HEADER)
    if header[:3] != _MAGIC:
        raise UnreadableLayer(_INVALID_HEADER)
    flags = header[3]
    if flags & _EXTRA:
        size = _take(source, 2)
        header += size + _take(source, int.from_bytes(size, "little"))
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            header += _text(source)
    if flags & _HDR_CRC:
        found = int.from_bytes(_take(source, 2), "little")
        if found != zlib.crc32(header) & 0xFFFF:
            raise UnreadableLayer(_INVALID_HEADER)


def _member(source: Stream) -> Iterator[bytes]:
    """The content of one member, and then its checksum."""
    crc = size = 0
    for piece in _inflate(source):
        crc, size = zlib.crc32(piece, crc), size + len(piece)
        yield piece
    trailer = _take(source, _TRAILER)
    expected = crc.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")
    if trailer != expected:
        raise UnreadableLayer(_INVALID_CHECKSUM)


def _inflate(source: Stream) -> Iterator[bytes]:
    """A deflate stream (RFC 1951); the source is left behind its end."""
    decoder = zlib.decompressobj(_RAW)
    before = None
    feed = _FIRST_FEED
    while not decoder.eof:
        data = source.peek(feed)
        feed = min(2 * feed, _LAST_FEED)
        try:
            piece = decoder.decompress(data, CHUNK)
        except zlib.error:
            yield from _up_to_the_damage(before or zlib.decompressobj(_RAW), bytes(data))
            raise UnreadableLayer(_CORRUPT) from None
        if not (data or piece or decoder.eof):
            raise UnreadableLayer(UNEXPECTED_EOF)
        left = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
        source.drop(len(data) - len(left))
        if not decoder.eof:
            before = decoder.copy()
        if piece:
            yield piece


def _up_to_the_damage(decoder: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    """As much of damaged bytes as can be inflated, as Go flushes it."""
    for size in _FINER:
        while True:
            trial = decoder.copy()
            try:
                piece = trial.decompress(data, size)
            except zlib.error:
                break
            if not piece:
                break
            decoder, data = trial, trial.unconsumed_tail
            yield piece
    with contextlib.suppress(zlib.error):
        for at in range(len(data)):
            yield decoder.decompress(data[at : at + 1])
