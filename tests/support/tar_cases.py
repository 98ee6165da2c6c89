"""Tar files by hand, and what Go's archive/tar makes of them (the agreement tests ask it)."""

from __future__ import annotations

from support.tars import END, file, header, old_sparse, padded, pax, pax_sparse, record, special

GNU = {257: b"ustar  \0"}
STAR = {257: b"ustar\00000", 508: b"tar\0"}
V7 = {257: bytes(8)}
P = b"plugin.wasm"
INVALID = "archive/tar: invalid tar header"
CUT = "unexpected EOF"


def signed(block: bytes) -> bytes:
    """With the sum that Sun's tar wrote: bytes over 127 are negative."""
    total = sum(byte - 256 * (byte > 127) for byte in block[:148] + block[156:]) + 8 * 32
    return block[:148] + b"%06o\0 " % total + block[156:]


F, D = "0", "5"
READ: dict[str, tuple[bytes, list[tuple[bytes, str, bytes]]]] = {
    "nothing": (b"", []),
    "the end alone": (END, []),
    "one block of zeros": (file(P, b"x") + bytes(512), [(P, F, b"x")]),
    "no end": (file(P, b"x"), [(P, F, b"x")]),
    "no padding": (header(P, 1) + b"x", [(P, F, b"x")]),
    "half of the padding": (header(P, 1) + b"x" + bytes(100), [(P, F, b"x")]),
    "prefix": (header(b"b", changes={345: b"a"}), [(b"a/b", F, b"")]),
    "star's prefix is shorter": (
        header(b"b", changes={345: b"a" * 155, 476: b"0" * 24, **STAR}),
        [(b"a" * 131 + b"/b", F, b"")],
    ),
    "GNU has no prefix": (header(b"b", changes={345: b"7", **GNU}), [(b"b", F, b"")]),
    "Go 1.7's prefix": (header(b"b", changes={345: b"a", **GNU}), [(b"a/b", F, b"")]),
    "version 7": (header(P, changes=V7), [(P, F, b"")]),
    "version 7, folder": (header(b"d/", 5, b"\0", V7), [(b"d/", D, b"")]),
    "old file": (header(P, 0, b"\0"), [(P, F, b"")]),
    "name of 100 bytes": (header(b"n" * 100), [(b"n" * 100, F, b"")]),
    "name that is not UTF-8": (header(b"\xff"), [(b"\xff", F, b"")]),
    "size in blanks": (header(P, b"  1 \0 ") + padded(b"x"), [(P, F, b"x")]),
    "size and junk behind a NUL": (header(P, b"1\0junk") + padded(b"x"), [(P, F, b"x")]),
    "size in base 256": (header(P, b"\x80" + bytes(10) + b"\1") + padded(b"x"), [(P, F, b"x")]),
    "signed checksum": (signed(header(b"\xff")), [(b"\xff", F, b"")]),
    "link with a size": (header(P, 9, b"2") + file(b"x"), [(P, "2", b""), (b"x", F, b"")]),
    "unknown kind with data": (header(P, 1, b"A") + padded(b"x"), [(P, "A", b"x")]),
    "GNU long name": (special(b"L", b"l" * 999 + b"\0x") + file(P), [(b"l" * 999, F, b"")]),
    "two long names": (special(b"L", b"a") + special(b"L", b"b") + file(P), [(b"b", F, b"")]),
    "empty long name": (special(b"L", b"\0") + file(P), [(P, F, b"")]),
    "long name before PAX": (special(b"L", b"a") + pax(path=b"b") + file(P), [(b"a", F, b"")]),
    "long link": (special(b"K", b"a") + file(P), [(P, F, b"")]),
    "PAX path": (pax(path=b"long") + file(P), [(b"long", F, b"")]),
    "PAX path, empty": (pax(path=b"") + file(P), [(P, F, b"")]),
    "two PAX headers": (pax(path=b"a") + pax(mtime=b"1") + file(P), [(P, F, b"")]),
    "one key twice": (
        special(b"x", record(b"path", b"a") + record(b"path", b"b")) + file(P),
        [(b"b", F, b"")],
    ),
    "PAX size": (pax(size=b"+01") + header(P, 0) + padded(b"x"), [(P, F, b"x")]),
    "PAX times": (pax(mtime=b"-1.5", atime=b"7.", ctime=b"") + file(P), [(P, F, b"")]),
    "global PAX is an entry": (
        special(b"g", record(b"path", b"a")) + file(P),
        [(b"a", "g", b""), (P, F, b"")],
    ),
    "Sun's extended header is an entry": (
        special(b"X", record(b"path", b"a")) + file(P),
        [(b"././@LongLink", "X", record(b"path", b"a")), (P, F, b"")],
    ),
    "old sparse": (old_sparse(P, [(1, 2), (5, 1)], 7, b"abc"), [(P, "S", b"\0ab\0\0c\0")]),
    "old sparse, more parts": (
        old_sparse(P, [(1, 1), (3, 1), (5, 1)], 6, b"abc"),
        [(P, "S", b"\0a\0b\0c")],
    ),
    "sparse 0.1": (pax_sparse(P, "1", [b"1", b"2"], 4, b"ab"), [(P, F, b"\0ab\0")]),
    "sparse 1.0": (pax_sparse(P, "x", [b"1", b"2"], 4, b"ab"), [(P, F, b"\0ab\0")]),
    "sparse, a hole alone": (pax_sparse(P, "x", [], 3, b""), [(P, F, bytes(3))]),
}
"""Name, kind and content of every entry."""

