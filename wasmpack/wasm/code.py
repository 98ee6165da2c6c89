"""Instructions: constant expressions, function bodies, and what the engine limits inside them.

wasmtime decides if a body is valid. This looks for the instructions that wasmtime accepts with
more operands than V8 does, and reads only bodies that may have one. Where it meets something else
than an instruction it stops, and wasmtime refuses the module.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice

from wasmpack.wasm import limits
from wasmpack.wasm.cursor import Cursor, MalformedModule, number, signed, unsigned
from wasmpack.wasm.types import Module, Section

_INDEX = unsigned()
_HEAP = signed(33)
_BLOCK = rb"(?:[\x63\x64]" + _HEAP + rb"|" + signed(33) + rb")"
_VALUE = rb"(?:[\x63\x64]" + _HEAP + rb"|[\x69-\x74\x7b-\x7f])"
_NO_MEMORY = rb"(?:[\x00-\x3f]|[\x80-\xbf]\x80{0,3}\x00)"
_OF_MEMORY = rb"(?:[\x40-\x7f]|[\xc0-\xff]\x80{0,3}\x00)" + _INDEX
_ADDRESS = rb"(?:" + _NO_MEMORY + rb"|" + _OF_MEMORY + rb")[\x80-\xff]{0,9}[\x00-\x7f]"
"""Alignment, whose bit 6 announces the index of a memory, and an offset of 64 bits."""
_COUNTED = {
    "br_table": rb"\x0e",
    "try_table": rb"\x1f" + _BLOCK,
    "array_new_fixed": rb"\xfb" + number(8) + _INDEX,
}
"""Instructions with a number of operands, up to that number (core spec 5.4)."""
_SUSPECT = re.compile(rb"(?:" + rb"|".join(_COUNTED.values()) + rb")[\x80-\xff]")
"""May have more operands than V8 accepts."""
_SMALL = 16 << 10
"""Bytes of a function that no number of locals makes expensive."""
_END = 0x0B
_LOCALS = re.compile(_INDEX + _VALUE)
_ITEMS = {
    "br_table": re.compile(_INDEX),
    "try_table": re.compile(rb"[\x00\x01]" + _INDEX + _INDEX + rb"|[\x02\x03]" + _INDEX),
}
"""Follows the number of operands, so many times."""


def check_code(data: bytes, module: Module) -> None:
    """Refuse an instruction with more operands than the engine accepts.

    :raises MalformedModule: there is one
    """
    section = module.section("code")
    if section is None or not _SUSPECT.search(data, section.offset, section.offset + section.size):
        return
    for start, end in bodies(data, section):
        if _SUSPECT.search(data, start, end):
            read_body(data, start, end)


def heaviest_body(data: bytes, module: Module) -> int:
    """The most that any function has of bytes times locals; small ones are not looked at.

    Optimising compilers take time and memory that grow with it. Parameters are locals too, and are
    taken to be as many as there can be.

    :returns: 0 if all functions are small
    """
    section = module.section("code")
    large = bodies(data, section) if section is not None else ()
    return max((_weight(data, *body) for body in large if body[1] - body[0] > _SMALL), default=0)


def _weight(data: bytes, start: int, end: int) -> int:
    cursor = Cursor(data, start, end)
    groups, count = cursor.unsigned(), limits.PARAMS[0]
    for found in islice(_LOCALS.finditer(data, cursor.pos, end), groups):
        cursor.pos = found.start()
        count += cursor.unsigned()
    return (end - start) * count


def bodies(data: bytes, section: Section) -> Iterator[tuple[int, int]]:
    """Begin and end of each function's body, as far as the section can be read."""
    cursor = section.cursor(data)
    try:
        for _ in range(cursor.count()):
            size = cursor.unsigned()
            start = cursor.pos
            cursor.skip(size)
            yield start, cursor.pos
    except MalformedModule:
        return


def read_body(data: bytes, start: int, end: int) -> int:
    """Pass over the locals and instructions of a body, and return where that stops.

    :raises MalformedModule: an instruction has more operands than the engine accepts
    """
    cursor = Cursor(data, start, end)
    _skip(cursor, _LOCALS, cursor.unsigned())
    while found := _instructions().match(data, cursor.pos, end):
        cursor.pos = found.end()
        kind = found.lastgroup
        if kind is None:
            break
        cursor.pos = found.start(kind)
        count, limit = cursor.unsigned(), limits.OPERANDS[kind]
        if count > limit[0]:
            cursor.over(count, limit)
        if kind in _ITEMS:
            _skip(cursor, _ITEMS[kind], count + (kind == "br_table"))  # and the default
    return cursor.pos


