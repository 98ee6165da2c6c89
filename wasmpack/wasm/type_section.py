"""Value types and the type section (WebAssembly core specification 3.0, 5.3).

A module may declare a million types, each of a thousand parameters. So the section is passed over
once, to know where each type begins; what a type means is worked out once, when something that is
imported or exported is of it, and its text when it is shown.
"""

import re
from array import array
from dataclasses import dataclass
from functools import cache

from wasmpack.wasm import limits
from wasmpack.wasm.cursor import Cursor, signed
from wasmpack.wasm.types import Described, Memory, TableType, Type, names

_VALUES, _HEAPS = names("value"), names("heap")
_ONE_BYTE = bytes((*_VALUES, *_HEAPS))
_NULLABLE, _NOT_NULL = 0x63, 0x64
_REC, _SUB, _SUB_FINAL, _FUNC, _STRUCT, _ARRAY = 0x4E, 0x50, 0x4F, 0x60, 0x5F, 0x5E
_VALUE = rb"(?:[\x69-\x74\x7b-\x7f]|[\x63\x64]" + signed(33) + rb")"
_FIELD = rb"(?:(?:" + _VALUE + rb"|[\x77\x78])[\x00\x01])"
"""i8 and i16 are only inside structs and arrays; then whether it can change."""
_PLAIN_BYTES = b"\x6f\x70\x7c\x7d\x7e\x7f"
_PLAIN = rb"(?:[\x6f\x70\x7c-\x7f]|\x63[\x6f\x70])"
"""Value types that V8's C interface has a name for (wasm.h, ``wasm_valkind_t``)."""
PLAIN_NAMES = frozenset({"i32", "i64", "f32", "f64", "funcref", "externref"})
_SHOWN = 64
"""Parameters or results whose types are shown; no function of the ABI has as many as 16."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FunctionType:
    """A signature, of which as many bytes are kept as are shown."""

    params: bytes
    results: bytes
    more: tuple[int, int]
    """Parameters and results that are not among these bytes."""
    plain: bool

    @property
    def text(self) -> str:
        """``(i32, i32) -> i32``; no result or several are put in parentheses."""
        params, results = _names(self.params, self.more[0]), _names(self.results, self.more[1])
        out = results[0] if len(results) == 1 else f"({', '.join(results)})"
        return f"({', '.join(params)}) -> {out}"


class TypeSection:
    """The types by their index."""

    def __init__(self, cursor: Cursor | None) -> None:
        """Pass over all of them.

        :param cursor: the section; None if absent
        """
        self._starts = array("Q")
        self._known: dict[int, Type] = {}
        self._cursor = cursor
        if cursor is not None:
            self._pass_over(cursor)

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int) -> Type:
        """The meaning of the type; the same object each time."""
        if index not in self._known:
            assert self._cursor
            self._cursor.pos = self._starts[index]
            self._known[index] = _meaning(self._cursor)
        return self._known[index]

    def _pass_over(self, cursor: Cursor) -> None:
        most = limits.ITEMS["type"]
        for _ in range(cursor.count(most)):
            if cursor.peek() != _REC:
                self._starts.append(cursor.pos)
                _skip_type(cursor)
                continue
            cursor.byte()
            inner = cursor.count()
            total = len(self._starts) + inner
            if total > most[0]:
                cursor.over(total, most)
            if inner > 1 and total > limits.GROUPED_TYPES[0]:
                cursor.over(total, limits.GROUPED_TYPES)
            for _ in range(inner):
                self._starts.append(cursor.pos)
                _skip_type(cursor)
        if len(self._starts) > most[0]:
            cursor.over(len(self._starts), most)


def value_type(cursor: Cursor) -> str:
    """One value type: ``i32``, ``funcref``, ``(ref null 3)``."""
    code = cursor.byte()
    if code in _VALUES:
        return _VALUES[code]
    if code in _HEAPS:
        return f"{_HEAPS[code]}ref"
    if code in (_NULLABLE, _NOT_NULL):
        heap = _heap_type(cursor)
        if code == _NULLABLE and heap in _HEAPS.values():
            return f"{heap}ref"  # the long form of the same type
        return f"(ref {'null ' if code == _NULLABLE else ''}{heap})"
    cursor.pos -= 1
    return cursor.fail(f"unknown value type {code:#x}")


def table_type(cursor: Cursor) -> TableType:
    """Element type and limits."""
    element = value_type(cursor)
    limits = memory_type(cursor)
    return TableType(element, limits.minimum, limits.maximum, limits.is_64)


def memory_type(cursor: Cursor) -> Memory:
    """Limits with the flags of threads, memory64 and custom page sizes."""
    flags = cursor.byte()
    if flags > 0x0F:
        cursor.fail(f"unknown limits flags {flags:#x}")
    bits = 64 if flags & 4 else 32
    minimum = cursor.unsigned(bits)
    maximum = cursor.unsigned(bits) if flags & 1 else None
    if flags & 8:
        cursor.unsigned()
    return Memory(minimum, maximum, bool(flags & 2), bool(flags & 4))


def global_type(cursor: Cursor) -> Type:
    """``i32`` or ``mut i32``."""
    value = value_type(cursor)
    mutable = cursor.byte()
    if mutable > 1:
        cursor.fail(f"unknown mutability {mutable:#x}")
    return Described(f"mut {value}" if mutable else value, plain=value in PLAIN_NAMES)


def _heap_type(cursor: Cursor) -> str:
    code = cursor.peek()
    name = None if code is None else _HEAPS.get(code)
    if name is None:
        return str(cursor.signed())
    cursor.byte()
    return name


def _form(cursor: Cursor) -> int:
    """The kind of type that begins here, after its supertypes."""
    code = cursor.byte()
    if code in (_SUB, _SUB_FINAL):
        for _ in range(cursor.count(limits.SUPERTYPES)):
            cursor.unsigned()
        code = cursor.byte()
    if code not in (_FUNC, _STRUCT, _ARRAY):
        cursor.pos -= 1
        cursor.fail(f"unknown type form {code:#x}")
    return code


def _skip_type(cursor: Cursor) -> None:
    form = _form(cursor)
    if form == _FUNC:
        _skip_values(cursor, cursor.count(limits.PARAMS))
        _skip_values(cursor, cursor.count(limits.RESULTS))
    else:
        count = cursor.count(limits.FIELDS) if form == _STRUCT else 1
        _skip(cursor, _FIELD, count)


def _skip_values(cursor: Cursor, count: int) -> None:
    end = cursor.pos + count
    if cursor.data[cursor.pos : end].translate(None, _ONE_BYTE):
        _skip(cursor, _VALUE, count)
    else:
        cursor.pos = end


def _skip(cursor: Cursor, item: bytes, count: int) -> None:
    found = _repeated(item, count).match(cursor.data, cursor.pos, cursor.end)
    if found is None:
        longest = _repeated(item, None).match(cursor.data, cursor.pos, cursor.end)
        assert longest, "it matches nothing, too"
        cursor.pos = longest.end()
        code = cursor.byte()
        cursor.pos -= 1
        cursor.fail(f"unknown value type {code:#x}")
    cursor.pos = found.end()


@cache
def _repeated(item: bytes, count: int | None) -> re.Pattern[bytes]:
    """So many items, or as many as there are; what was matched is not tried in other ways."""
    return re.compile(item + (b"*+" if count is None else b"{%d}+" % count))


def _meaning(cursor: Cursor) -> Type:
    form = _form(cursor)
    if form != _FUNC:
        return Described("struct" if form == _STRUCT else "array", plain=False)
    params, more_params, plain_params = _values(cursor)
    results, more_results, plain_results = _values(cursor)
    return FunctionType(
        params=params,
        results=results,
        more=(more_params, more_results),
        plain=plain_params and plain_results,
    )


def _values(cursor: Cursor) -> tuple[bytes, int, bool]:
    """Value types: the bytes of those that are shown, how many others, whether all are plain."""
    count = cursor.count()
    if not count:
        return b"", 0, True
    start = cursor.pos
    _skip_values(cursor, min(count, _SHOWN))
    shown = cursor.data[start : cursor.pos]
    _skip_values(cursor, count - min(count, _SHOWN))
    return shown, max(0, count - _SHOWN), _is_plain(cursor.data, start, cursor.pos)


def _is_plain(data: bytes, start: int, end: int) -> bool:
    return not data[start:end].translate(None, _PLAIN_BYTES) or bool(
        _repeated(_PLAIN, None).fullmatch(data, start, end)
    )


def _names(values: bytes, more: int) -> list[str]:
    cursor = Cursor(values, 0, len(values))
    found = []
    while cursor.pos < cursor.end:
        found.append(value_type(cursor))
    return [*found, f"… {more} more"] if more else found
