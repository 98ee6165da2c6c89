"""Maps of sparse files in a tar: one old format, three that PAX records announce
(archive/tar reader.go; GNU tar's manual, "Storing Sparse Files").

Istio's fetcher reads such a plugin with its holes filled, so it is read here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from wasmpack.oci.gunzip import UNEXPECTED_EOF, UnreadableLayer
from wasmpack.oci.tar_header import (
    BLOCK,
    INVALID_HEADER,
    MAX_SPECIAL,
    SPARSE_MAP,
    Header,
    decimal,
    number,
    required,
)

_TOO_LONG = "archive/tar: sparse map too long"
_IN_HEADER, _IN_BLOCK = slice(386, 386 + 97), slice(0, BLOCK)
_PART = 24
_NUMBER = 12
_REAL_SIZE = slice(483, 495)
Read = Callable[[int], bytes]
"""So many bytes; fewer at the end."""


class Part(NamedTuple):
    """Data of a sparse file: at which of its bytes it begins, and how long it is."""

    offset: int
    size: int


def old_map(header: Header, block: bytes, read: Read) -> list[Part]:
    """The map of a file of kind ``S``: in its header, and in blocks behind it."""
    if not header.gnu:
        raise UnreadableLayer(INVALID_HEADER)
    header.size = number(block[_REAL_SIZE])
    parts: list[Part] = []
    table = block[_IN_HEADER]
    total = len(table)
    while total < MAX_SPECIAL:
        parts += _table(table)
        if not table[len(table) // _PART * _PART]:
            return parts
        table = _full(read)[_IN_BLOCK]
        total += len(table)
    raise UnreadableLayer(_TOO_LONG)


def pax_map(header: Header, records: Mapping[bytes, bytes], read: Read) -> list[Part] | None:
    """The map of a file with such PAX records, None without them.

    :param read: from the file's own data, where version 1.0 puts its map
    """
    version = records.get(b"GNU.sparse.major", b""), records.get(b"GNU.sparse.minor", b"")
    if version not in {(b"0", b"0"), (b"0", b"1"), (b"1", b"0")} and (
        any(version) or not records.get(SPARSE_MAP)
    ):
        return None
    header.name = records.get(b"GNU.sparse.name") or header.name
    size = records.get(b"GNU.sparse.size") or records.get(b"GNU.sparse.realsize")
    if size:
        header.size = required(size)
    if version == (b"1", b"0"):
        return _map_in_data(read)
    numbers = records.get(SPARSE_MAP, b"")
    return _pairs(
        required(records.get(b"GNU.sparse.numblocks", b"")), numbers.split(b",") if numbers else []
    )


def check_map(parts: Sequence[Part], size: int) -> None:
    """:raises UnreadableLayer: parts that overlap, or lie outside of the file."""
    at = 0
    for part in parts:
        if part.offset < 0 or part.size < 0 or part.offset + part.size > size or at > part.offset:
            raise UnreadableLayer(INVALID_HEADER)
        at = part.offset + part.size
    if size < 0:
        raise UnreadableLayer(INVALID_HEADER)


def _table(table: bytes) -> list[Part]:
    parts = []
    for at in range(0, len(table) // _PART * _PART, _PART):
        if not table[at]:
            break
        middle = at + _NUMBER
        parts.append(Part(number(table[at:middle]), number(table[middle : middle + _NUMBER])))
    return parts


def _map_in_data(read: Read) -> list[Part]:
    """Version 1.0: the count, then two numbers for each part, each in a line, padded to blocks."""
    text, lines = bytearray(), 0

    def feed(wanted: int) -> None:
        nonlocal lines
        while lines < wanted:
            if len(text) + BLOCK > MAX_SPECIAL:
                raise UnreadableLayer(_TOO_LONG)
            text.extend(_full(read))
            lines += text.count(b"\n", len(text) - BLOCK)

    feed(1)
    count = required(bytes(text.partition(b"\n")[0]))
    if not 0 <= count < 1 << 62:
        raise UnreadableLayer(INVALID_HEADER)
    feed(1 + 2 * count)
    return _pairs(count, bytes(text).split(b"\n", 1 + 2 * count)[1 : 1 + 2 * count])


def _pairs(count: int, numbers: Sequence[bytes]) -> list[Part]:
    values = [value for value in map(decimal, numbers) if value is not None]
    if not len(values) == len(numbers) == 2 * count:
        raise UnreadableLayer(INVALID_HEADER)
    return [Part(*pair) for pair in zip(values[::2], values[1::2], strict=True)]


def _full(read: Read) -> bytes:
    block = read(BLOCK)
    if len(block) < BLOCK:
        raise UnreadableLayer(UNEXPECTED_EOF)
    return block
