"""Passing over constant expressions (core specification 3.3.13), to reach the next global.

They have no nesting, so they are a regular language: one expression matches megabytes of them in
no time, and possessively, without remembering where it came from.
"""

import re
from functools import cache

from wasmpack.module.cursor import Cursor

_END = 0x0B


def skip_const_expr(cursor: Cursor) -> None:
    """Move behind the expression's ``end``."""
    found = _instructions().match(cursor.data, cursor.pos, cursor.end)
    assert found, "it matches nothing, too"
    cursor.pos = found.end()
    code = cursor.byte()
    if code != _END:
        cursor.pos -= 1
        cursor.fail(f"instruction {code:#x} in a constant expression, or what follows it")


@cache
def _instructions() -> re.Pattern[bytes]:
    """As many instructions as there are."""
    index = unsigned()
    return re.compile(
        rb"(?:[\x6a-\x6c\x7c-\x7e]"  # add, sub, mul of the extended-const proposal
        rb"|\x41" + signed(32) + rb"|\x42" + signed(64) +  # i32.const, i64.const
        rb"|\x43.{4}|\x44.{8}"  # f32.const, f64.const
        rb"|[\x23\xd2]" + index + rb"|\xd0" + signed(33) +  # global.get, ref.func, ref.null
        # struct.new, struct.new_default, array.new, array.new_default, array.new_fixed
        rb"|\xfb(?:" + number(0, 1, 6, 7) + index + rb"|" + number(8) + index + index +
        # any.convert_extern, extern.convert_any, ref.i31
        rb"|" + number(26, 27, 28) + rb")"
        rb"|\xfd" + number(12) + rb".{16}"  # v128.const
        rb")*+",
        re.DOTALL,
    )  # fmt: skip


def unsigned() -> bytes:
    """An expression for an unsigned LEB128 number of 32 bits (core specification 5.2.2)."""
    return rb"(?:[\x80-\xff]{0,3}[\x00-\x7f]|[\x80-\xff]{4}[\x00-\x0f])"


def signed(bits: int) -> bytes:
    """An expression for a signed LEB128 number, as :meth:`Cursor.signed` reads it."""
    return rb"[\x80-\xff]{0,%d}[\x00-\x7f]" % ((bits - 1) // 7)


def number(*values: int) -> bytes:
    """An expression for one of these numbers, under 128, written with as many bytes as may be."""
    short = b"".join(rb"\x%02x" % value for value in values)
    long = b"".join(rb"\x%02x" % (value | 0x80) for value in values)
    return rb"(?:[%b]|[%b]\x80{0,3}\x00)" % (short, long)
