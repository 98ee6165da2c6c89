"""Declarations of a module: sections, imports, exports, memories."""

import json
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

from wasmpack.wasm.cursor import Cursor, Source

_LONGEST_NAME = 4096
"""Bytes of a name that are shown; engines accept names of any length."""


class Section(NamedTuple):
    """One section; ``offset`` and ``size`` in bytes, of its content."""

    id: int
    """As it is in the file."""
    name: str
    """``type``, ``import``, … or ``custom``."""
    offset: int
    """Of its content, from the beginning of the file."""
    size: int
    """Of its content."""
    custom_name: str | None = None
    """None unless it is a custom section."""

    @property
    def label(self) -> str:
        """``code``, or the name of a custom section."""
        return self.name if self.custom_name is None else self.custom_name

    def cursor(self, data: Source) -> Cursor:
        """At the beginning of its content, which is read whole if it is somewhere else."""
        if isinstance(data, bytes):
            return Cursor(data, self.offset, self.offset + self.size)
        content = data[self.offset : self.offset + self.size]
        return Cursor(content, 0, self.size, base=self.offset)


class Type(Protocol):
    """The type of imports or exports, worked out once for all of that type."""

    @property
    def text(self) -> str:
        """``(i32, i32) -> i32`` for functions, cut where it gets long; made when it is shown."""

    @property
    def plain(self) -> bool:
        """V8's C interface has a name for it."""


class Described(NamedTuple):
    """A type that is its text."""

    text: str
    plain: bool


class _Named:
    """Members common to imports and exports."""

    __slots__ = ()
    raw_name: bytes
    """As it is in the file, UTF-8: text of a few of them may take gigabytes."""
    means: Type
    """Its type."""

    @property
    def name(self) -> str:
        """The name, cut where it gets long."""
        return name_text(self.raw_name)

    @property
    def type(self) -> str:
        """``(i32, i32) -> i32`` for functions."""
        return self.means.text


@dataclass(frozen=True, slots=True)
class Import(_Named):
    """Something the host has to provide."""

    raw_module: bytes
    """The name of the host's module as it is in the file, UTF-8."""
    raw_name: bytes
    """As it is in the file, UTF-8."""
    kind: str
    """``func``, ``table``, ``memory``, ``global`` or ``tag``."""
    means: Type
    """Its type."""

    @property
    def module(self) -> str:
        """The name of the host's module, cut where it gets long."""
        return name_text(self.raw_module)


@dataclass(frozen=True, slots=True)
class Export(_Named):
    """Something the module offers, in export order."""

    raw_name: bytes
    """The name as it is in the file, UTF-8."""
    kind: str
    """``func``, ``table``, ``memory``, ``global`` or ``tag``."""
    index: int
    """Among all of its kind."""
    means: Type
    """Its type."""


def names(kind: str) -> Mapping[int, str]:
    """Names of sections, value types or heap types by their number in the binary format."""
    tables = json.loads(pkgutil.get_data(__name__, "names.json") or b"")
    return {int(number, 0): name for number, name in tables[kind].items()}


def name_text(raw: bytes, most: int = _LONGEST_NAME) -> str:
    """A name as it is shown and looked up: names that a proxy knows are never cut."""
    if len(raw) <= most:
        return raw.decode()
    return f"{raw[:most].decode(errors='ignore')}…"


class Memory(NamedTuple):
    """Limits of a memory, in pages of 64 KiB."""

    minimum: int
    """Pages at the start."""
    maximum: int | None
    """None if unlimited."""
    shared: bool = False
    """Between threads."""
    is_64: bool = False
    """Addressed by 64 bits."""

    def __str__(self) -> str:
        most = "+" if self.maximum is None else f" to {self.maximum}"
        flags = (" shared" if self.shared else "") + (" i64" if self.is_64 else "")
        return f"{self.minimum}{most} pages{flags}"


class TableType(NamedTuple):
    """Limits of a table, in elements."""

    element: str
    minimum: int
    maximum: int | None
    is_64: bool = False

    def __str__(self) -> str:
        most = "" if self.maximum is None else str(self.maximum)
        return f"{self.element} {self.minimum}..{most}{' i64' if self.is_64 else ''}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Module:
    """A module's declarations; nothing of it was run or compiled."""

    size: int
    """Bytes of the file."""
    sections: tuple[Section, ...]
    """In the order of the file."""
    imports: tuple[Import, ...]
    """In the order of the file."""
    exports: tuple[Export, ...]
    """In the order of the file."""
    memories: tuple[Memory, ...]
    """Imported ones first."""
    largest_table: int
    """Elements that the largest table starts with."""
    table_elements: int
    """Elements that all tables together start with."""
    start: int | None
    """Function index of the start section."""
    producers: Mapping[str, tuple[tuple[str, str], ...]]
    """The tool conventions' ``producers`` section: field -> (name, version) pairs."""

    @cached_property
    def distinct_imports(self) -> tuple[Import, ...]:
        """Each import once: a module may import the same a million times."""
        return tuple(dict.fromkeys(self.imports))

    @cached_property
    def functions(self) -> Mapping[bytes, Export]:
        """Exported functions by their name; of several, which is not valid, the first."""
        found: dict[bytes, Export] = {}
        for export in self.exports:
            if export.kind == "func":
                found.setdefault(export.raw_name, export)
        return found

    def exported(self, name: str) -> Export | None:
        """The exported function of that name."""
        return self.functions.get(name.encode())

    def section(self, name: str) -> Section | None:
        """The first section of that name; ``custom`` is the name of many."""
        return next((section for section in self.sections if section.name == name), None)

    def custom(self, name: str) -> Section | None:
        """The first custom section of that name."""
        for section in self.sections:
            if section.custom_name == name:
                return section
        return None
