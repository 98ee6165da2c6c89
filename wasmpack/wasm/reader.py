"""Lists what a module declares: bounded, linear, nothing compiled and nothing run.

>>> read_module(b"\\0asm\\1\\0\\0\\0").sections
()

wasmtime has no API for custom sections and compiles before it lists exports; this reader takes a
millisecond for megabytes. It is lenient about what it skips (function bodies, data): whether a
module is valid is wasmtime's word (:mod:`wasmpack.dry_run.engine`). A test compares the two
listings on every module there is.
"""

from wasmpack.wasm.cursor import MAGIC, Cursor, MalformedModule, Source, check_utf8
from wasmpack.wasm.index_spaces import IndexSpaces
from wasmpack.wasm.types import Module, Section, name_text, names

_CORE_VERSION = b"\x01\x00\x00\x00"
_COMPONENT_LAYER = b"\x01\x00"
_NAMES = names("section")
_MAX_SECTIONS = 100_000
"""Engines have no such limit; no compiler comes near it."""
_HEAD = 6
"""Bytes of a section's id and size, or of the length of its name."""
_CUSTOM_NAME = 256
"""Bytes of a custom section's name that are kept."""
_PRODUCERS = 1 << 16
"""Bytes of a ``producers`` section; real ones have a few hundred."""
_SHOWN = 4096
"""Bytes examined to guess another format."""


def read_module(data: Source) -> Module:
    """Read the declarations of a core module.

    :param data: the binary format, whole
    :raises MalformedModule: with the offset; a component and WAT text are named as what they are
    """
    _check_header(data)
    sections = _sections(data)
    by_name: dict[str, Section] = {}
    for section in sections:
        by_name.setdefault(section.name, section)
    spaces = IndexSpaces(data, by_name)
    return Module(
        size=len(data),
        sections=tuple(sections),
        imports=spaces.imports,
        exports=spaces.exports(),
        memories=spaces.memories,
        largest_table=spaces.largest_table,
        table_elements=spaces.table_elements,
        start=spaces.start(),
        producers=_producers(data, sections),
    )


def _check_header(data: Source) -> None:
    if data[:4] != MAGIC:
        raise MalformedModule(
            _not_wasm(data[:_SHOWN]),
            0,
            hint="give the compiled .wasm file (text is taken from a .wat file)",
        )
    if data[6:8] == _COMPONENT_LAYER:
        raise MalformedModule(
            "a WebAssembly component, not a core module: no proxy loads components",
            4,
            hint="build for wasm32-wasip1 (core module) instead of wasm32-wasip2",
        )
    if data[4:8] != _CORE_VERSION:
        raise MalformedModule(f"unknown binary version {data[4:8].hex(' ')!r}", 4)


def _not_wasm(data: bytes) -> str:
    if not data:
        return "the file is empty"
    if data[:2] == b"\x1f\x8b":
        return "gzip data, not a WebAssembly module"
    if data.lstrip()[:7] == b"(module" or data.lstrip()[:2] == b";;":
        return "WebAssembly text, not the binary format"
    if data[:4] == b"\x7fELF":
        return "a native program (ELF), not a WebAssembly module"
    return f"not a WebAssembly module: it starts with {data[:4].hex(' ')}, not 00 61 73 6d"


def _sections(data: Source) -> list[Section]:
    found: list[Section] = []
    at, end = 8, len(data)
    while at < end:
        section = _section(data, at)
        found.append(section)
        at = section.offset + section.size
        if len(found) > _MAX_SECTIONS:
            raise MalformedModule(f"more than {_MAX_SECTIONS} sections, which are not read", at)
    return found


def _section(data: Source, at: int) -> Section:
    head = data[at : at + _HEAD]
    cursor = Cursor(head, 0, len(head), base=at)
    number = cursor.byte()
    name = _NAMES.get(number, f"unknown {number}")
    size = cursor.unsigned()
    offset = at + cursor.pos
    if size > len(data) - offset:
        raise MalformedModule(
            f"section {number} ({name}) of {size} bytes runs over the end of the file", at
        )
    custom = _custom_name(data, offset, size) if number == 0 else None
    return Section(number, name, offset, size, custom)


def _custom_name(data: Source, offset: int, size: int) -> str:
    head = data[offset : offset + min(size, _HEAD)]
    cursor = Cursor(head, 0, len(head), base=offset)
    length = cursor.unsigned()
    start = offset + cursor.pos
    if length > offset + size - start:
        cursor.fail("unexpected end")
    raw = data[start : start + length]
    check_utf8(raw, start)
    return name_text(raw, _CUSTOM_NAME)


def _producers(data: Source, sections: list[Section]) -> dict[str, tuple[tuple[str, str], ...]]:
    """The ``producers`` custom section (tool-conventions); a damaged one counts as absent."""
    section = next((s for s in sections if s.custom_name == "producers"), None)
    if section is None or section.size > _PRODUCERS:
        return {}
    cursor = section.cursor(data)
    try:
        cursor.name()
        fields = {}
        for _ in range(cursor.count()):
            field = cursor.name().decode()
            fields[field] = tuple(
                (cursor.name().decode(), cursor.name().decode()) for _ in range(cursor.count())
            )
    except MalformedModule:
        return {}
    return fields
