"""What a module declares: sections, imports, exports, memories."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """One section; ``offset`` and ``size`` in bytes, of its content."""

    id: int
    name: str
    """``type``, ``import``, … or ``custom``."""
    offset: int
    size: int
    custom_name: str | None = None

    @property
    def label(self) -> str:
        """``code``, or the name of a custom section."""
        return self.name if self.custom_name is None else self.custom_name


@dataclass(frozen=True, slots=True)
class Import:
    """Something the host has to provide. ``type`` is text: ``(i32, i32) -> i32`` for functions."""

    module: str
    name: str
    kind: str
    type: str


@dataclass(frozen=True, slots=True)
class Export:
    """Something the module offers, in export order."""

    name: str
    kind: str
    index: int
    type: str


@dataclass(frozen=True, slots=True)
class Memory:
    """Limits of a memory, in pages of 64 KiB."""

    minimum: int
    maximum: int | None
    shared: bool = False
    is_64: bool = False

    def __str__(self) -> str:
        most = "+" if self.maximum is None else f" to {self.maximum}"
        flags = (" shared" if self.shared else "") + (" i64" if self.is_64 else "")
        return f"{self.minimum}{most} pages{flags}"


@dataclass(frozen=True, slots=True)
class TableType:
    """Limits of a table, in elements."""

    element: str
    minimum: int
    maximum: int | None
    is_64: bool = False

    def __str__(self) -> str:
        most = "" if self.maximum is None else str(self.maximum)
        return f"{self.element} {self.minimum}..{most}{' i64' if self.is_64 else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A module's declarations; nothing of it was run or compiled."""

    size: int
    sections: tuple[Section, ...]
    imports: tuple[Import, ...]
    exports: tuple[Export, ...]
    memories: tuple[Memory, ...]
    """Imported ones first."""
    largest_table: int
    """Elements that the largest table starts with."""
    start: int | None
    """Function index of the start section."""
    producers: Mapping[str, tuple[tuple[str, str], ...]]
    """The tool conventions' ``producers`` section: field -> (name, version) pairs."""

    def exported(self, name: str, kind: str = "func") -> Export | None:
        """The export of that name and kind."""
        for export in self.exports:
            if export.name == name and export.kind == kind:
                return export
        return None

    def custom(self, name: str) -> Section | None:
        """The first custom section of that name."""
        for section in self.sections:
            if section.custom_name == name:
                return section
        return None
