"""Tar files that are nearly right, from a seed, and the parts to make them of by hand."""

from __future__ import annotations

import io
import random
import tarfile

from support.mutants import mutant

NAMES = [
    b"plugin.wasm", b"./plugin.wasm", b"a/plugin.wasm", b"plugin.wasm/", b"x", b"d/",
    b"runtime-config.json", b"a" * 100, b"a" * 99 + b"/", b"\xff\xfe", b"", b"/", b"a\0b",
    b"../../plugin.wasm", b"GNUSparseFile.0/plugin.wasm",
]  # fmt: skip
NUMBERS = [
    b"0", b"00000000010", b"7", b"777777777777", b"-1", b"8", b" 12 ", b"12\0 9", b"0x1", b"1_0",
    b"\x80" + bytes(10) + b"\x10", b"\xff" * 12, b"\x80" + b"\xff" * 11, b"\xc0" + bytes(11),
    b"\x80\0\0\0\x80" + bytes(7), b"",
]  # fmt: skip
"""Fields of a tar header: octal, base 256, and neither."""
DECIMALS = [
    b"0", b"8", b"12", b"+12", b"-1", b"007", b"9223372036854775807", b"9223372036854775808", b"",
    b"x", b"1_0", b" 1", b"1.5", b"-1.25", b"1.x", b".5", b"0" * 300 + b"9", b"9" * 300,
    "٣".encode(),
]  # fmt: skip
KEYS = [
    b"path", b"size", b"mtime", b"uid", b"gid", b"atime", b"ctime", b"linkpath", b"uname",
    b"SCHILY.xattr.a", b"a\0", b"", b"GNU.sparse.major", b"GNU.sparse.minor", b"GNU.sparse.name",
    b"GNU.sparse.size", b"GNU.sparse.realsize", b"GNU.sparse.numblocks", b"GNU.sparse.map",
    b"GNU.sparse.offset", b"GNU.sparse.numbytes",
]  # fmt: skip
KINDS = [b"0"] * 8 + [bytes([kind]) for kind in b"\0\x3512345679SVXLKxg\xff"]
FORMATS = [(b"ustar\00000", b"")] * 4 + [(b"ustar  \0", b"")] * 3
FORMATS += [(b"ustar\00000", b"tar\0"), (b"", b"")]
"""Magic number and trailer: USTAR, GNU, star, version 7."""
END = bytes(1024)


def header(
    name: bytes, size: int | bytes = 0, kind: bytes = b"0", changes: dict[int, bytes] | None = None
) -> bytes:
    """A header block with its right checksum.

    :param changes: fields by their offsets
    """
    field = size if isinstance(size, bytes) else b"%011o" % size
    fields = {0: name[:100], 100: b"0000644", 108: b"0000000", 116: b"0000000", 124: field[:12],
              136: b"00000000000", 156: kind, 257: b"ustar\00000", **(changes or {})}  # fmt: skip
    made = bytearray(512)
    for at, value in fields.items():
        made[at : at + len(value)] = value
    return summed(bytes(made[:512]))


def summed(block: bytes) -> bytes:
    """A header block with its checksum put right."""
    total = sum(block[:148]) + sum(block[156:]) + 8 * 32
    return block[:148] + b"%06o\0 " % total + block[156:]


def file(name: bytes, content: bytes = b"") -> bytes:
    """A file with its header and padding."""
    return header(name, len(content)) + padded(content)


def special(kind: bytes, data: bytes) -> bytes:
    """A header that describes the next entry, as GNU and PAX have it."""
    return header(b"././@LongLink", len(data), kind) + padded(data)


def pax(**records: bytes) -> bytes:
    """A PAX header; a dot in a key is written as two underscores."""
    return special(
        b"x", b"".join(record(k.replace("__", ".").encode(), v) for k, v in records.items())
    )


def record(key: bytes, value: bytes) -> bytes:
    """A PAX record with its right length."""
    rest = len(key) + len(value) + 3
    length = next(n for n in range(rest, rest + 30) if n == rest + len(str(n)))
    return b"%d %s=%s\n" % (length, key, value)


def padded(content: bytes) -> bytes:
    """Filled up to whole blocks."""
    return content + bytes(-len(content) % 512)


def odd_tar(rng: random.Random) -> bytes:
    """Entries of every kind, most of them nearly right; half of the files are damaged as well."""
    blocks = b"".join(_entry(rng) for _ in range(rng.randint(1, 5)))
    blocks += rng.choice((END, END, bytes(512), b"", bytes(512) + b"x" * 512))
    if rng.random() < 0.5:
        return blocks
    damaged = bytearray(mutant(rng, blocks))
    for at in range(0, len(damaged) - 511, 512):
        if damaged[at + 257 : at + 262] == b"ustar" and rng.random() < 0.9:
            damaged[at : at + 512] = summed(bytes(damaged[at : at + 512]))
    return bytes(damaged)


def _entry(rng: random.Random) -> bytes:
    roll = rng.random()
    if roll < 0.06:
        return special(b"g", record(rng.choice((b"path", b"comment")), rng.choice(NAMES)))
    if roll < 0.25:
        return special(b"x", _records(rng)) + _file(rng)
    if roll < 0.35:
        name = rng.choice(NAMES) * rng.choice((1, 1, 40)) + rng.choice((b"", b"\0", b"\0rest"))
        return special(rng.choice((b"L", b"K")), name) + _file(rng)
    return _sparse(rng) if roll < 0.5 else _file(rng)


