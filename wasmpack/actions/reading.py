"""Reading one image: its bytes once, verified, and the image that a mesh would take of it."""

from collections.abc import Iterator

from wasmpack.errors import BadArtifact, DigestMismatch, NotFound
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.readers.contents import LIMIT, linux_amd64
from wasmpack.stores.ports import ImageReader, KeptReader, VerifiedStream

UNREADABLE = (BadArtifact, DigestMismatch, NotFound)
"""What an image can be at fault with; anything else is the way to it."""


def kept(reader: ImageReader) -> ImageReader:
    """The same image, read once: what it names cannot change under a report."""
    return reader if isinstance(reader, KeptReader) else KeptReader(reader, LIMIT)


def open_chunks(reader: ImageReader, descriptor: Descriptor) -> Iterator[bytes]:
    """A blob's verified bytes in pieces."""
    with VerifiedStream(reader.open_blob(descriptor), descriptor) as stream:
        yield from stream.chunks()


def mesh_image(reader: ImageReader) -> tuple[Manifest | Index, Manifest | None]:
    """What the reference names, and the image that a mesh would take of it.

    The second is None for an index without linux/amd64.
    """
    top = reader.get()
    if isinstance(top, Manifest):
        return top, top
    child = linux_amd64(top)
    found = reader.get(child) if child else None
    return top, found if isinstance(found, Manifest) else None
