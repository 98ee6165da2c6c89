"""The two protocols that every kind of store meets."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable

from wasmpack.errors import DigestMismatch
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.digest import Digest
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.stores.verified import Body, Readable


class Progress(Protocol):
    """Told how an image moves, by one thread at a time."""

    def expect(self, size: int, /) -> None:
        """So many bytes more are to move."""

    def __call__(self, descriptor: Descriptor, size: int, /) -> None:
        """So many bytes of a blob have moved, or need not."""


class BlobStatus(StrEnum):
    """What became of a blob on its way (JSON contract, ``pushed[].status``)."""

    UPLOADED = "uploaded"
    EXISTS = "exists"
    MOUNTED = "mounted"
    MISSING = "missing"
    """It would be sent, but for ``--dry-run``."""


class ImageReader(Protocol):
    """One image, wherever it is."""

    @property
    def source(self) -> str:
        """``local``, ``registry``, ``layout``, ``archive`` or ``daemon`` (JSON contract)."""

    def get(self, descriptor: Descriptor | None = None) -> Manifest | Index:
        """The image itself, or a child of its index; bytes verified against the descriptor.

        :raises NotFound: no such image
        """

    def open_blob(self, descriptor: Descriptor) -> Readable:
        """The blob's bytes, not verified: wrap it in :class:`VerifiedStream`.

        :raises NotFound: no such blob
        """

    def read_at(self, descriptor: Descriptor, offset: int, size: int) -> bytes:
        """Some of the blob's bytes, not verified; fewer at its end."""

    def referrers(self, digest: Digest) -> Sequence[Descriptor]:
        """Manifests that have this one as their subject: signatures, bills of material."""

    def repair(self, descriptor: Descriptor, damage: DigestMismatch) -> None:
        """Get a blob anew that was found damaged.

        :raises DigestMismatch: there is nowhere to get it from
        """


class ImageWriter(Protocol):
    """A place an image can be written to: blobs first, the manifest last."""

    def has_image(self, manifest: Manifest | Index, names: Sequence[str | None]) -> bool:
        """Whether all of it is there under these names; False where that is not known at once."""

    def has_blob(self, descriptor: Descriptor) -> bool:
        """Whether the blob is there already, whole."""

    def put_blob(self, descriptor: Descriptor, body: Body) -> BlobStatus:
        """Write one blob; nothing half written ever carries its name.

        :param body: opens the blob's bytes, again for every try
        """

    def put_manifest(self, manifest: Manifest | Index, names: Sequence[str | None]) -> None:
        """Write the manifest's exact bytes and let the names (tags) point at it.

        :param names: none leaves it reachable by its digest alone
        """

    def put_referrer(self, manifest: Manifest | Index) -> None:
        """List a manifest that is there already among those that refer to its subject."""


@runtime_checkable
class Challenged(Protocol):
    """A reader or a writer that may have been asked to identify itself: that of a registry."""

    @property
    def challenge(self) -> str:
        """The ``WWW-Authenticate`` header of the 401; empty if there was none."""


def challenge_of(image: object) -> str:
    """How a registry asked us to identify ourselves; nothing for images that are elsewhere."""
    return image.challenge if isinstance(image, Challenged) else ""
