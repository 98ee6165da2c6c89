"""An image just made, as a place to read it from."""

import io
from collections.abc import Sequence

from wasmpack.errors import DigestMismatch
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.digest import Digest
from wasmpack.oci.image import Image
from wasmpack.oci.manifest import Manifest
from wasmpack.stores.verified import Readable


class MemoryReader:
    """An image just made (:class:`wasmpack.stores.ports.ImageReader`)."""

    source = "memory"

    def __init__(self, image: Image) -> None:
        self._image = image

    def get(self, descriptor: Descriptor | None = None) -> Manifest:
        return self._image.manifest

    def open_blob(self, descriptor: Descriptor) -> Readable:
        return io.BytesIO(self._image.blobs[descriptor.digest])

    def read_at(self, descriptor: Descriptor, offset: int, size: int) -> bytes:
        return self._image.blobs[descriptor.digest][offset : offset + size]

    def referrers(self, _digest: Digest) -> Sequence[Descriptor]:
        return ()

    def repair(self, _descriptor: Descriptor, damage: DigestMismatch) -> None:
        raise damage
