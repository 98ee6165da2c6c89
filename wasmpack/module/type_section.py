"""Value types and the type section, as text (WebAssembly core specification 3.0, 5.3)."""

from wasmpack.module.cursor import Cursor
from wasmpack.module.types import Memory, TableType

_VALUES = {
    0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64", 0x7B: "v128",
}  # fmt: skip
_HEAPS = {
    0x74: "noexn", 0x73: "nofunc", 0x72: "noextern", 0x71: "none", 0x70: "func", 0x6F: "extern",
    0x6E: "any", 0x6D: "eq", 0x6C: "i31", 0x6B: "struct", 0x6A: "array", 0x69: "exn",
}  # fmt: skip
_REC, _SUB, _SUB_FINAL, _FUNC, _STRUCT, _ARRAY = 0x4E, 0x50, 0x4F, 0x60, 0x5F, 0x5E
_PACKED = (0x78, 0x77)
"""i8 and i16, only inside structs and arrays."""


def read_types(cursor: Cursor) -> list[str]:
    """The section's types in index order: signatures as text, other kinds by their name."""
    found: list[str] = []
    for _ in range(cursor.count()):
        if cursor.pos < cursor.end and cursor.data[cursor.pos] == _REC:
            cursor.byte()
            for _ in range(cursor.count()):
                found.append(_sub_type(cursor))
        else:
            found.append(_sub_type(cursor))
    return found


def value_type(cursor: Cursor) -> str:
    """One value type: ``i32``, ``funcref``, ``(ref null 3)``."""
    code = cursor.byte()
    if code in _VALUES:
        return _VALUES[code]
    if code in _HEAPS:
        return f"{_HEAPS[code]}ref"
    if code in (0x63, 0x64):
        heap = _heap_type(cursor)
        if code == 0x63 and heap in _HEAPS.values():
            return f"{heap}ref"  # the long form of the same type
        return f"(ref {'null ' if code == 0x63 else ''}{heap})"
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


def global_type(cursor: Cursor) -> str:
    """``i32`` or ``mut i32``."""
    value = value_type(cursor)
    mutable = cursor.byte()
    if mutable > 1:
        cursor.fail(f"unknown mutability {mutable:#x}")
    return f"mut {value}" if mutable else value


def signature(params: list[str], results: list[str]) -> str:
    """``(i32, i32) -> i32``; no or several results stand in parentheses."""
    out = results[0] if len(results) == 1 else f"({', '.join(results)})"
    return f"({', '.join(params)}) -> {out}"


def _sub_type(cursor: Cursor) -> str:
    code = cursor.byte()
    if code in (_SUB, _SUB_FINAL):
        for _ in range(cursor.count()):
            cursor.unsigned()
        code = cursor.byte()
    if code == _FUNC:
        params = [value_type(cursor) for _ in range(cursor.count())]
        return signature(params, [value_type(cursor) for _ in range(cursor.count())])
    if code == _STRUCT:
        for _ in range(cursor.count()):
            _field(cursor)
        return "struct"
    if code == _ARRAY:
        _field(cursor)
        return "array"
    cursor.pos -= 1
    return cursor.fail(f"unknown type form {code:#x}")


def _field(cursor: Cursor) -> None:
    if cursor.pos < cursor.end and cursor.data[cursor.pos] in _PACKED:
        cursor.byte()
    else:
        value_type(cursor)
    cursor.byte()


def _heap_type(cursor: Cursor) -> str:
    code = cursor.data[cursor.pos] if cursor.pos < cursor.end else 0
    if code in _HEAPS:
        cursor.byte()
        return _HEAPS[code]
    return str(cursor.signed())