REFUSED: dict[str, tuple[bytes, str]] = {
    "text": (b"x" * 512, INVALID),
    "short": (b"x", CUT),
    "wrong checksum": (header(P)[:148] + b"000000\0 " + header(P)[156:], INVALID),
    "no checksum": (header(P)[:148] + b"nonsense" + header(P)[156:], INVALID),
    "zeros, then something": (bytes(512) + file(P), INVALID),
    "data cut off": (header(P, 9) + b"x", CUT),
    "size is not a number": (header(P, b"x"), INVALID),
    "size with a sign": (header(P, b"-1"), INVALID),
    "negative in base 256": (header(P, b"\xff" * 12), INVALID),
    "64 bits": (header(P, b"\x80\0\0\0\x80" + bytes(7)), INVALID),
    "owner is not a number": (header(P, changes={108: b"x"}), INVALID),
    "device is not a number": (header(P, changes={329: b"x"}), INVALID),
    "time is not a number": (header(P, changes={136: b"never"}), INVALID),
    "PAX mtime is not a number": (pax(mtime=b"x") + file(P), INVALID),
    "PAX mtime with letters behind the point": (pax(mtime=b"1.x") + file(P), INVALID),
    "PAX uid is not a number": (pax(uid=b"1_0") + file(P), INVALID),
    "PAX size is not ASCII": (pax(size="٣".encode()) + file(P), INVALID),
    "PAX size is negative": (pax(size=b"-1") + file(P), INVALID),
    "PAX size over 63 bits": (pax(size=b"9223372036854775808") + file(P), INVALID),
    "PAX path with a NUL": (pax(path=b"a\0") + file(P), INVALID),
    "PAX key with a NUL": (special(b"x", record(b"a\0", b"")) + file(P), INVALID),
    "PAX without a key": (special(b"x", record(b"", b"a")) + file(P), INVALID),
    "PAX without =": (special(b"x", b"6 abc\n") + file(P), INVALID),
    "PAX without a line end": (special(b"x", b"6 a=bc") + file(P), INVALID),
    "PAX length too small": (special(b"x", b"4 a=\n") + file(P), INVALID),
    "PAX length too large": (special(b"x", b"99 a=b\n") + file(P), INVALID),
    "PAX length of many digits": (special(b"x", b"1" * 400_000) + file(P), INVALID),
    "PAX length of many digits, blank": (special(b"x", b"1" * 400_000 + b" ") + file(P), INVALID),
    "PAX cut off": (header(b"x", 99, b"x") + b"6 a=b\n", CUT),
    "PAX over 1 MiB": (
        special(b"x", record(b"a", bytes(1 << 20))) + file(P),
        "archive/tar: header field too long",
    ),
    "long name over 1 MiB": (
        special(b"L", b"a" * ((1 << 20) + 1)) + file(P),
        "archive/tar: header field too long",
    ),
    "negative size of a long name": (header(P, b"\xff" * 12, b"L"), INVALID),
    "sparse kind, not in GNU's format": (header(P, 0, b"S"), INVALID),
    "sparse parts overlap": (pax_sparse(P, "1", [b"0", b"2", b"1", b"2"], 9, b"abcd"), INVALID),
    "sparse part behind the end": (pax_sparse(P, "x", [b"5", b"2"], 6, b"ab"), INVALID),
    "sparse map of odd length": (pax_sparse(P, "1", [b"1"], 6, b"ab"), INVALID),
    "sparse map is not numbers": (pax_sparse(P, "x", [b"a", b"b"], 6, b"ab"), INVALID),
    "sparse 0.0 in another order": (
        pax(**{"GNU__sparse__numbytes": b"1", "GNU__sparse__offset": b"1"}) + file(P),
        INVALID,
    ),
    "sparse data missing": (
        pax_sparse(P, "1", [b"0", b"5"], 5, b"ab"),
        "archive/tar: sparse file references non-existent data",
    ),
    "sparse map over 1 MiB": (
        pax_sparse(P, "x", [b"0"] * 800_000, 0, b""),
        "archive/tar: sparse map too long",
    ),
    "old sparse map over 1 MiB": (
        header(P, 0, b"S", {**GNU, 482: b"\1", 483: b"0"}) + (bytes(504) + b"\1" * 8) * 2100,
        "archive/tar: sparse map too long",
    ),
}
"""Why there are no more entries."""
