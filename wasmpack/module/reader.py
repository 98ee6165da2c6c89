"""Lists what a module declares: bounded, linear, nothing compiled and nothing run.

>>> read_module(b"\\0asm\\1\\0\\0\\0").sections
()

wasmtime has no API for custom sections and compiles before it lists exports; this reader takes a
millisecond for megabytes. It is lenient about what it skips (function bodies, data): whether a
module is valid is wasmtime's word (:mod:`wasmpack.module.engine`). A test compares the two
listings on every module there is.
"""

from collections.abc import Mapping

from wasmpack.module.const_expr import skip_const_expr
from wasmpack.module.cursor import Cursor, MalformedModule, Source
from wasmpack.module.type_section import (
    global_type,
    memory_type,
    read_types,
    table_type,
)
from wasmpack.module.types import Export, Import, Memory, Module, Section, TableType

MAGIC = b"\0asm"
_CORE_VERSION = b"\x01\x00\x00\x00"
_COMPONENT_LAYER = b"\x01\x00"
_NAMES = (
    "custom", "type", "import", "function", "table", "memory", "global", "export", "start",
    "element", "code", "data", "data count", "tag",
)  # fmt: skip
"""Section names by id (core specification 5.5.2; 13 is the exception handling proposal's)."""
_KINDS = ("func", "table", "memory", "global", "tag")
_MAX_SECTIONS = 100_000
_SHOWN = 4096
"""Bytes looked at to say what else it may be."""


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
    space = _IndexSpace(data, by_name)
    return Module(
        size=len(data),
        sections=tuple(sections),
        imports=space.imports,
        exports=space.exports(),
        memories=space.memories,
        largest_table=space.largest_table,
        start=space.start(),
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
    cursor = Cursor(data, 8, len(data))
    while cursor.pos < cursor.end:
        start = cursor.pos
        number = cursor.byte()
        name = _NAMES[number] if number < len(_NAMES) else f"unknown {number}"
        size = cursor.unsigned()
        offset = cursor.pos
        if size > cursor.end - offset:
            raise MalformedModule(
                f"section {number} ({name}) of {size} bytes runs over the end of the file", start
            )
        custom = Cursor(data, offset, offset + size).name() if number == 0 else None
        found.append(Section(number, name, offset, size, custom))
        if len(found) > _MAX_SECTIONS:
            cursor.fail("too many sections")
        cursor.skip(size)
    return found


class _IndexSpace:
    """The index spaces of functions, tables, memories and globals: imported ones come first."""

    def __init__(self, data: Source, sections: Mapping[str, Section]) -> None:
        self._data = data
        self._sections = sections
        cursor = self._cursor("type")
        self._types = read_types(cursor) if cursor else []
        self._spaces: dict[str, list[str]] = {kind: [] for kind in _KINDS}
        self._imported_memories: list[Memory] = []
        self.largest_table = 0
        self.imports = tuple(self._imports())
        self.memories = (*self._imported_memories, *self._own_memories())
        self._own_tables()

    def exports(self) -> tuple[Export, ...]:
        """All exports, with the type of what they name."""
        cursor = self._cursor("export")
        if cursor is None:
            return ()
        rows = [(cursor.name(), cursor.byte(), cursor.unsigned()) for _ in range(cursor.count())]
        for code in {code for _, code, _ in rows}:
            if code >= len(_KINDS):
                cursor.fail(f"unknown export kind {code:#x}")
            self._extend(_KINDS[code])
        return tuple(
            Export(name, _KINDS[code], index, self._type_of(_KINDS[code], index, cursor))
            for name, code, index in rows
        )

    def start(self) -> int | None:
        cursor = self._cursor("start")
        return cursor.unsigned() if cursor else None

    def _cursor(self, name: str) -> Cursor | None:
        section = self._sections.get(name)
        if section is None:
            return None
        return Cursor(self._data, section.offset, section.offset + section.size)

    def _imports(self) -> list[Import]:
        cursor = self._cursor("import")
        found: list[Import] = []
        for _ in range(cursor.count() if cursor else 0):
            assert cursor
            module, name, code = cursor.name(), cursor.name(), cursor.byte()
            if code >= len(_KINDS):
                cursor.fail(f"unknown import kind {code:#x}")
            text = self._import_type(_KINDS[code], cursor)
            self._spaces[_KINDS[code]].append(text)
            found.append(Import(module, name, _KINDS[code], text))
        return found

    def _import_type(self, kind: str, cursor: Cursor) -> str:
        if kind == "func":
            return self._type(cursor.unsigned(), cursor)
        if kind == "table":
            return self._table(table_type(cursor))
        if kind == "memory":
            memory = memory_type(cursor)
            self._imported_memories.append(memory)
            return str(memory)
        if kind == "global":
            return global_type(cursor)
        cursor.byte()
        return self._type(cursor.unsigned(), cursor)

    def _own_memories(self) -> list[Memory]:
        cursor = self._cursor("memory")
        found = [memory_type(cursor) for _ in range(cursor.count())] if cursor else []
        self._spaces["memory"] += [str(memory) for memory in found]
        return found

    def _own_tables(self) -> None:
        cursor = self._cursor("table")
        for _ in range(cursor.count() if cursor else 0):
            assert cursor
            self._spaces["table"].append(self._table(_defined_table(cursor)))

    def _table(self, table: TableType) -> str:
        self.largest_table = max(self.largest_table, table.minimum)
        return str(table)

    def _extend(self, kind: str) -> None:
        """Add what the module defines itself; only done for kinds that are exported."""
        sections = {"func": "function", "global": "global", "tag": "tag"}
        cursor = self._cursor(sections[kind]) if kind in sections else None
        if cursor is None:
            return
        space = self._spaces[kind]
        count = cursor.count()
        if kind == "func":
            space += [self._type(index, cursor) for index in _indices(cursor, count)]
        elif kind == "global":
            space += [_defined_global(cursor) for _ in range(count)]
        else:
            space += [self._defined_tag(cursor) for _ in range(count)]

    def _defined_tag(self, cursor: Cursor) -> str:
        cursor.byte()
        return self._type(cursor.unsigned(), cursor)

    def _type(self, index: int, cursor: Cursor) -> str:
        if index >= len(self._types):
            cursor.fail(f"type {index} of {len(self._types)}")
        return self._types[index]

    def _type_of(self, kind: str, index: int, cursor: Cursor) -> str:
        space = self._spaces[kind]
        if index >= len(space):
            cursor.fail(f"an export of {kind} {index}, of which there are {len(space)}")
        return space[index]


def _indices(cursor: Cursor, count: int) -> list[int] | bytes:
    """A vector of type indices; when each takes one byte, the bytes are the indices."""
    rest = cursor.data[cursor.pos : cursor.end]
    if len(rest) == count and rest.isascii():
        return rest
    return [cursor.unsigned() for _ in range(count)]


def _defined_table(cursor: Cursor) -> TableType:
    if cursor.pos + 1 < cursor.end and cursor.data[cursor.pos] == 0x40:
        cursor.skip(2)
        table = table_type(cursor)
        skip_const_expr(cursor)
        return table
    return table_type(cursor)


def _defined_global(cursor: Cursor) -> str:
    text = global_type(cursor)
    skip_const_expr(cursor)
    return text


def _producers(data: Source, sections: list[Section]) -> dict[str, tuple[tuple[str, str], ...]]:
    """The ``producers`` custom section (tool-conventions); a damaged one counts as absent."""
    section = next((s for s in sections if s.custom_name == "producers"), None)
    if section is None:
        return {}
    cursor = Cursor(data, section.offset, section.offset + section.size)
    try:
        cursor.name()
        fields = {}
        for _ in range(cursor.count()):
            field = cursor.name()
            fields[field] = tuple((cursor.name(), cursor.name()) for _ in range(cursor.count()))
    except MalformedModule:
        return {}
    return fields
