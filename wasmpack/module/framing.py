"""The proxy's own first look at a module, before its engine sees it.

proxy-wasm-cpp-host scans the bytes itself (src/bytecode_util.cc): for the ABI marker among the
exports, and for function names in the custom section ``name``. It is more lenient than a
WebAssembly validator in some places and stricter in others, so a module can be valid and still be
refused here. This module follows that scan step by step.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from wasmpack.module.abi import MARKERS
from wasmpack.module.cursor import Source

_EXPORT_SECTION = 7
_FUNCTION_NAMES = 1
_PRECOMPILED = b"precompiled_"
"""In the name of custom sections with machine code for a V8; proxies do not use it by default."""
_MAX_SECTIONS = 100_000
"""The host has no such limit; no compiler comes near it."""
_BULK = 8 << 20
CORRUPTED = "Failed to parse corrupted Wasm module"
NO_ABI = "Missing or unknown Proxy-Wasm ABI version"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostScan:
    """What the host's scan finds: an ABI version, or the words with which it gives up."""

    abi: str | None
    stripped: bytes | None = None
    """What the engine gets, where it is not the file itself."""
    refusal: str = ""
    where: str = ""


class _Overrun(Exception):
    """The scan ran out of bytes or met a number it does not take."""


def host_scan(data: Source) -> HostScan:
    """Scan as the host does (wasm.cc, ``WasmBase::load``); never raises."""
    if len(data) >= 8 and data[:4] != b"\0asm":
        return HostScan(abi=None, refusal=CORRUPTED, where="header")
    try:
        abi = _abi_version(data)
    except _Overrun as error:
        return HostScan(abi=None, refusal=CORRUPTED, where=str(error))
    if abi is None:
        return HostScan(abi=None, refusal=NO_ABI, where="exports")
    try:
        _function_names(data)
        stripped = _strip(data)
    except _Overrun as error:
        return HostScan(abi=abi, refusal=CORRUPTED, where=str(error))
    return HostScan(abi=abi, stripped=stripped)


def without_bulk(data: bytes) -> list[memoryview]:
    """The module in parts, without large custom sections, which change nothing for an engine."""
    view, parts = memoryview(data), []
    begin, before = 0, 8
    try:
        for number, start, end in _sections(data):
            if number == 0 and end - start > _BULK:
                parts.append(view[begin:before])
                begin = end
            before = end
    except _Overrun:
        return [view]
    return [*parts, view[begin:]]


def _abi_version(data: Source) -> str | None:
    for number, start, end in _sections(data):
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
        name = data[pos : pos + size]
        pos += size
        if pos >= len(data):
            raise _Overrun("export section: it ends inside an export")
        if data[pos] == 0 and name in MARKERS:
            return MARKERS[name]
        _, pos = _number(data, pos + 1, len(data), "export section")
    return None


def _function_names(data: Source) -> None:
    section = _custom_section(data, b"name")
    if section is None:
        return
    pos, end = section
    while pos < end:
        kind = data[pos]
        size, pos = _number(data, pos + 1, end, "custom section name")
        if pos + size > end:
            raise _Overrun("custom section name: a subsection runs over its end")
        if kind == _FUNCTION_NAMES:
            _name_map(data, pos, end, size)
        pos += size


def _name_map(data: Source, pos: int, end: int, size: int) -> None:
    start = pos
    count, pos = _number(data, pos, end, "custom section name")
    if pos + count > end:
        raise _Overrun("custom section name: more function names than bytes")
    for _ in range(count):
        _, pos = _number(data, pos, end, "custom section name")
        length, pos = _number(data, pos, end, "custom section name")
        if pos + length > end:
            raise _Overrun("custom section name: a function name runs over its end")
        pos += length
    if pos != start + size:
        raise _Overrun("custom section name: the function names do not fill their subsection")


def _strip(data: Source) -> bytes | None:
    """What the engine gets (``getStrippedSource``); None if it gets it all.

    From the first custom section of precompiled code on, every custom section is left out.
    """
    kept: list[bytes] = []
    before = 8
    for number, start, end in _sections(data):
        if number == 0:
            size, pos = _number(data, start, len(data), "custom section")
            if pos + size > len(data):
                raise _Overrun("custom section: its name runs over the end of the file")
            if not kept and _PRECOMPILED in data[pos : pos + size]:
                kept.append(data[:before])
        elif kept:
            kept.append(data[before:end])
        before = end
    return b"".join(kept) or None


def _custom_section(data: Source, wanted: bytes) -> tuple[int, int] | None:
    for number, start, end in _sections(data):
        if number == 0:
            size, pos = _number(data, start, end, "custom section")
            if pos + size > end:
                raise _Overrun("custom section: its name runs over its end")
            if data[pos : pos + size] == wanted:
                return pos + size, end
    return None


def _sections(data: Source) -> Iterator[tuple[int, int, int]]:
    pos, end, seen = 8, len(data), 0
    while pos < end:
        seen += 1
        if seen > _MAX_SECTIONS:
            raise _Overrun(f"more than {_MAX_SECTIONS} sections")
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
