"""The few methods that every store of images has; the rest follows from them."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from enum import StrEnum

from wasmpack.errors import DigestMismatch
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.stores.verified import CHUNK, Body, Readable


class BlobStatus(StrEnum):
    """The outcome for one blob (JSON contract, ``pushed[].status``)."""

    UPLOADED = "uploaded"
    EXISTS = "exists"
    MOUNTED = "mounted"
    MISSING = "missing"
    """It would be sent, but for ``--dry-run``."""


class ImageReader:
    """One image in a store: a source names itself, and gives manifests and blobs."""

    source: str
    """``local``, ``registry``, ``layout``, ``archive`` or ``daemon`` (JSON contract)."""
    verified = False
    """Its blobs are known to be what their descriptors say."""

    @property
    def challenge(self) -> str:
        """The ``WWW-Authenticate`` header of a registry's 401; empty if there was none."""
        return ""

    def get(self, descriptor: Descriptor | None = None) -> Manifest | Index:
        """The image itself, or a child of its index; bytes verified against the descriptor.

        :raises NotFound: no such image
        """
        raise NotImplementedError

    def open_blob(self, descriptor: Descriptor) -> Readable:
        """The blob's bytes, not verified: wrap it in :class:`VerifiedStream`.

        :raises NotFound: no such blob
        """
        raise NotImplementedError

    def read_at(self, descriptor: Descriptor, offset: int, size: int) -> bytes:
        """Some of the blob's bytes, not verified; fewer at its end."""
        with closing(self.open_blob(descriptor)) as file:
            while offset and (data := file.read(min(offset, CHUNK))):
                offset -= len(data)
            return file.read(size)

    def referrers(self, _digest: Digest) -> Sequence[Descriptor]:
        """Manifests that have this one as their subject: signatures, bills of material."""
        return ()

    def attached(self, _digest: Digest) -> Mapping[str, Descriptor]:
        """Manifests that say something of this one by a tag made of its digest, as cosign's do."""
        return {}

    def repair(self, _descriptor: Descriptor, _damage: DigestMismatch) -> bool:
        """Get a blob again that was found damaged; False if there is nowhere to get it from.

        :raises DigestMismatch: the same, with a better message
        """
        return False


def attached_tags(digest: Digest) -> list[str]:
    """The tags of signature, attestation and bill of material of an image (cosign up to 2)."""
    return [f"{digest.algorithm}-{digest.hex}.{kind}" for kind in ("sig", "att", "sbom")]


class ImageWriter:
    """A place an image can be written to: blobs first, the manifest last."""

    @property
    def challenge(self) -> str:
        """As :attr:`ImageReader.challenge`."""
        return ""

    @property
    def replaced(self) -> Mapping[str, Digest]:
        """Names that had another digest when :meth:`has_image` looked; none where it cannot."""
        return {}

    def has_image(self, _manifest: Manifest | Index, _names: Sequence[str | None]) -> bool:
        """True if the manifest is there under these names, its blobs or not; False if unknown."""
        return False

    def has_blob(self, descriptor: Descriptor) -> bool:
        """True if the blob is there already, whole."""
        raise NotImplementedError

    def put_blob(self, descriptor: Descriptor, body: Body) -> BlobStatus:
        """Write one blob; nothing half written ever carries its name.

        :param body: opens the blob's bytes, again for every try
        """
        raise NotImplementedError

    def put_manifest(self, manifest: Manifest | Index, names: Sequence[str | None]) -> None:
        """Write the manifest's exact bytes and let the names (tags) point at it.

        :param names: none leaves it reachable by its digest alone
        """
        raise NotImplementedError

    def put_referrer(self, manifest: Manifest | Index) -> None:
        """List a manifest that is there already among those that refer to its subject."""
