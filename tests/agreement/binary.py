"""WebAssembly modules taken apart and put together again, for mutation: no validity is asked for."""

from __future__ import annotations

from dataclasses import dataclass

CUSTOM, TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, START, ELEMENT, CODE, DATA = range(
    12
)
HEADER = b"\0asm\1\0\0\0"


def leb(value: int, *, pad: int = 0) -> bytes:
    """Unsigned LEB128, with ``pad`` bytes more than needed."""
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        if value or pad:
            out.append(byte | 0x80)
            if not value:
                pad -= 1
        else:
            out.append(byte)
            return bytes(out)


def read_leb(data: bytes, pos: int) -> tuple[int, int]:
    """A number and the position behind it."""
    value = shift = 0
    while True:
        byte = data[pos]
        pos += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, pos


def text(name: bytes) -> bytes:
    """A name with its length before it."""
    return leb(len(name)) + name


def vector(items: list[bytes]) -> bytes:
    """Items with their number before them."""
    return leb(len(items)) + b"".join(items)


def sections(data: bytes) -> list[tuple[int, bytes]]:
    """(id, content) of a well-framed module."""
    found, pos = [], 8
    while pos < len(data):
        number = data[pos]
        size, pos = read_leb(data, pos + 1)
        found.append((number, data[pos : pos + size]))
        pos += size
    return found


def module(parts: list[tuple[int, bytes]]) -> bytes:
    """The reverse of :func:`sections`."""
    return HEADER + b"".join(bytes([n]) + leb(len(body)) + body for n, body in parts)


@dataclass
class Import:
    """One import; ``rest`` is its kind and type as bytes."""

    module: bytes
    name: bytes
    rest: bytes

    def encode(self) -> bytes:
        return text(self.module) + text(self.name) + self.rest


@dataclass
class Export:
    """One export."""

    name: bytes
    kind: int
    index: int

    def encode(self) -> bytes:
        return text(self.name) + bytes([self.kind]) + leb(self.index)


def imports(body: bytes) -> list[Import]:
    """Of an import section with plain types."""
    count, pos = read_leb(body, 0)
    found = []
    for _ in range(count):
        names = []
        for _ in range(2):
            size, pos = read_leb(body, pos)
            names.append(body[pos : pos + size])
            pos += size
        start = pos
        kind = body[pos]
        pos += 1 if kind in {0, 2} else 2
        if kind in {1, 2}:
            flags, pos = read_leb(body, pos)
            _, pos = read_leb(body, pos)
            if flags & 1:
                _, pos = read_leb(body, pos)
        elif kind == 3:
            pos += 0
        else:
            _, pos = read_leb(body, pos)
        if kind == 3:
            pos = start + 3
        found.append(Import(names[0], names[1], body[start:pos]))
    return found


def exports(body: bytes) -> list[Export]:
    """Of an export section."""
    count, pos = read_leb(body, 0)
    found = []
    for _ in range(count):
        size, pos = read_leb(body, pos)
        name = body[pos : pos + size]
        kind = body[pos + size]
        index, pos = read_leb(body, pos + size + 1)
        found.append(Export(name, kind, index))
    return found
