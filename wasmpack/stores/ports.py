"""The two protocols every kind of store meets, and the stream that trusts nothing it reads."""

import io
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from types import TracebackType
from typing import BinaryIO, Protocol, Self, TypeVar

from wasmpack.errors import BadArtifact, DigestMismatch
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.digest import Digest, Hasher
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.stores.hashing import BesideHasher

T = TypeVar("T")
CHUNK = 1 << 20
"""Bytes read at once."""

_LARGE = 8 << 20
"""Bytes from which on a blob is hashed in a thread of its own."""

Advance = Callable[[Descriptor, int], None]
"""Called with the descriptor and the number of bytes just moved."""


class BlobStatus(StrEnum):
    """What became of a blob on its way (JSON contract, ``pushed[].status``)."""

    UPLOADED = "uploaded"
    EXISTS = "exists"
    MOUNTED = "mounted"


class Readable(Protocol):
    """What an upload or a digest needs of a file."""

    def read(self, size: int = -1, /) -> bytes: ...
    def close(self) -> None: ...


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

    def put_blob(self, descriptor: Descriptor, body: "Body") -> BlobStatus:
        """Write one blob; nothing half written ever carries its name.

        :param body: opens the blob's bytes, again for every try
        """

    def put_manifest(self, manifest: Manifest | Index, names: Sequence[str | None]) -> None:
        """Write the manifest's exact bytes and let the names (tags) point at it.

        :param names: none leaves it reachable by its digest alone
        """

    def put_referrer(self, manifest: Manifest) -> None:
        """List a manifest that is there already among those that refer to its subject."""


class VerifiedStream:
    """A stream that hands out its last bytes only if size and digest are the descriptor's.

    So whoever writes what it reads can never finish a wrong blob.

    :raises DigestMismatch: from :meth:`read`, also when there is more than the size says
    """

    def __init__(
        self, raw: Readable | BinaryIO, descriptor: Descriptor, advance: Advance | None = None
    ) -> None:
        self._raw = raw
        self._descriptor = descriptor
        hasher = descriptor.digest.hasher()
        self._beside = BesideHasher(hasher) if descriptor.size >= _LARGE else None
        self._hasher: Hasher = self._beside or hasher
        self._seen = 0
        self._advance = advance

    def __len__(self) -> int:
        return self._descriptor.size

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks()

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes; all that is left if negative."""
        left = self._descriptor.size - self._seen
        want = left if size < 0 else min(size, left)
        data = self._raw.read(want) if want else b""
        if len(data) < want:
            data += self._fill(want - len(data))
        self._seen += len(data)
        self._hasher.update(data)
        if self._seen == self._descriptor.size:
            self._finish(short=False)
        if self._advance and data:
            self._advance(self._descriptor, len(data))
        return data

    @property
    def position(self) -> int:
        """Bytes handed out so far."""
        return self._seen

    def skip(self, size: int) -> None:
        """Read so many bytes for the digest alone."""
        while size and (data := self.read(min(size, CHUNK))):
            size -= len(data)

    def chunks(self) -> Iterator[bytes]:
        """All of it, in pieces."""
        while data := self.read(CHUNK):
            yield data

    def drain(self) -> None:
        """Read to the end, only to see that the bytes are right."""
        for _ in self.chunks():
            pass

    def close(self) -> None:
        """Close what is read from."""
        if self._beside:
            self._beside.close()
        self._raw.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _fill(self, missing: int) -> bytes:
        """Short reads are legal; an end before the size is not."""
        pieces = []
        while missing:
            piece = self._raw.read(missing)
            if not piece:
                self._finish(short=True)
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def _finish(self, *, short: bool) -> None:
        descriptor = self._descriptor
        if short or self._raw.read(1):
            compare = "less" if short else "more"
            raise DigestMismatch(
                f"blob {descriptor.digest}: {compare} than the {descriptor.size} bytes "
                "its descriptor says"
            )
        found = self._hasher.hexdigest()
        if found != descriptor.digest.hex:
            raise DigestMismatch(
                f"blob {descriptor.digest}: its content has the digest "
                f"{descriptor.digest.algorithm}:{found}"
            )


class KeptReader:
    """An image read once: manifests and blobs are verified, kept in memory, and given again."""

    def __init__(self, reader: ImageReader, limit: int) -> None:
        """:param limit: most bytes of one blob that are kept."""
        self._reader = reader
        self._limit = limit
        self.source = reader.source
        self._manifests: dict[str | None, Manifest | Index] = {}
        self._blobs: dict[str, bytes] = {}

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
        if descriptor.size > self._limit:
            raise BadArtifact(
                f"blob {descriptor.digest}: {descriptor.size} bytes, more than any mesh reads"
            )
        key = str(descriptor.digest)
        if key not in self._blobs:
            self._blobs[key] = read_blob(self._reader, descriptor, self._limit)
        return io.BytesIO(self._blobs[key])


Body = Callable[[], VerifiedStream]
"""Opens a blob's verified bytes; called anew for every try."""


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
        return b"".join(stream.chunks())
