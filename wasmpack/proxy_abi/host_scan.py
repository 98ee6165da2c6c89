"""The proxy's own first look at a module, before its engine sees it.

proxy-wasm-cpp-host scans the bytes itself (src/bytecode_util.cc): for the ABI marker among the
exports, and for function names in the custom section ``name``. It is more lenient than a
WebAssembly validator in some places and stricter in others, so a module can be valid and still be
refused here. This module follows that scan step by step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wasmpack.proxy_abi.abi import MARKERS
from wasmpack.wasm.cursor import Source

_EXPORT_SECTION = 7
_FUNCTION_NAMES = 1
_PRECOMPILED = b"precompiled_"
"""In the name of custom sections with machine code for a V8; proxies do not use it by default."""
_MAX_SECTIONS = 100_000
_MAX_NAMES = 2_000_000
"""The host has no such limits; no compiler comes near the first, and no module has more functions
than the second (a million of its own, a million imported)."""
_BULK = 8 << 20
_PIECE = 1 << 16
"""Bytes that are searched at once."""
_LONGEST_MARKER = max(map(len, MARKERS))
CORRUPTED = "Failed to parse corrupted Wasm module"
NO_ABI = "Missing or unknown Proxy-Wasm ABI version"
TOO_MUCH = "more than is followed here"
"""Not a message of the host's, which would continue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostScan:
    """The result of the host's scan: an ABI version, or the message with which it gives up."""

    abi: str | None
    """The version that the proxy uses: ``0.2.1``; None if it finds none."""
    stripped: bytes | None = None
    """The bytes passed to the engine, if they differ from the file."""
    refusal: str = ""
    """The message with which the proxy gives up; empty if it does not."""
    where: str = ""
    """The place where it gives up."""


class _Overrun(Exception):
    """The scan ran out of bytes or found a number it does not accept."""

    refusal = CORRUPTED


class _TooMuch(_Overrun):
    """The host would go on, and we do not."""

    refusal = TOO_MUCH


def host_scan(data: Source) -> HostScan:
    """Scan as the host does (wasm.cc, ``WasmBase::load``); never raises."""
    if len(data) >= 8 and data[:4] != b"\0asm":
        return HostScan(abi=None, refusal=CORRUPTED, where="header")
    sections = _Sections(data)
    abi = None
    try:
        abi = _abi_version(data, sections)
        if abi is None:
            return HostScan(abi=None, refusal=NO_ABI, where="exports")
        _function_names(data, sections)
        stripped = _strip(data, sections)
    except _Overrun as error:
        return HostScan(abi=abi, refusal=error.refusal, where=str(error))
    return HostScan(abi=abi, stripped=stripped)


def without_bulk(data: bytes) -> list[memoryview]:
    """The module in parts, without large custom sections, which change nothing for an engine."""
    view, parts = memoryview(data), []
    begin, before = 0, 8
    try:
        for number, start, end in _Sections(data):
            if number == 0 and end - start > _BULK:
                parts.append(view[begin:before])
                begin = end
            before = end
    except _Overrun:
        return [view]
    return [*parts, view[begin:]]


def _abi_version(data: Source, sections: _Sections) -> str | None:
    for number, start, end in sections:
        if number == _EXPORT_SECTION:
            return _first_marker(data, start, end)
    return None


def _first_marker(data: Source, pos: int, end: int) -> str | None:
    count, pos = _number(data, pos, end, "export section")
    if pos + count > end:
        raise _Overrun("export section: more exports than bytes")
    for _ in range(count):
        size, pos = _number(data, pos, end, "export section")
        if pos + size > end:
            raise _Overrun("export section: a name runs over its end")
        name = data[pos : pos + size] if size <= _LONGEST_MARKER else b""
        pos += size
        if pos >= len(data):
            raise _Overrun("export section: it ends inside an export")
        if data[pos] == 0 and name in MARKERS:
            return MARKERS[name]
        _, pos = _number(data, pos + 1, len(data), "export section")
    return None


def _function_names(data: Source, sections: _Sections) -> None:
    section = _custom_section(data, sections, b"name")
    if section is None:
        return
    left = _MAX_NAMES
    pos, end = section
    while pos < end:
        kind = data[pos]
        size, pos = _number(data, pos + 1, end, "custom section name")
        if pos + size > end:
            raise _Overrun("custom section name: a subsection runs over its end")
        if kind == _FUNCTION_NAMES:
            left -= _name_map(data, pos, end, size, left)
        pos += size


