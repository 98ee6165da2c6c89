"""Mutants of modules: of their bytes, their sections, and what they declare."""

from __future__ import annotations

import random
from collections.abc import Callable

from agreement import binary as b
from agreement.programs import WASI, functions
from wasmpack.proxy_abi import abi

INTERESTING = (0, 1, 2, 0x0B, 0x10, 0x40, 0x60, 0x6F, 0x70, 0x7B, 0x7F, 0x80, 0xFF)


def flip(rng: random.Random, data: bytes) -> bytes:
    """A few bytes set to something else."""
    out = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        at = rng.randrange(len(out))
        out[at] = rng.choice(
            [rng.randrange(256), rng.choice(INTERESTING), out[at] ^ 1 << rng.randrange(8)]
        )
    return bytes(out)


def cut(rng: random.Random, data: bytes) -> bytes:
    """Bytes removed, repeated or put in."""
    at = rng.randrange(len(data))
    size = rng.choice([1, 1, 2, 5, 20])
    return rng.choice(
        [
            data[:at] + data[at + size :],
            data[:at] + data[at : at + size] + data[at:],
            data[:at] + rng.randbytes(size) + data[at:],
            data[:at],
            data + rng.randbytes(size),
        ]
    )


def rearrange(rng: random.Random, data: bytes) -> bytes:
    """Sections dropped, repeated, swapped, framed in another way."""
    parts = b.sections(data)
    at = rng.randrange(len(parts))
    number, body = parts[at]
    kind = rng.randrange(7)
    if kind == 0:
        del parts[at]
    elif kind == 1:
        parts.insert(rng.randrange(len(parts) + 1), parts[at])
    elif kind == 2:
        other = rng.randrange(len(parts))
        parts[at], parts[other] = parts[other], parts[at]
    elif kind == 3:
        parts[at] = (number, body + rng.randbytes(rng.choice([1, 2, 5])))
    elif kind == 4:
        parts[at] = (rng.choice([0, 12, 13, 14, 15, 127, number ^ 1]), body)
    elif kind == 5:
        parts[at] = (number, body[: rng.randrange(len(body) + 1)])
    else:
        framed = bytes([number]) + b.leb(len(body), pad=rng.randint(1, 6)) + body
        return b.module(parts[:at]) + framed + b.module(parts[at + 1 :])[8:]
    return b.module(parts)


def custom(rng: random.Random, data: bytes) -> bytes:
    """A custom section more: a name section above all, whose form Envoy looks at."""
    name = rng.choice([b"name", b"name", b"name", b"producers", b"target_features", b"x", b"",
                       b"precompiled_x", b"signature_wasmsign", b"dylink.0", b"\xff\xfe",
                       b"metadata.code.branch_hint", b"sourceMappingURL", b"linking"])  # fmt: skip
    entries = [b.leb(n) + b.text(rng.choice([b"f", b"", b"\xff", b"main"])) for n in range(3)]
    names = b"\1" + b.text(b.vector(entries))
    module_name = b"\0" + b.text(b.text(b"m"))
    body = rng.choice([names, module_name + names, names + b"\2\1\0", b"", rng.randbytes(6),
                       names + names, b"\1\1\0", b"\7" + b.text(b"abc") + names])  # fmt: skip
    if rng.random() < 0.4:
        body = flip(rng, body) if body else b"\1"
    parts = b.sections(data)
    parts.insert(rng.randrange(len(parts) + 1), (b.CUSTOM, b.text(name) + body))
    return b.module(parts)


def redeclare(rng: random.Random, data: bytes) -> bytes:
    """Imports and exports renamed, retyped, repeated, reordered."""
    parts = b.sections(data)
    at = {number: n for n, (number, _) in enumerate(parts)}
    if b.IMPORT in at and rng.random() < 0.5:
        items = b.imports(parts[at[b.IMPORT]][1])
        _change_imports(rng, items)
        parts[at[b.IMPORT]] = (b.IMPORT, b.vector([i.encode() for i in items]))
    elif b.EXPORT in at:
        found = b.exports(parts[at[b.EXPORT]][1])
        _change_exports(rng, found)
        parts[at[b.EXPORT]] = (b.EXPORT, b.vector([e.encode() for e in found]))
    return b.module(parts)


