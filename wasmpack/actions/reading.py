"""Reading one image: its bytes once, verified, and the image that a mesh would take of it."""

import contextlib
from collections.abc import Iterator

from wasmpack.errors import BadArtifact, DigestMismatch, NotFound
from wasmpack.images.contents import linux_amd64
from wasmpack.images.search import FoundFiles, search
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.layers import LIMIT
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.stores.kept import KeptReader
from wasmpack.stores.ports import ImageReader
from wasmpack.stores.verified import VerifiedStream

_MOST_IMAGES = 16
"""Images of an index that are searched: one for each platform, and its attestations."""
UNREADABLE = (BadArtifact, DigestMismatch, NotFound)
"""What an image can be at fault with; anything else is the way to it."""


def kept(reader: ImageReader) -> KeptReader:
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


def search_image(reader: KeptReader) -> tuple[Manifest, FoundFiles]:
    """Every module of the image; of an index, of the image that meshes take, else of the first that
    has a module.

    :raises BadArtifact: no image of an index has one, or a layer cannot be read
    """
    top = reader.get()
    if isinstance(top, Manifest):
        return top, search(top, reader.layers)
    for child in _children(top)[:_MOST_IMAGES]:
        with contextlib.suppress(BadArtifact, NotFound):
            image = reader.get(child)
            if isinstance(image, Index):
                continue
            found = search(image, reader.layers)
            if found.modules:
                return image, found
    raise BadArtifact("no image of this index has a WebAssembly module")


def _children(index: Index) -> list[Descriptor]:
    """Each once, the one that meshes take first."""
    first = linux_amd64(index)
    children = [*([first] if first else []), *index.manifests]
    return list({child.digest: child for child in children}.values())
