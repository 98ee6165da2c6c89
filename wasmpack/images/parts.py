"""The parts of an image, wherever they are: read once, verified, and kept while it is looked at.

>>> window = Window(10, lambda offset, size: b"0123456789"[offset : offset + size])
>>> window[3], window[4:6], len(window)
(51, b'45', 10)
"""

import contextlib
import io
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import SupportsIndex, TypeVar, overload

from wasmpack.errors import BadArtifact, DigestMismatch, NotFound, WasmpackError
from wasmpack.oci.budget import LIMIT
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.layers import Layers
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.stores.ports import ImageReader
from wasmpack.stores.verified import CHUNK, Advance, VerifiedStream
from wasmpack.wasm.cursor import Source

T = TypeVar("T")
_CONFIG_LIMIT = 4 << 20
"""Bytes of an image configuration; Docker's have a few thousand."""
_MANIFESTS_KEPT = 16 << 20
"""Bytes; parsed, they take about ten times as much."""
UNREADABLE = (BadArtifact, DigestMismatch, NotFound)
"""Faults of an image itself; other errors are on the way to it."""


class Parts:
    """Manifests and blobs of an image.

    What its layers unpack to is read once, and counts against one budget for all that is asked.
    """

    def __init__(self, reader: ImageReader, limit: int = LIMIT) -> None:
        """:param limit: most bytes of one blob, and of all that are kept"""
        self._reader = reader
        self._limit = self._room = limit
        self._manifests: dict[Digest, Manifest | Index] = {}
        self._manifest_room = _MANIFESTS_KEPT
        self._blobs: dict[tuple[Digest, int], bytes] = {}
        self._failures: dict[tuple[Digest, int], Callable[[], WasmpackError]] = {}
        """Manifests and blobs that could not be read, and nothing of what was read of them."""
        self.layers = Layers(self._chunks, self.blob)

    def get(self, descriptor: Descriptor) -> Manifest | Index:
        """A child of an index, verified."""
        known = self._manifests.get(descriptor.digest)
        if known is not None:
            return known
        with self._failing_once(descriptor):
            found = self._reader.get(descriptor)
        if self._manifest_room >= len(found.raw):
            self._manifest_room -= len(found.raw)
            self._manifests[descriptor.digest] = found
        return found

    def blob(self, descriptor: Descriptor) -> bytes:
        """A whole blob, verified once.

        :raises BadArtifact: larger than any mesh reads
        :raises DigestMismatch: not what its descriptor says
        """
        if descriptor.size > self._limit:
            raise BadArtifact(
                f"blob {descriptor.digest}: {descriptor.size} bytes, more than any mesh reads"
            )
        key = descriptor.digest, descriptor.size
        if key in self._blobs:
            return self._blobs[key]
        with self._failing_once(descriptor):
            data = self.unless_damaged(descriptor, lambda: self._read(descriptor))
        if self._room >= len(data):
            self._room -= len(data)
            self._blobs[key] = data
        return data

    def small_blob(self, descriptor: Descriptor, limit: int = _CONFIG_LIMIT) -> bytes:
        """As :meth:`blob`, of one that has to be small.

        :raises DigestMismatch: larger than the limit
        """
        if descriptor.size > limit:
            raise DigestMismatch(
                f"blob {descriptor.digest}: {descriptor.size} bytes, more than the {limit} read "
                "here"
            )
        return self.blob(descriptor)

    def open(self, descriptor: Descriptor, advance: Advance | None = None) -> VerifiedStream:
        """A blob's bytes from its store, or from memory if they were read before.

        :param advance: called as the bytes move
        """
        known = self._blobs.get((descriptor.digest, descriptor.size))
        if known is not None:
            return VerifiedStream(io.BytesIO(known), descriptor, advance, known=True)
        if descriptor.data is not None:
            return VerifiedStream(io.BytesIO(descriptor.data), descriptor, advance)
        raw = self._reader.open_blob(descriptor)
        return VerifiedStream(raw, descriptor, advance, known=self._reader.verified)

    def read_at(self, descriptor: Descriptor, offset: int, size: int) -> bytes:
        """Some of a blob's bytes, not verified; by range requests where the store has them."""
        if descriptor.data is not None:
            return descriptor.data[offset : offset + size]
        return self._reader.read_at(descriptor, offset, size)

    def window(self, descriptor: Descriptor) -> Source:
        """A blob of which little is looked at, as bytes that are fetched then, not verified."""
        return Window(descriptor.size, lambda at, size: self.read_at(descriptor, at, size))

    def referrers(self, digest: Digest) -> Sequence[Descriptor]:
        """Referrers to a manifest of this image: signatures, bills of materials."""
        return self._reader.referrers(digest)

    def attached(self, digest: Digest) -> Mapping[str, Descriptor]:
        """Tags that cosign derives from the digest of a manifest."""
        return self._reader.attached(digest)

    def unless_damaged(self, descriptor: Descriptor, work: Callable[[], T]) -> T:
        """Work on a blob; if it turns out to be damaged, get it again and work on it once more.

        :raises DigestMismatch: it is damaged, and there is nowhere to get it from
        """
        try:
            return work()
        except DigestMismatch as damage:
            if not self._reader.repair(descriptor, damage):
                raise
        return work()

    @contextlib.contextmanager
    def _failing_once(self, descriptor: Descriptor) -> Iterator[None]:
        """Remember failures, since each target asks for the same blob."""
        key = descriptor.digest, descriptor.size
        if key in self._failures:
            raise self._failures[key]()
        try:
            yield
        except UNREADABLE as error:
            self._failures[key] = partial(type(error), error.message, hint=error.hint)
            raise

    def _read(self, descriptor: Descriptor) -> bytes:
        with self.open(descriptor) as stream:
            return stream.read()

    def _chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        data = memoryview(self.blob(descriptor))
        for at in range(0, len(data), CHUNK):
            yield bytes(data[at : at + CHUNK])


_BLOCK = 1 << 16
_BLOCKS_KEPT = 64


class Window:
    """A blob's bytes, fetched in blocks as they are looked at, and a few of them kept."""

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
        if len(self._blocks) > _BLOCKS_KEPT:
            self._blocks.popitem(last=False)
        return data