def _change_imports(rng: random.Random, items: list[b.Import]) -> None:
    item = rng.choice(items)
    kind = rng.randrange(4)
    if kind == 0:
        item.module = rng.choice([b"env", WASI.encode(), b"wasi_unstable", b"gojs", b"envoy", b""])
    elif kind == 1:
        module, name = rng.choice(functions())
        item.module, item.name = module.encode(), name.encode()
    elif kind == 2:
        item.name = rng.choice([b"abort", b"proxy_foo", b"proc_raise", item.name + b"x", b""])
    else:
        item.rest = bytes([item.rest[0], rng.randrange(8), *item.rest[2:]])


def _change_exports(rng: random.Random, items: list[b.Export]) -> None:
    if not items:
        return
    item = rng.choice(items)
    known = [*abi.tables()["exports"], *(m.decode() for m in abi.MARKERS), "proxy_abi_version_0_3_0",
             "memory", "proxy_on_foo"]  # fmt: skip
    kind = rng.randrange(6)
    if kind == 0:
        item.name = rng.choice(known).encode()
    elif kind == 1:
        item.index = rng.randrange(12)
    elif kind == 2:
        item.kind = rng.randrange(6)
    elif kind == 3:
        items.remove(item)
    elif kind == 4:
        items.insert(0, b.Export(rng.choice(known).encode(), 0, item.index))
    else:
        rng.shuffle(items)


def limits(rng: random.Random, data: bytes) -> bytes:
    """Another memory, table or start section."""
    parts = b.sections(data)
    number = rng.choice([b.MEMORY, b.TABLE, b.START, b.MEMORY])
    pages = rng.choice([0, 1, 2, 100, 16383, 16384, 16385, 65536, 65537])
    most = rng.choice([0, 1, pages, pages + 1, 65536])
    limit = rng.choice([b"\0" + b.leb(pages), b"\1" + b.leb(pages) + b.leb(most),
                        b"\3" + b.leb(pages) + b.leb(most), b"\4" + b.leb(pages),
                        bytes([rng.randrange(16)]) + b.leb(pages) + b.leb(most)])  # fmt: skip
    body = {
        b.MEMORY: b.vector([limit] * rng.choice([1, 1, 1, 1, 2, 0])),
        b.TABLE: b.vector([bytes([rng.choice([0x70, 0x70, 0x6F, 0x6E])]) + limit]),
        b.START: b.leb(rng.randrange(10)),
    }[number]
    kept = [part for part in parts if part[0] != number]
    place = sum(1 for n, _ in kept if n == 0 or n < number)
    kept.insert(place, (number, body))
    return b.module(kept)


def code(rng: random.Random, data: bytes) -> bytes:
    """Bytes of function bodies changed, which often leaves the module valid."""
    parts = b.sections(data)
    found = [n for n, (number, _) in enumerate(parts) if number in {b.CODE, b.DATA, b.GLOBAL}]
    if not found:
        return flip(rng, data)
    at = rng.choice(found)
    parts[at] = (parts[at][0], flip(rng, parts[at][1]))
    return b.module(parts)


MUTATORS: list[tuple[Callable[[random.Random, bytes], bytes], float]] = [
    (flip, 1.5), (cut, 1.0), (rearrange, 1.5), (custom, 2.5), (redeclare, 3.0), (limits, 2.0),
    (code, 3.0),
]  # fmt: skip


def mutant(rng: random.Random, data: bytes) -> bytes:
    """One or two changes."""
    changes = [m for m, _ in MUTATORS]
    weights = [w for _, w in MUTATORS]
    for change in rng.choices(changes, weights, k=rng.choice([1, 1, 1, 2])):
        try:
            data = change(rng, data) or b"\0"
        except (IndexError, ValueError):
            data = flip(rng, data)  # no longer framed well enough for the other changes
    return data
