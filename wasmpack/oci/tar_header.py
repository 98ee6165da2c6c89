"""The blocks of a tar file, read as Go's archive/tar reads them (format.go, strconv.go).

What Istio's fetcher takes for a header, a number or a PAX record is decided here, and its texts are
given as reasons. Names are bytes: a tar file says nothing of their encoding.

>>> import tarfile
>>> header = parse_header(tarfile.TarInfo("plugin.wasm").tobuf())
>>> header.name, header.size, header.kind
(b'plugin.wasm', 0, b'0')
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from wasmpack.oci.gunzip import UnreadableLayer

BLOCK = 512
INVALID_HEADER = "archive/tar: invalid tar header"
MAX_SPECIAL = 1 << 20
"""Bytes of a PAX header, of a GNU long name, of a sparse map (format.go, maxSpecialFileSize)."""

FILE, OLD_FILE, LINK, SYMLINK = b"0", b"\0", b"1", b"2"
CHARACTER, DEVICE, FOLDER, PIPE = b"3", b"4", b"5", b"6"
GLOBAL_PAX, SPARSE = b"g", b"S"
HEADER_ONLY = frozenset({LINK, SYMLINK, CHARACTER, DEVICE, FOLDER, PIPE})
"""Kinds without data, whatever their size says (common.go, isHeaderOnlyType)."""

_OCTAL = re.compile(rb"[ \0]*+([0-7]*+)(?:[ \0]*|\0.*)", re.DOTALL)
"""Digits among blanks and NULs; behind a NUL there may be anything."""
_RECORD = re.compile(rb"([+-]?[0-9]+) ([^=]+)=")
_DECIMAL = re.compile(rb"([+-]?)0*([0-9]{1,19})")
_FRACTION = re.compile(rb"[0-9]*")
_USTAR, _GNU, _GNU_VERSION, _STAR = b"ustar\0", b"ustar ", b" \0", b"tar\0"
_V7_NUMBERS = (slice(100, 108), slice(108, 116), slice(116, 124), slice(136, 148))
"""Mode, owner, group, time: not used, and refused if they are not numbers."""
_DEVICE_NUMBERS = (slice(329, 337), slice(337, 345))
_STAR_TIMES = (slice(476, 488), slice(488, 500))
_GNU_TIMES = (slice(345, 357), slice(357, 369))
_PAX_TEXTS = frozenset({b"path", b"linkpath", b"uname", b"gname"})
_PAX_IDS = frozenset({b"uid", b"gid"})
_PAX_TIMES = frozenset({b"atime", b"mtime", b"ctime"})
_SPARSE_PARTS = (b"GNU.sparse.offset", b"GNU.sparse.numbytes")
SPARSE_MAP = b"GNU.sparse.map"


@dataclass(slots=True)
class Header:
    """The content of one block; extended headers may still change it."""

    kind: bytes
    name: bytes
    size: int
    gnu: bool
    """In GNU's old format, the only one whose kind ``S`` is understood."""

    def merge(self, records: Mapping[bytes, bytes]) -> None:
        """Take over what a PAX header says of the next entry (reader.go, mergePAX).

        :raises UnreadableLayer: a number that is not one, also where it is not used
        """
        self.name = records.get(b"path") or self.name
        if size := records.get(b"size"):
            self.size = required(size)
        for key in _PAX_IDS & records.keys():
            if records[key]:
                required(records[key])
        for key in _PAX_TIMES & records.keys():
            _check_time(records[key])


def parse_header(block: bytes) -> Header:
    """Read a header block.

    :raises UnreadableLayer: a wrong checksum, a field that is not a number
    """
    if not _checksum_is_right(block):
        raise UnreadableLayer(INVALID_HEADER)
    header = Header(
        kind=block[156:157], name=_text(block[:100]), size=number(block[124:136]), gnu=False
    )
    for field in _V7_NUMBERS:
        number(block[field])
    prefix = _prefix(block, header)
    if prefix:
        header.name = prefix + b"/" + header.name
    return header


def starts_tar(data: bytes) -> bool:
    """True if a tar begins with these bytes: a header, or the zeros that end it."""
    block = data[:BLOCK]
    return len(block) == BLOCK and (not block.strip(b"\0") or _checksum_is_right(block))