def _name_map(data: Source, pos: int, end: int, size: int, most: int) -> int:
    """How many names there are."""
    start = pos
    count, pos = _number(data, pos, end, "custom section name")
    if pos + count > end:
        raise _Overrun("custom section name: more function names than bytes")
    if count > most:
        raise _TooMuch(f"custom section name: more than {_MAX_NAMES} function names")
    for _ in range(count):
        _, pos = _number(data, pos, end, "custom section name")
        length, pos = _number(data, pos, end, "custom section name")
        if pos + length > end:
            raise _Overrun("custom section name: a function name runs over its end")
        pos += length
    if pos != start + size:
        raise _Overrun("custom section name: the function names do not fill their subsection")
    return count


def _strip(data: Source, sections: _Sections) -> bytes | None:
    """The bytes passed to the engine (``getStrippedSource``); None for the whole file.

    From the first custom section of precompiled code on, every custom section is left out.
    """
    kept: list[bytes] = []
    marks = _Marks(data, _PRECOMPILED)
    before = 8
    for number, start, end in sections:
        if number == 0:
            size, pos = _number(data, start, len(data), "custom section")
            if pos + size > len(data):
                raise _Overrun("custom section: its name runs over the end of the file")
            if not kept and marks.within(pos, pos + size):
                kept.append(data[:before])
        elif kept:
            kept.append(data[before:end])
        before = end
    return b"".join(kept) or None


def _custom_section(data: Source, sections: _Sections, wanted: bytes) -> tuple[int, int] | None:
    for number, start, end in sections:
        if number == 0:
            size, pos = _number(data, start, end, "custom section")
            if pos + size > end:
                raise _Overrun("custom section: its name runs over its end")
            if size == len(wanted) and data[pos : pos + size] == wanted:
                return pos + size, end
    return None


class _Marks:
    """Places of some text, in ranges that each begin after the previous one, and may overlap.

    A name may claim to reach the end of the file, and 100,000 of them may: each byte is searched
    once for all.
    """

    def __init__(self, data: Source, text: bytes) -> None:
        self._data = data
        self._text = text
        self._found = -1
        self._searched = 0
        """Nothing begins before it but what was found last."""

    def within(self, start: int, end: int) -> bool:
        """Return True if the text lies in this range."""
        if self._found < start:
            self._search(start, end)
        return start <= self._found <= end - len(self._text)

    def _search(self, start: int, end: int) -> None:
        at, last = max(start, self._searched), end - len(self._text) + 1
        while at < last:
            stop = min(at + _PIECE, last)
            found = self._data[at : stop + len(self._text) - 1].find(self._text)
            if found >= 0:
                self._found, self._searched = at + found, at + found + 1
                return
            at = stop
        self._searched = at


class _Sections:
    """(id, start, end) of each section; read as far as somebody goes, and then kept."""

    def __init__(self, data: Source) -> None:
        self._read = _frames(data)
        self._known: list[tuple[int, int, int]] = []

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        yield from self._known
        for section in self._read:
            self._known.append(section)
            yield section


def _frames(data: Source) -> Iterator[tuple[int, int, int]]:
    pos, end, seen = 8, len(data), 0
    while pos < end:
        seen += 1
        if seen > _MAX_SECTIONS:
            raise _TooMuch(f"more than {_MAX_SECTIONS} sections")
        number = data[pos]
        size, pos = _number(data, pos + 1, end, f"section {number}")
        if pos + size > end:
            raise _Overrun(f"section {number}: {size} bytes run over the end of the file")
        yield number, pos, pos + size
        pos += size


def _number(data: Source, pos: int, end: int, where: str) -> tuple[int, int]:
    """An unsigned LEB128 as the host reads it: at most 5 bytes, the last at most 3."""
    total = shift = 0
    while pos < end:
        byte = data[pos]
        pos += 1
        value = byte & 0x7F
        if shift == 28 and value > 3:
            raise _Overrun(f"{where}: a number larger than the host reads")
        total += value << shift
        if not byte & 0x80:
            return total, pos
        shift += 7
        if shift > 28:
            raise _Overrun(f"{where}: a number longer than the host reads")
    raise _Overrun(f"{where}: it ends inside a number")
