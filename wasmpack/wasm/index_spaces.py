"""Imports, definitions and exports of a module: each index space begins with the imports."""

from array import array
from collections.abc import Iterator, Mapping, Sequence

from wasmpack.wasm import limits
from wasmpack.wasm.code import skip_const_expr
from wasmpack.wasm.cursor import Cursor, Source
from wasmpack.wasm.type_section import (
    PLAIN_NAMES,
    TypeSection,
    global_type,
    memory_type,
    table_type,
)
from wasmpack.wasm.types import Described, Export, Import, Memory, Section, TableType, Type

_KINDS = ("func", "table", "memory", "global", "tag")


class IndexSpaces:
    """The index spaces of functions, tables, memories, globals and tags."""

    def __init__(self, data: Source, sections: Mapping[str, Section]) -> None:
        """:param sections: the first of each name."""
        self._data = data
        self._sections = sections
        self._types = TypeSection(self._cursor("type"))
        self._imported: dict[str, list[Type]] = {kind: [] for kind in _KINDS}
        self._memories: list[Memory] = []
        self.largest_table = self.table_elements = 0
        self.imports = tuple(self._imports())
        self._defined: dict[str, Sequence[Type | int]] = {
            "memory": [self._memory(memory_type(cursor)) for cursor in self._items("memory")],
            "table": [self._table(_defined_table(cursor)) for cursor in self._items("table")],
        }

    @property
    def memories(self) -> tuple[Memory, ...]:
        """Imported ones first."""
        return tuple(self._memories)

    def exports(self) -> tuple[Export, ...]:
        """All exports, with the type of what they name."""
        return tuple(self._exports())

    def start(self) -> int | None:
        """The index of the start function."""
        cursor = self._cursor("start")
        return cursor.unsigned() if cursor else None

    def _exports(self) -> Iterator[Export]:
        for cursor in self._items("export"):
            name, code, index = cursor.name(), cursor.byte(), cursor.unsigned()
            if code >= len(_KINDS):
                cursor.fail(f"unknown export kind {code:#x}")
            yield Export(name, _KINDS[code], index, self._type_of(_KINDS[code], index, cursor))

    def _cursor(self, name: str) -> Cursor | None:
        section = self._sections.get(name)
        return section.cursor(self._data) if section else None

    def _items(self, name: str) -> Iterator[Cursor]:
        """The section's cursor, at each of its items in turn."""
        cursor = self._cursor(name)
        if cursor is not None:
            for _ in range(cursor.count(limits.ITEMS[name])):
                yield cursor

    def _imports(self) -> Iterator[Import]:
        for cursor in self._items("import"):
            module, name, code = cursor.name(), cursor.name(), cursor.byte()
            if code >= len(_KINDS):
                cursor.fail(f"unknown import kind {code:#x}")
            means = self._import_type(_KINDS[code], cursor)
            self._imported[_KINDS[code]].append(means)
            yield Import(module, name, _KINDS[code], means)

    def _import_type(self, kind: str, cursor: Cursor) -> Type:
        if kind == "func":
            return self._type(cursor.unsigned(), cursor)
        if kind == "table":
            return self._table(table_type(cursor))
        if kind == "memory":
            return self._memory(memory_type(cursor))
        if kind == "global":
            return global_type(cursor)
        return self._tag(cursor)

    def _memory(self, memory: Memory) -> Type:
        self._memories.append(memory)
        return Described(str(memory), plain=True)

    def _table(self, table: TableType) -> Type:
        self.largest_table = max(self.largest_table, table.minimum)
        self.table_elements += table.minimum
        return Described(str(table), plain=table.element in PLAIN_NAMES)

    def _tag(self, cursor: Cursor) -> Type:
        cursor.byte()
        return self._type(cursor.unsigned(), cursor)

    def _type(self, index: int, cursor: Cursor) -> Type:
        if index >= len(self._types):
            cursor.fail(f"type {index} of {len(self._types)}")
        return self._types[index]

    def _type_of(self, kind: str, index: int, cursor: Cursor) -> Type:
        imported, own = self._imported[kind], self._own(kind)
        if index < len(imported):
            return imported[index]
        if index >= len(imported) + len(own):
            count = len(imported) + len(own)
            cursor.fail(f"an export of {kind} {index}, of which there are {count}")
        found = own[index - len(imported)]
        return self._type(found, cursor) if isinstance(found, int) else found

    def _own(self, kind: str) -> Sequence[Type | int]:
        """The module's own definitions, functions by their type's index.

        Functions, globals and tags are only read if one is exported.
        """
        if kind not in self._defined:
            if kind == "func":
                cursor = self._cursor("function")
                self._defined[kind] = _indices(cursor) if cursor else b""
            elif kind == "global":
                self._defined[kind] = [_defined_global(c) for c in self._items("global")]
            else:
                self._defined[kind] = [self._tag(cursor) for cursor in self._items("tag")]
        return self._defined[kind]


def _indices(cursor: Cursor) -> Sequence[int]:
    """A vector of type indices; when each takes one byte, the bytes are the indices."""
    count = cursor.count(limits.ITEMS["function"])
    rest = cursor.data[cursor.pos : cursor.end]
    if len(rest) == count and rest.isascii():
        return rest
    return array("I", (cursor.unsigned() for _ in range(count)))


def _defined_table(cursor: Cursor) -> TableType:
    if cursor.peek() == 0x40:
        cursor.skip(2)
        table = table_type(cursor)
        skip_const_expr(cursor)
        return table
    return table_type(cursor)


def _defined_global(cursor: Cursor) -> Type:
    found = global_type(cursor)
    skip_const_expr(cursor)
    return found
