"""A blob's bytes, fetched in blocks as they are looked at, and a few of them kept.

>>> window = Window(10, lambda offset, size: b"0123456789"[offset : offset + size])
>>> window[3], window[4:6], len(window)
(51, b'45', 10)
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import SupportsIndex, overload

from wasmpack.errors import DigestMismatch

_BLOCK = 1 << 16
_KEPT = 64


class Window:
    """Bytes that are somewhere else."""

    def __init__(self, size: int, read: Callable[[int, int], bytes]) -> None:
        """:param read: offset and size to bytes; fewer at the end."""
        self._size = size
        self._read = read
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, key: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, key: slice, /) -> bytes: ...
    def __getitem__(self, key: SupportsIndex | slice, /) -> int | bytes:
        if not isinstance(key, slice):
            place = key.__index__()
            if not 0 <= place < self._size:
                raise IndexError(place)
            return self._block(place // _BLOCK)[place % _BLOCK]
        start, stop, step = key.indices(self._size)
        assert step == 1
        if stop <= start:
            return b""
        first, last = start // _BLOCK, (stop - 1) // _BLOCK
        data = b"".join(self._block(number) for number in range(first, last + 1))
        return data[start - first * _BLOCK : stop - first * _BLOCK]

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        offset = number * _BLOCK
        wanted = min(_BLOCK, self._size - offset)
        data = self._read(offset, wanted)
        if len(data) != wanted:
            raise DigestMismatch(f"less than the {self._size} bytes that its descriptor says")
        self._blocks[number] = data
        if len(self._blocks) > _KEPT:
            self._blocks.popitem(last=False)
        return data
