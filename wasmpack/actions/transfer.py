"""Moving an image from one place to another: blobs first, the manifest last, bytes unchanged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.image import Image
from wasmpack.oci.manifest import Manifest
from wasmpack.stores.ports import (
    Advance,
    BlobStatus,
    ImageReader,
    ImageWriter,
    Readable,
    VerifiedStream,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One blob, and what became of it."""

    descriptor: Descriptor
    status: BlobStatus

    def as_json(self) -> dict[str, object]:
        """The contract's shape of one row of ``pushed``."""
        return {
            "digest": str(self.descriptor.digest),
            "size": self.descriptor.size,
            "status": self.status.value,
        }


def transfer(
    reader: ImageReader,
    manifest: Manifest,
    writer: ImageWriter,
    names: Sequence[str | None],
    advance: Advance | None = None,
) -> tuple[Moved, ...]:
    """Send what is missing, then the manifest under each name.

    :param advance: told of every piece that moved
    :raises DigestMismatch: the source gave other bytes; nothing is then named
    """
    moved = tuple(_blobs(reader, manifest, writer, advance))
    writer.put_manifest(manifest, names)
    return moved


def _blobs(
    reader: ImageReader, manifest: Manifest, writer: ImageWriter, advance: Advance | None
) -> Iterator[Moved]:
    for descriptor in manifest.blobs:
        if writer.has_blob(descriptor):
            yield Moved(descriptor=descriptor, status=BlobStatus.EXISTS)
            continue

        def body(blob: Descriptor = descriptor) -> VerifiedStream:
            return VerifiedStream(reader.open_blob(blob), blob, advance)

        writer.put_blob(descriptor, body)
        yield Moved(descriptor=descriptor, status=BlobStatus.UPLOADED)


class MemoryReader:
    """An image just made (:class:`wasmpack.stores.ports.ImageReader`)."""

    source = "memory"

    def __init__(self, image: Image) -> None:
        self._image = image

    def get(self, descriptor: Descriptor | None = None) -> Manifest:
        return self._image.manifest

    def open_blob(self, descriptor: Descriptor) -> Readable:
        import io

        return io.BytesIO(self._image.blobs[descriptor.digest])
