"""Modules with as many of something as an engine takes, or one more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agreement.binary import (
    CODE,
    CUSTOM,
    ELEMENT,
    EXPORT,
    FUNCTION,
    GLOBAL,
    IMPORT,
    MEMORY,
    TABLE,
    TYPE,
    leb,
    module,
    sections,
    text,
)

TAG = 13
_ORDER = (TYPE, IMPORT, FUNCTION, TABLE, MEMORY, TAG, GLOBAL, EXPORT, CODE, CUSTOM)
NOTHING = b"\x60\0\0"
"""The type of a function without parameters and results."""
_OWN: Mapping[int, tuple[int, bytes]] = {
    TYPE: (2, NOTHING + b"\x60\1\x7f\1\x7f"),
    FUNCTION: (2, b"\0\1"),
    MEMORY: (1, b"\0\1"),
    EXPORT: (3, b"\x17proxy_abi_version_0_2_1\0\0" + b"\6malloc\0\1" + b"\6memory\2\0"),
    CODE: (2, b"\2\0\x0b" + b"\4\0\x41\0\x0b"),
}
"""Items of the smallest module that every proxy loads."""


@dataclass(frozen=True)
class Limit:
    """What an engine takes at most."""

    most: int
    make: Callable[[int], bytes]
    wasmtime: bool = True
    """wasmtime takes as many, too."""
    beyond: bool = True
    """wasmtime refuses more."""
    read: bool = True
    """The section reader counts them; what is not exported, and code, it need not."""
    envoy: bool = True
    """Envoy loads the module with as many, and does not refuse to instantiate it."""


def plugin(items: Mapping[int, tuple[int, bytes]], functions: int = 0) -> bytes:
    """A module that every proxy loads, with more items in its sections.

    :param functions: how many of the items are imported functions
    """
    parts = []
    for number in _ORDER:
        count, body = _OWN.get(number, (0, b""))
        if number == EXPORT:
            body = body.replace(b"_0_2_1\0\0", b"_0_2_1\0" + leb(functions))
            body = body.replace(b"malloc\0\1", b"malloc\0" + leb(functions + 1))
        more, content = items.get(number, (0, b""))
        if number == CUSTOM and content:
            parts.append((number, content))
        elif count + more:
            parts.append((number, leb(count + more) + body + content))
    return module(parts)


def function_type(params: bytes, results: bytes = b"") -> bytes:
    """Of value types of one byte each."""
    return b"\x60" + leb(len(params)) + params + leb(len(results)) + results


def exports(count: int, *, kind: int = 0, index: int = 0, name: str = "e%x") -> tuple[int, bytes]:
    """So many exports, each under its own name."""
    target = bytes([kind]) + leb(index)
    return count, b"".join(text((name % n).encode()) + target for n in range(count))


def imports(count: int, rest: bytes = b"\0\0", name: str = "i%x") -> tuple[int, bytes]:
    """So many imports of ``env``, each of its own name."""
    return count, b"".join(b"\3env" + text((name % n).encode()) + rest for n in range(count))


def _type(content: bytes) -> bytes:
    return plugin({TYPE: (1, content)})


def _functions(count: int) -> bytes:
    own = count - 2
    return plugin({FUNCTION: (own, b"\0" * own), CODE: (own, b"\2\0\x0b" * own)})


def instructions(code: bytes, types: bytes = b"") -> bytes:
    """A function of these, and one type that it may use (index 2)."""
    body = b"\0" + code + b"\x0b"
    return plugin(
        {
            TYPE: (1 if types else 0, types),
            FUNCTION: (1, b"\0"),
            CODE: (1, leb(len(body)) + body),
        }
    )


def branches(count: int) -> bytes:
    """A ``br_table`` of so many targets, and its default."""
    return instructions(b"\x41\0\x0e" + leb(count) + b"\0" * (count + 1))


def new_fixed(count: int) -> bytes:
    """An ``array.new_fixed`` of so many elements, where none has to be there."""
    return instructions(b"\0\xfb\x08\2" + leb(count) + b"\x1a", b"\x5e\x7f\1")


def handlers(count: int) -> bytes:
    """A ``try_table`` of so many handlers."""
    return instructions(b"\x02\x40\x1f\x40" + leb(count) + b"\2\0" * count + b"\x0b\x0b")


LIMITS: Mapping[str, Limit] = {
    "parameters": Limit(1000, lambda n: _type(function_type(b"\x7f" * n))),
    "results": Limit(1000, lambda n: _type(function_type(b"", b"\x7f" * n))),
    "fields of a struct": Limit(10_000, lambda n: _type(b"\x5f" + leb(n) + b"\x7f\0" * n)),
    "supertypes": Limit(
        1,
        lambda n: plugin(
            {TYPE: (2, (b"\x50\0" + NOTHING) + b"\x50" + leb(n) + b"\2" * n + NOTHING)}
        ),
    ),
    "types": Limit(1_000_000, lambda n: plugin({TYPE: (n - 2, NOTHING * (n - 2))})),
    "types in one group": Limit(
        999_982, lambda n: _type(b"\x4e" + leb(n - 2) + NOTHING * (n - 2)), beyond=False
    ),
    "functions": Limit(1_000_000, _functions),
    "imports": Limit(
        1_000_000, lambda n: plugin({IMPORT: imports(n)}, n), wasmtime=False, envoy=False
    ),
    "exports": Limit(1_000_000, lambda n: plugin({EXPORT: exports(n - 3)}), wasmtime=False),
    "globals": Limit(
        1_000_000,
        lambda n: plugin({GLOBAL: (n, b"\x7f\0\x41\0\x0b" * n), EXPORT: exports(1, kind=3)}),
    ),
    "tags": Limit(1_000_000, lambda n: plugin({TAG: (n, b"\0\0" * n)}), read=False),
    "tables": Limit(100_000, lambda n: plugin({TABLE: (n, b"\x70\0\0" * n)}), wasmtime=False),
    "memories": Limit(
        100_000,
        lambda n: plugin({MEMORY: (n - 1, b"\0\0" * (n - 1))}),
        wasmtime=False,
        envoy=False,
    ),
    "targets of a br_table": Limit(65_520, branches, beyond=False, read=False),
    "elements of array.new_fixed": Limit(10_000, new_fixed, beyond=False, read=False),
    "handlers of a try_table": Limit(65_520, handlers, wasmtime=False, read=False),
}


def _element_segments(count: int) -> bytes:
    parts = sections(plugin({TABLE: (1, b"\x70\0\0")}))
    code = next(at for at, (number, _) in enumerate(parts) if number == CODE)
    segments = leb(count) + b"\0\x41\0\x0b\0" * count
    return module([*parts[:code], (ELEMENT, segments), *parts[code:]])


def _wide_exports(count: int) -> bytes:
    wide = (1, function_type(b"\x7f" * 1000))
    own, code = (1, b"\2"), (1, b"\2\0\x0b")
    return plugin({TYPE: wide, FUNCTION: own, CODE: code, EXPORT: exports(count, index=2)})


BEYOND_WASMTIME: Mapping[str, Callable[[], bytes]] = {
    "tables": lambda: LIMITS["tables"].make(101),
    "memories": lambda: plugin({MEMORY: (100, b"\0\0" * 100)}),
    "names": lambda: plugin({EXPORT: (1, text(b"a" * 100_001) + b"\0\0")}),
    "element segments": lambda: _element_segments(100_001),
    "handlers": lambda: handlers(10_001),
    "types of exports": lambda: _wide_exports(1100),
}
"""Modules that Envoy loads and wasmtime refuses, for a limit of its own."""