def _file(rng: random.Random) -> bytes:
    content = rng.choice((b"", b"\0asm\1\0\0\0", b"x" * rng.randint(1, 1500)))
    size: int | bytes = len(content) if rng.random() < 0.8 else rng.choice(NUMBERS)
    magic, trailer = rng.choice(FORMATS)
    changes = {257: magic.ljust(8, b"\0"), 508: trailer}
    if rng.random() < 0.15:
        changes[345] = rng.choice((b"prefix", b"\xff", b"00000000001", b"p" * 155))
    if rng.random() < 0.3:
        at = rng.choice((100, 108, 116, 136, 329, 337, 345, 357, 476, 488))
        changes[at] = rng.choice(NUMBERS)
    made = header(rng.choice(NAMES), size, rng.choice(KINDS), changes)
    return made + (padded(content) if rng.random() < 0.95 else content)


def _records(rng: random.Random) -> bytes:
    """Records, some of them with odd keys, numbers or lengths."""
    found = b""
    for _ in range(rng.randint(0, 4)):
        made = record(rng.choice(KEYS), rng.choice([*DECIMALS, *NAMES, b"0,4,8,4", b"0"]))
        if rng.random() < 0.1:
            made = rng.choice(DECIMALS) + b" " + made.partition(b" ")[2]
        found += made
    return found if rng.random() < 0.93 else mutant(rng, found)


def _sparse(rng: random.Random) -> bytes:
    """A sparse file in one of its four formats, with a map that is mostly right."""
    edges = sorted(rng.sample(range(0, 3000, 10), 2 * rng.randint(0, 3)))
    parts = [(a, b - a) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    size = max([at + n for at, n in parts], default=0) + rng.choice((0, 0, 5, -3, 700))
    data = b"".join(bytes([65 + at % 26]) * n for at, (_, n) in enumerate(parts))
    if rng.random() < 0.2:
        data = data[: rng.randint(0, len(data))] + rng.choice((b"", b"more"))
    if rng.random() < 0.25:
        return old_sparse(rng.choice(NAMES), parts, size, data)
    numbers = [b"%d" % number for part in parts for number in part]
    if rng.random() < 0.15 and numbers:
        numbers[rng.randrange(len(numbers))] = rng.choice(DECIMALS)
    return pax_sparse(rng.choice(NAMES), rng.choice("01x"), numbers, size, data)


def old_sparse(name: bytes, parts: list[tuple[int, int]], size: int, data: bytes) -> bytes:
    """GNU's old format: two parts in the header, the others in a block behind it."""
    table = [b"%011o %011o " % part for part in parts]
    more = b"".join(table[2:])
    changes = {257: b"ustar  \0", 386: b"".join(table[:2]), 483: b"%011o " % max(size, 0)}
    made = header(name, len(data), b"S", {**changes, 482: b"\1" if more else b"\0"})
    return made + (more.ljust(512, b"\0") if more else b"") + padded(data)


def pax_sparse(name: bytes, version: str, numbers: list[bytes], size: int, data: bytes) -> bytes:
    """Formats 0.0, 0.1 and (``x``) 1.0 of sparse files."""
    count = b"%d" % (len(numbers) // 2)
    records = record(b"GNU.sparse.realsize", b"%d" % size)
    if version == "0":
        keys = (b"GNU.sparse.offset", b"GNU.sparse.numbytes")
        records += record(b"GNU.sparse.numblocks", count)
        records += b"".join(record(keys[at % 2], number) for at, number in enumerate(numbers))
    elif version == "1":
        records += record(b"GNU.sparse.numblocks", count) + record(b"GNU.sparse.name", name)
        records += record(b"GNU.sparse.map", b",".join(numbers))
    else:
        records += record(b"GNU.sparse.major", b"1") + record(b"GNU.sparse.minor", b"0")
        records += record(b"GNU.sparse.name", name)
        data = padded(b"\n".join([count, *numbers, b""])) + data
    return special(b"x", records) + file(b"GNUSparseFile.0/x", data)


def good_tars(rng: random.Random) -> list[tuple[bytes, list[tuple[str, bytes]]]]:
    """Archives as Python's tarfile writes them in all of its formats, and what is in them."""
    names = ["plugin.wasm", "a/b/c", "n" * 90 + "/" + "m" * 90, "x" * 300, "ü" * 120, "p/" * 60]
    found = []
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        old = form == tarfile.USTAR_FORMAT
        chosen = [name + "end" for name in names if not old or len(name.encode()) < 200]
        files = [(name, rng.randbytes(rng.choice((0, 1, 511, 512, 513, 5000)))) for name in chosen]
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
            for name, data in files:
                info = tarfile.TarInfo(name)
                info.size, info.mtime = len(data), 0 if old else rng.choice((0, 1 << 34, 1.5))
                archive.addfile(info, io.BytesIO(data))
        found.append((buffer.getvalue(), files))
    return found
