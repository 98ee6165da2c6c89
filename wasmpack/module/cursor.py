"""A bounded place in the bytes of a module: LEB128 numbers, names, limits."""

from typing import NoReturn, Protocol, SupportsIndex, overload

from wasmpack.errors import BadArtifact


class Source(Protocol):
    """A module's bytes: all of them in memory, or fetched as they are looked at."""

    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, key: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, key: slice, /) -> bytes: ...


class MalformedModule(BadArtifact):
    """Bytes that are no core WebAssembly module; ``offset`` is where reading stopped."""

    def __init__(self, message: str, offset: int, *, hint: str = "") -> None:
        super().__init__(f"{message} (at offset {offset:#x})", hint=hint)
        self.offset = offset


class Cursor:
    """Reads forward from ``pos`` and never past ``end``.

    :raises MalformedModule: from every method, and nothing else
    """

    __slots__ = ("data", "end", "pos")

    def __init__(self, data: Source, pos: int, end: int) -> None:
        self.data = data
        self.pos = pos
        self.end = end

    def fail(self, message: str) -> NoReturn:
        """Give up here."""
        raise MalformedModule(message, self.pos)

    def byte(self) -> int:
        """One byte."""
        pos = self.pos
        if pos >= self.end:
            self.fail("unexpected end")
        self.pos = pos + 1
        return self.data[pos]

    def unsigned(self, bits: int = 32) -> int:
        """An unsigned LEB128 number (WebAssembly core specification 5.2.2)."""
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

    def name(self) -> str:
        """A UTF-8 name with its length before it (core specification 5.2.4)."""
        size = self.unsigned()
        start = self.pos
        self.skip(size)
        try:
            return self.data[start : self.pos].decode()
        except UnicodeDecodeError:
            raise MalformedModule("a name that is not UTF-8", start) from None

    def count(self) -> int:
        """The length of a vector; each item takes a byte at least, so it cannot exceed them."""
        count = self.unsigned()
        if count > self.end - self.pos:
            self.fail(f"a vector of {count} items in {self.end - self.pos} bytes")
        return count
