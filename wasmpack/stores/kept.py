"""Blobs in memory: read whole, verified, and where they are damaged read again from elsewhere."""

import io
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from wasmpack.errors import BadArtifact, DigestMismatch
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.digest import Digest
from wasmpack.oci.layers import Layers
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.stores.ports import ImageReader, challenge_of
from wasmpack.stores.verified import CHUNK, Readable, VerifiedStream

T = TypeVar("T")


class KeptReader:
    """An image read once: manifests and blobs are verified, kept in memory, and given again.

    What its layers unpack to is read once too, and counts against one budget for all who ask.
    """

    def __init__(self, reader: ImageReader, limit: int) -> None:
        """:param limit: most bytes of one blob, and of all that are kept."""
        self._reader = reader
        self._limit = self._room = limit
        self.source = reader.source
        self._manifests: dict[str | None, Manifest | Index] = {}
        self._blobs: dict[tuple[Digest, int], bytes] = {}
        self.layers = Layers(self._chunks, self._blob)

    @property
    def challenge(self) -> str:
        """How a registry asked us to identify ourselves; empty for an image from elsewhere."""
        return challenge_of(self._reader)

    def get(self, descriptor: Descriptor | None = None) -> Manifest | Index:
        key = None if descriptor is None else str(descriptor.digest)
        if key not in self._manifests:
            self._manifests[key] = self._reader.get(descriptor)
        return self._manifests[key]

    def read_at(self, descriptor: Descriptor, offset: int, size: int) -> bytes:
        return self._reader.read_at(descriptor, offset, size)

    def referrers(self, digest: Digest) -> Sequence[Descriptor]:
        return self._reader.referrers(digest)

    def repair(self, descriptor: Descriptor, damage: DigestMismatch) -> None:
        self._reader.repair(descriptor, damage)

    def open_blob(self, descriptor: Descriptor) -> Readable:
        return io.BytesIO(self._blob(descriptor))

    def _blob(self, descriptor: Descriptor) -> bytes:
        if descriptor.size > self._limit:
            raise BadArtifact(
                f"blob {descriptor.digest}: {descriptor.size} bytes, more than any mesh reads"
            )
        key = descriptor.digest, descriptor.size
        if key in self._blobs:
            return self._blobs[key]
        data = read_blob(self._reader, descriptor, self._limit)
        if self._room >= len(data):
            self._room -= len(data)
            self._blobs[key] = data
        return data

    def _chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        data = memoryview(self._blob(descriptor))
        for at in range(0, len(data), CHUNK):
            yield bytes(data[at : at + CHUNK])


def read_blob(reader: ImageReader, descriptor: Descriptor, limit: int) -> bytes:
    """A whole blob in memory, verified.

    :param limit: most bytes that may be read
    :raises DigestMismatch: too large for the limit, or not what the descriptor says
    """
    if descriptor.size > limit:
        raise DigestMismatch(
            f"blob {descriptor.digest}: {descriptor.size} bytes, more than the {limit} read here"
        )
    return unless_damaged(reader, descriptor, lambda: _read_all(reader, descriptor))


def unless_damaged(reader: ImageReader, descriptor: Descriptor, work: Callable[[], T]) -> T:
    """Work on a blob; if it turns out to be damaged, get it anew and work on it once more.

    :raises DigestMismatch: it is damaged, and there is nowhere to get it from
    """
    try:
        return work()
    except DigestMismatch as damage:
        reader.repair(descriptor, damage)
        return work()


def _read_all(reader: ImageReader, descriptor: Descriptor) -> bytes:
    with VerifiedStream(reader.open_blob(descriptor), descriptor) as stream:
        return stream.read()
