"""The host's scan, followed without reading the same bytes again and again."""

from __future__ import annotations

import random
from typing import SupportsIndex, overload

import pytest
from agreement import binary as b
from support.plugins import wat

from wasmpack.proxy_abi.host_scan import _Marks, host_scan

MARK = b"precompiled_"


class Counting:
    """A module's bytes, of which those that are copied are counted."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.copied = 0

    def __len__(self) -> int:
        return len(self._data)

    @overload
    def __getitem__(self, key: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, key: slice, /) -> bytes: ...
    def __getitem__(self, key: SupportsIndex | slice, /) -> int | bytes:
        found = self._data[key]
        if isinstance(found, bytes):
            self.copied += len(found)
        return found


def leb(value: int) -> bytes:
    """In three bytes."""
    return bytes([value & 0x7F | 0x80, value >> 7 & 0x7F | 0x80, value >> 14])


def overlapping(count: int, size: int, tail: bytes = b"") -> bytes:
    """Custom sections of three bytes, each with a name that reaches to the end of the file."""
    filler = b"e_" * (size // 2) + tail
    names = b"".join(b"\0\3" + leb(size - 10) for _ in range(count))
    return b.module([*b.sections(wat()), (b.CUSTOM, b.text(b"name"))]) + names + b"\0" + leb(
        len(filler) + 2
    ) + b.text(b"x") + filler  # fmt: skip


@pytest.mark.parametrize("count", [100, 200, 400])
def test_overlapping_names_are_searched_once(count: int) -> None:
    data = Counting(overlapping(count, 100_000))
    found = host_scan(data)
    assert (found.abi, found.stripped, found.refusal) == ("0.2.1", None, "")
    assert data.copied < 2 * len(data)


def test_a_mark_inside_an_overlapping_name_counts() -> None:
    data = overlapping(3, 1000)
    at = data.rindex(b"e_" * 100)
    marked = data[:at] + MARK + data[at + len(MARK) :]
    stripped = host_scan(marked).stripped
    assert stripped is not None
    assert MARK not in stripped


def test_it_finds_what_a_plain_search_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasmpack.proxy_abi.host_scan._PIECE", 5)
    chance = random.Random(1)
    for _ in range(2000):
        data = bytes(chance.choices(b"ab", k=40))
        marks, start = _Marks(data, b"abab"), 0
        while start < len(data):
            end = chance.randint(start, len(data))
            assert marks.within(start, end) == (b"abab" in data[start:end]), (data, start, end)
            start += chance.randint(1, 8)
