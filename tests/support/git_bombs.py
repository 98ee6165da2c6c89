"""Objects of git that are small on disk and large in memory."""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from support.git import git

_PIECE = bytes(1 << 20)
_COMMIT, _REF_DELTA = 1, 7
"""Types in a pack (gitformat-pack(5))."""


def large_commit(repo: Path, size: int) -> None:
    _set_head(repo, _loose(repo, "commit", _commit(_tree(repo)), size))


def large_tree(repo: Path, size: int) -> None:
    blob = bytes.fromhex(git(repo, "rev-parse", "HEAD:a"))
    commit = _commit(_loose(repo, "tree", b"100644 a\0" + blob, size))
    _set_head(repo, _loose(repo, "commit", commit, len(commit)))


def large_tag(repo: Path, size: int) -> None:
    head = git(repo, "rev-parse", "HEAD").encode()
    tag = b"object %s\ntype commit\ntag v1\ntagger T <t@example.com> 1 +0000\n\n" % head
    (repo / ".git/refs/tags/v1").write_text(_loose(repo, "tag", tag, size))


def large_delta(repo: Path, size: int) -> None:
    """A commit that is its small base, over and over."""
    base = _commit(_tree(repo)).ljust(0xFFFF, b"\n")
    times = size // len(base)
    copy = b"\xb0\xff\xff"  # 0xFFFF bytes from offset 0
    delta = _varint(len(base)) + _varint(len(base) * times) + copy * times
    digests = [hashlib.sha1(b"commit %d\0" % (len(base) * n)) for n in (1, times)]
    for digest, n in zip(digests, (1, times), strict=True):
        for _ in range(n):
            digest.update(base)
    names = [digest.digest() for digest in digests]
    entries = [_entry(_COMMIT, base), _entry(_REF_DELTA, delta, names[0])]
    _write_pack(repo / ".git/objects/pack/pack-x.pack", dict(zip(names, entries, strict=True)))
    _set_head(repo, names[1].hex())


def _write_pack(path: Path, entries: dict[bytes, bytes]) -> None:
    """With its index, version 2."""
    pack, offsets = b"PACK" + struct.pack(">II", 2, len(entries)), {}
    for name, entry in entries.items():
        offsets[name] = struct.pack(">I", len(pack))
        pack += entry
    pack += hashlib.sha1(pack).digest()
    names = sorted(entries)
    fanout = [sum(name[0] <= first for name in names) for first in range(256)]
    index = b"\xfftOc" + struct.pack(">I256I", 2, *fanout) + b"".join(names)
    index += bytes(4 * len(names)) + b"".join(offsets[name] for name in names) + pack[-20:]
    path.write_bytes(pack)
    path.with_suffix(".idx").write_bytes(index + hashlib.sha1(index).digest())


def _entry(kind: int, data: bytes, base: bytes = b"") -> bytes:
    first, rest = len(data) & 15, len(data) >> 4
    head = bytes([kind << 4 | first | (128 if rest else 0)]) + (_varint(rest) if rest else b"")
    return head + base + zlib.compress(data)


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def _loose(repo: Path, kind: str, beginning: bytes, size: int) -> str:
    """An object of this size, zeros after the beginning; returns its name."""
    digest, packer, packed = hashlib.sha1(), zlib.compressobj(9), bytearray()
    header = f"{kind} {size}\0".encode()
    for piece in (header, beginning, *_zeros(size - len(beginning))):
        digest.update(piece)
        packed += packer.compress(piece)
    name = digest.hexdigest()
    path = repo / ".git/objects" / name[:2] / name[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(packed + packer.flush())
    return name


def _zeros(size: int) -> Iterator[bytes]:
    for left in range(size, 0, -len(_PIECE)):
        yield _PIECE[:left]


def _tree(repo: Path) -> str:
    return git(repo, "rev-parse", "HEAD^{tree}")


def _commit(tree: str) -> bytes:
    who = b"T <t@example.com> 1 +0000"
    return b"tree %s\nauthor %s\ncommitter %s\n\n" % (tree.encode(), who, who)


def _set_head(repo: Path, commit: str) -> None:
    (repo / ".git/refs/heads/main").write_text(f"{commit}\n")