def skip_const_expr(cursor: Cursor) -> None:
    """Move behind the expression's ``end``.

    :raises MalformedModule: it has other instructions than constant ones
    """
    found = _constant_instructions().match(cursor.data, cursor.pos, cursor.end)
    assert found, "it matches nothing, too"
    cursor.pos = found.end()
    code = cursor.byte()
    if code != _END:
        cursor.pos -= 1
        cursor.fail(f"instruction {code:#x} in a constant expression, or what follows it")


def _skip(cursor: Cursor, item: re.Pattern[bytes], count: int) -> None:
    if count:
        items = item.finditer(cursor.data, cursor.pos, cursor.end)
        last = next(islice(items, count - 1, None), None)
        cursor.pos = last.end() if last else cursor.end


@cache
def _instructions() -> re.Pattern[bytes]:
    """As many instructions as there are, up to one with a number of operands (core spec 5.4)."""
    one, two = _INDEX, _INDEX + _INDEX
    plain = (
        rb"[\x00\x01\x05\x0a\x0b\x0f\x19-\x1b\x45-\xc4\xd1\xd3\xd4]",
        rb"[\x07-\x09\x0c\x0d\x10\x12\x14\x15\x18\x20-\x26\x3f\x40\xd2\xd5\xd6]" + one,
        rb"[\x11\x13]" + two,
        rb"[\x28-\x3e]" + _ADDRESS,
        rb"\x41" + signed(32),
        rb"\x42" + signed(64),
        rb"\x43.{4}|\x44.{8}",
        rb"[\x02-\x04\x06]" + _BLOCK,
        rb"\x1c" + number(1) + _VALUE,
        rb"\xd0" + _HEAP,
        rb"\xfb" + number(0, 1, 6, 7, 11, 12, 13, 14, 16) + one,
        rb"\xfb" + number(2, 3, 4, 5, 9, 10, 17, 18, 19) + two,
        rb"\xfb" + number(15, 26, 27, 28, 29, 30),
        rb"\xfb" + number(20, 21, 22, 23) + _HEAP,
        rb"\xfb" + number(24, 25) + rb"." + one + _HEAP + _HEAP,
        rb"\xfc" + number(*range(8)),
        rb"\xfc" + number(9, 11, 13, 15, 16, 17) + one,
        rb"\xfc" + number(8, 10, 12, 14) + two,
        rb"\xfd" + number(*range(12), 92, 93) + _ADDRESS,
        rb"\xfd" + number(12, 13) + rb".{16}",
        rb"\xfd" + number(*range(21, 35)) + rb".",
        rb"\xfd" + number(*range(84, 92)) + _ADDRESS + rb".",
        rb"\xfd" + one,
        rb"\xfe" + number(3) + rb".",
        rb"\xfe" + one + _ADDRESS,
    )
    counted = (b"%b(?P<%b>%b)" % (code, kind.encode(), one) for kind, code in _COUNTED.items())
    return re.compile(rb"(?:%b)*+(?:%b)?" % (b"|".join(plain), b"|".join(counted)), re.DOTALL)


@cache
def _constant_instructions() -> re.Pattern[bytes]:
    """As many as there are (core spec 3.4.13, and the extended-const proposal)."""
    kinds = (
        rb"[\x6a-\x6c\x7c-\x7e]",  # add, sub, mul
        rb"\x41" + signed(32) + rb"|\x42" + signed(64) + rb"|\x43.{4}|\x44.{8}",
        rb"[\x23\xd2]" + _INDEX + rb"|\xd0" + _HEAP,  # global.get, ref.func, ref.null
        rb"\xfb" + number(0, 1, 6, 7) + _INDEX,  # struct.new, array.new, with defaults or not
        rb"\xfb" + number(8) + _INDEX + _INDEX,  # array.new_fixed
        rb"\xfb" + number(26, 27, 28),  # any.convert_extern, extern.convert_any, ref.i31
        rb"\xfd" + number(12) + rb".{16}",  # v128.const
    )
    return re.compile(rb"(?:%b)*+" % b"|".join(kinds), re.DOTALL)
