"""Gzip as Go's compress/gzip reads it: what comes before damage counts."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest

from wasmpack.oci.gunzip import NotGzip, UnreadableLayer, gunzip

TEXT = b"plain text, " * 100
NOISE = random.Random(1).randbytes(300_000)
GOOD = gzip.compress(TEXT, mtime=0)


def read(data: bytes, size: int = 1 << 20) -> tuple[bytes, str]:
    """What is inflated, and why there is no more."""
    found = bytearray()
    try:
        for piece in gunzip(data[at : at + size] for at in range(0, len(data), size)):
            found += piece
    except UnreadableLayer as error:
        return bytes(found), error.reason
    return bytes(found), ""


def with_header(flags: int, fields: bytes, crc: bool = False) -> bytes:
    """A member whose header has fields of its own."""
    header = b"\x1f\x8b\x08" + bytes([flags | (2 if crc else 0)]) + b"\0\0\0\0\0\xff" + fields
    if crc:
        header += (zlib.crc32(header) & 0xFFFF).to_bytes(2, "little")
    return header + GOOD[10:]


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_members_in_pieces_of_any_size(size: int) -> None:
    data = GOOD + gzip.compress(b"") + gzip.compress(NOISE) + GOOD
    assert read(data, size) == (TEXT + NOISE + TEXT, "")


@pytest.mark.parametrize(
    "data",
    [
        with_header(4, b"\x03\0abc"), with_header(8, b"name\0"), with_header(16, b"comment\0"),
        with_header(4 | 8 | 16, b"\0\0n\0c\0", crc=True), with_header(1, b""),
        with_header(8, b"n" * 511 + b"\0"),
    ],
    ids=["extra", "name", "comment", "all", "text", "longest name"],
)  # fmt: skip
def test_headers(data: bytes) -> None:
    assert read(data) == (TEXT, "")


NOT_GZIP = {
    "nothing": (b"", "EOF"),
    "short": (GOOD[:9], "unexpected EOF"),
    "text": (TEXT, "gzip: invalid header"),
    "endless name": (with_header(8, b"n" * 512), "gzip: invalid header"),
    "wrong checksum of the header": (with_header(2, b"\0\0"), "gzip: invalid header"),
    "header cut off": (with_header(4, b"\xff\xff")[:20], "unexpected EOF"),
}


@pytest.mark.parametrize("name", NOT_GZIP)
def test_what_is_not_gzip(name: str) -> None:
    data, reason = NOT_GZIP[name]
    with pytest.raises(NotGzip) as caught:
        list(gunzip(iter([data])))
    assert caught.value.reason == reason


DAMAGED = {
    "checksum": (GOOD[:-8] + b"xxxx" + GOOD[-4:], "gzip: invalid checksum"),
    "length": (GOOD[:-1] + b"x", "gzip: invalid checksum"),
    "cut in the checksum": (GOOD[:-3], "unexpected EOF"),
    "cut before the checksum": (GOOD[:-8], "unexpected EOF"),
    "zeros behind it": (GOOD + bytes(20), "gzip: invalid header"),
    "text behind it": (GOOD + b"xyz", "unexpected EOF"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_content_comes_before_the_damage(name: str) -> None:
    data, reason = DAMAGED[name]
    for size in (1, 1 << 20):
        found, why = read(data, size)
        assert (found, why) == (TEXT, reason)


def test_a_damaged_stream_is_read_up_to_its_damage() -> None:
    """Python alone drops all that it has inflated in the call that meets the damage."""
    packer = zlib.compressobj(wbits=31)
    data = packer.compress(TEXT * 3000 + NOISE) + packer.flush(zlib.Z_SYNC_FLUSH)
    of_no_kind = b"\x07"  # the last block, of type 3 (RFC 1951 3.2.3)
    for size in (100, 1 << 20):
        found, reason = read(data + of_no_kind + bytes(100), size)
        assert (found == TEXT * 3000 + NOISE, reason) == (True, "flate: corrupt input")


@pytest.mark.slow
def test_a_bomb_comes_in_small_pieces() -> None:
    largest, total = 0, 0
    for piece in gunzip(iter([gzip.compress(bytes(100 << 20))])):
        largest, total = max(largest, len(piece)), total + len(piece)
    assert (largest, total) == (1 << 20, 100 << 20)


@pytest.mark.slow
def test_members_are_counted() -> None:
    empty = gzip.compress(b"", mtime=0)
    assert read(empty * 65_535 + GOOD) == (TEXT, "")
    assert read(empty * 65_536 + GOOD) == (b"", "more than 65536 gzip members")


@pytest.mark.parametrize("size", [0, 1, 510, 511, 512, 513])
@pytest.mark.parametrize("piece", [1, 7, 300, 5000])
def test_names_end_with_a_zero_however_they_come(size: int, piece: int) -> None:
    name = b"n" * size + b"\0"
    body = gzip.compress(b"text", mtime=0)[10:]
    data = b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + name + body
    pieces = iter([data[at : at + piece] for at in range(0, len(data), piece)])
    if size < 512:
        assert b"".join(gunzip(pieces)) == b"text"
    else:
        with pytest.raises(UnreadableLayer, match="invalid header"):
            b"".join(gunzip(pieces))


def test_a_name_that_is_cut_off() -> None:
    with pytest.raises(UnreadableLayer, match="unexpected EOF"):
        b"".join(gunzip(iter([b"\x1f\x8b\x08\x08\0\0\0\0\0\xffname"])))
