"""Passing over constant expressions (core specification 3.3.13), to reach the next global."""

from wasmpack.module.cursor import Cursor

_END = 0x0B
_NO_IMMEDIATE = frozenset({0x6A, 0x6B, 0x6C, 0x7C, 0x7D, 0x7E})
"""Integer add, sub, mul of the extended-const proposal."""
_INDEX = frozenset({0x23, 0xD2})
"""global.get, ref.func"""
_FIXED = {0x43: 4, 0x44: 8}
"""f32.const, f64.const"""


def skip_const_expr(cursor: Cursor) -> None:
    """Move behind the expression's ``end``."""
    while (code := cursor.byte()) != _END:
        if code == 0x41:
            cursor.signed(32)
        elif code == 0x42:
            cursor.signed(64)
        elif code in _FIXED:
            cursor.skip(_FIXED[code])
        elif code in _INDEX:
            cursor.unsigned()
        elif code == 0xD0:
            cursor.signed()
        elif code == 0xFB:
            _skip_gc(cursor)
        elif code == 0xFD:
            _skip_v128(cursor)
        elif code not in _NO_IMMEDIATE:
            cursor.fail(f"instruction {code:#x} in a constant expression")


def _skip_gc(cursor: Cursor) -> None:
    """struct.new(_default), array.new(_default, _fixed), ref.i31, any/extern conversions."""
    code = cursor.unsigned()
    if code in {0, 1, 6, 7}:
        cursor.unsigned()
    elif code == 8:
        cursor.unsigned()
        cursor.unsigned()
    elif code not in {26, 27, 28}:
        cursor.fail(f"instruction 0xfb {code:#x} in a constant expression")


def _skip_v128(cursor: Cursor) -> None:
    if cursor.unsigned() != 12:
        cursor.fail("only v128.const may stand in a constant expression")
    cursor.skip(16)
