"""A bounded place in the bytes of a module: LEB128 numbers, names, limits."""

import codecs
from typing import NoReturn, Protocol, SupportsIndex, overload

from wasmpack.errors import BadArtifact

MAGIC = b"\0asm"
"""The beginning of every module, text format aside (core specification, 5.5.16)."""
_PIECE = 1 << 20
"""Bytes of a name that are decoded at a time."""


class Source(Protocol):
    """A module's bytes: all of them in memory, or fetched as they are looked at."""

    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, key: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, key: slice, /) -> bytes: ...


class MalformedModule(BadArtifact):
    """The bytes are not a core WebAssembly module; reading stopped at ``offset``."""

    def __init__(self, message: str, offset: int, *, hint: str = "") -> None:
        super().__init__(f"{message} (at offset {offset:#x})", hint=hint)
        self.offset = offset


class Cursor:
    """Reads forward from ``pos`` and never past ``end``.

    :raises MalformedModule: from every method, and nothing else
    """

    __slots__ = ("base", "data", "end", "pos")

    def __init__(self, data: bytes, pos: int, end: int, *, base: int = 0) -> None:
        """:param base: offset in the file of the first byte of ``data``."""
        self.data = data
        self.pos = pos
        self.end = end
        self.base = base

    def fail(self, message: str, *, hint: str = "") -> NoReturn:
        """Give up here."""
        raise MalformedModule(message, self.base + self.pos, hint=hint)

    def byte(self) -> int:
        """One byte."""
        pos = self.pos
        if pos >= self.end:
            self.fail("unexpected end")
        self.pos = pos + 1
        return self.data[pos]

    def peek(self) -> int | None:
        """The next byte; None at the end."""
        return self.data[self.pos] if self.pos < self.end else None

    def unsigned(self, bits: int = 32) -> int:
        """An unsigned LEB128 number (WebAssembly core specification 5.2.2)."""
        pos = self.pos
        if pos < self.end and self.data[pos] < 0x80:  # as most are: a million of them add up
            self.pos = pos + 1
            return self.data[pos]
        result = shift = 0
        while True:
            byte = self.byte()
            result |= (byte & 0x7F) << shift
            if not byte & 0x80:
                if result >> bits:
                    self.fail(f"number larger than {bits} bits")
                return result
            shift += 7
            if shift >= bits:
                self.fail(f"number longer than {bits} bits")

    def signed(self, bits: int = 33) -> int:
        """A signed LEB128 number; 33 bits for block and heap types."""
        result = shift = 0
        while True:
            byte = self.byte()
            result |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return result - (1 << shift) if byte & 0x40 else result
            if shift >= bits:
                self.fail(f"number longer than {bits} bits")

    def skip(self, count: int) -> None:
        """Pass over bytes."""
        if count > self.end - self.pos:
            self.fail("unexpected end")
        self.pos += count

    def name(self) -> bytes:
        """A UTF-8 name with its length before it (core specification 5.2.4)."""
        size = self.unsigned()
        start = self.pos
        self.skip(size)
        raw = self.data[start : self.pos]
        check_utf8(raw, self.base + start)
        return raw

    def count(self, limit: tuple[int, str] | None = None) -> int:
        """The length of a vector; each item takes a byte at least, so it cannot exceed them.

        :param limit: the engine's limit, and its name for it
        """
        count = self.unsigned()
        if count > self.end - self.pos:
            self.fail(f"a vector of {count} items in {self.end - self.pos} bytes")
        if limit is not None and count > limit[0]:
            self.over(count, limit)
        return count

    def over(self, count: int, limit: tuple[int, str]) -> NoReturn:
        """Refuse more than the engine accepts."""
        most, name = limit
        self.fail(
            f"{count} items, more than the {most} that the engine accepts ({name})",
            hint="no proxy loads such a module: look at what generated it",
        )


def check_utf8(raw: bytes, offset: int) -> None:
    """Refuse bytes that are not UTF-8, decoded in pieces: text takes up to four times the memory.

    :param offset: of the bytes in the file
    :raises MalformedModule: they are not
    """
    if raw.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(raw), _PIECE):
            decoder.decode(raw[at : at + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise MalformedModule("a name that is not UTF-8", offset) from None


def unsigned() -> bytes:
    """An expression for an unsigned LEB128 number of 32 bits (core specification 5.2.2)."""
    return rb"(?:[\x80-\xff]{0,3}[\x00-\x7f]|[\x80-\xff]{4}[\x00-\x0f])"


def signed(bits: int) -> bytes:
    """An expression for a signed LEB128 number, as :meth:`Cursor.signed` reads it."""
    return rb"[\x80-\xff]{0,%d}[\x00-\x7f]" % ((bits - 1) // 7)


def number(*values: int) -> bytes:
    """An expression for one of these numbers, under 128, written with as many bytes as may be."""
    short = b"".join(rb"\x%02x" % value for value in values)
    long = b"".join(rb"\x%02x" % (value | 0x80) for value in values)
    return rb"(?:[%b]|[%b]\x80{0,3}\x00)" % (short, long)