@lru_cache(maxsize=1024)
def number(field: bytes) -> int:
    """A number in octal digits or in base 256 (strconv.go, parseNumeric).

    :raises UnreadableLayer: neither, or over 63 bits
    """
    if not field[0] & 0x80:
        return _octal(field)
    bits = 8 * len(field)
    value = int.from_bytes(field, "big")
    negative = bool(field[0] & 0x40)
    if negative:
        value ^= (1 << bits) - 1
    value &= (1 << bits - 1) - 1
    if value >= 1 << 63:
        raise UnreadableLayer(INVALID_HEADER)
    return ~value if negative else value


def decimal(text: bytes) -> int | None:
    """A decimal number of 64 bits with its sign, as Go's ``ParseInt`` takes it."""
    found = _DECIMAL.fullmatch(text)
    if found is None:
        return None
    value = int(found[2])
    if found[1] == b"-":
        return -value if value <= 1 << 63 else None
    return value if value < 1 << 63 else None


def required(text: bytes) -> int:
    """:raises UnreadableLayer: not a decimal number."""
    value = decimal(text)
    if value is None:
        raise UnreadableLayer(INVALID_HEADER)
    return value


def parse_pax(data: bytes) -> dict[bytes, bytes]:
    """The records ``LENGTH KEY=VALUE\\n`` of an extended header (strconv.go, parsePAXRecord).

    :raises UnreadableLayer: one of them is not of that form
    """
    records: dict[bytes, bytes] = {}
    parts: list[bytes] = []
    at = 0
    while at < len(data):
        key, value, at = _record(data, at)
        if key not in _SPARSE_PARTS:
            records[key] = value
        elif key != _SPARSE_PARTS[len(parts) % 2] or b"," in value:
            raise UnreadableLayer(INVALID_HEADER)
        else:
            parts.append(value)
    if parts:
        records[SPARSE_MAP] = b",".join(parts)
    return records


def _record(data: bytes, at: int) -> tuple[bytes, bytes, int]:
    """Key, value, and where the next one begins."""
    found = _RECORD.match(data, at)
    length = decimal(found[1]) if found else None
    if found is None or length is None or not 5 <= length <= len(data) - at:
        raise UnreadableLayer(INVALID_HEADER)
    key, end = found[2], at + length
    value = data[found.end() : end - 1]
    text = value if key in _PAX_TEXTS else key
    if found.end() >= end or data[end - 1] != ord("\n") or b"\0" in text:
        raise UnreadableLayer(INVALID_HEADER)
    return key, value, end


def _checksum_is_right(block: bytes) -> bool:
    """Compare the sum of all bytes, its own field as spaces; Sun's tar added bytes as signed."""
    try:
        expected = _octal(block[148:156])
    except UnreadableLayer:
        return False
    unsigned = sum(block) - sum(block[148:156]) + 8 * ord(" ")
    if expected == unsigned:
        return True
    high = sum(byte > 0x7F for byte in block[:148] + block[156:])
    return expected == unsigned - 256 * high


def _prefix(block: bytes, header: Header) -> bytes:
    """The rest of the name, which is elsewhere, by the format that the magic number tells."""
    magic = block[257:263]
    star = magic == _USTAR and block[508:512] == _STAR
    header.gnu = magic == _GNU and block[263:265] == _GNU_VERSION
    if magic != _USTAR and not header.gnu:
        return b""
    for field in (*_DEVICE_NUMBERS, *(_STAR_TIMES if star else ())):
        number(block[field])
    if header.gnu:
        return _go_1_7_prefix(block)
    return _text(block[345 : 345 + (131 if star else 155)])


def _go_1_7_prefix(block: bytes) -> bytes:
    """Go wrote a prefix where GNU has two times, and still reads it (golang.org/issues/12594)."""
    try:
        for field in _GNU_TIMES:
            if block[field][0]:
                number(block[field])
    except UnreadableLayer:
        prefix = _text(block[345:500])
        return prefix if prefix.isascii() else b""
    return b""


def _octal(field: bytes) -> int:
    found = _OCTAL.fullmatch(field)
    if found is None:
        raise UnreadableLayer(INVALID_HEADER)
    return int(found[1] or b"0", 8)


def _text(field: bytes) -> bytes:
    """Up to the first NUL."""
    return field.partition(b"\0")[0]


def _check_time(text: bytes) -> None:
    """Seconds, and digits behind a point (strconv.go, parsePAXTime)."""
    seconds, _, fraction = text.partition(b".")
    if text and (decimal(seconds) is None or not _FRACTION.fullmatch(fraction)):
        raise UnreadableLayer(INVALID_HEADER)
