"""Moving images from one place to another: blobs first, the manifest last, bytes unchanged."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from wasmpack.errors import BadArtifact, DigestMismatch, NotFound, Notice, WasmpackError, silence
from wasmpack.images.image import Image
from wasmpack.images.indexes import DEEPEST
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.stores.ports import BlobStatus, ImageWriter
from wasmpack.stores.session import Progress
from wasmpack.stores.verified import Advance, VerifiedStream

_AT_ONCE = 4
"""Blobs on their way at the same time."""
_TO_THE_END = 5.0
"""Seconds that blobs get to notice that another one has failed."""
_MOST_MANIFESTS = 1000
"""Most manifests of one index with referrers, including those that turn out to be missing."""
_MOST_ROWS = 16_000
"""Descriptors in indexes and lists of referrers, however often the same one comes."""
_MOST_BLOBS = 4000
"""Most blobs of one image, or of all images of an index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One blob, and what became of it."""

    descriptor: Descriptor
    """The blob."""
    status: BlobStatus
    """Uploaded, mounted, or there already."""

    def as_json(self) -> dict[str, object]:
        """The contract's shape of one row of ``pushed``."""
        return {
            "digest": str(self.descriptor.digest),
            "size": self.descriptor.size,
            "status": self.status.value,
        }


def transfer(
    image: Image,
    manifest: Manifest,
    writer: ImageWriter,
    names: Sequence[str | None],
    progress: Progress | None = None,
) -> tuple[Moved, ...]:
    """Send what is missing, several blobs at once, then the manifest under each name.

    :param names: none leaves the manifest reachable by its digest alone
    :param progress: told of every piece that moved
    :raises DigestMismatch: the source gave other bytes; nothing is then named
    """
    return _Moving(image, writer, progress).image(manifest, names)


def transfer_all(
    image: Image,
    top: Manifest | Index,
    writer: ImageWriter,
    names: Sequence[str | None],
    *,
    referrers: bool = False,
    progress: Progress | None = None,
    notice: Notice = silence,
) -> tuple[Moved, ...]:
    """As :func:`transfer`, of an index with all its images.

    :param referrers: also what refers to any of them: signatures, bills of material
    :param notice: told of those that have tags, and of those that cannot be read
    :raises BadArtifact: more manifests than anybody makes
    """
    moving = _Moving(image, writer, progress)
    moved: dict[Digest, Moved] = {}
    for manifest, subject, tags in _Tree(image, notice, referrers=referrers).walk(top):
        own = tags if manifest.digest != top.digest else names
        if isinstance(manifest, Index):
            if not writer.has_image(manifest, own):  # tags may be immutable
                writer.put_manifest(manifest, own)
        else:
            rows = moving.image(manifest, own)
            moved |= {row.descriptor.digest: row for row in rows}
        if subject:
            writer.put_referrer(manifest)
    return tuple(moved.values())


class _TooMany(BadArtifact):
    """More manifests than anybody makes."""


class _Tree:
    """An index with its images, and what refers to any of them.

    Rows count before anything is fetched for them: a list may name one manifest, or missing ones,
    as often as it likes.
    """

    def __init__(self, image: Image, notice: Notice, *, referrers: bool) -> None:
        self._image = image
        self._notice = notice
        self._referrers = referrers
        self._seen: set[Digest] = set()
        self._rows = self._fetched = 0

    def walk(
        self,
        found: Manifest | Index,
        depth: int = 0,
        *,
        subject: bool = False,
        tags: Sequence[str] = (),
    ) -> Iterator[tuple[Manifest | Index, bool, Sequence[str]]]:
        """Every manifest after those it names, whether it refers to one before it, and its tags."""
        self._seen.add(found.digest)
        if depth > DEEPEST:
            raise _TooMany(f"an index that is more than {DEEPEST} deep")
        for child in found.manifests if isinstance(found, Index) else ():
            if self._is_new(child):
                yield from self.walk(self._image.get(child), depth + 1)
        yield found, subject, tags
        if self._referrers:
            yield from self._about(found.digest, depth + 1)

    def _about(
        self, digest: Digest, depth: int
    ) -> Iterator[tuple[Manifest | Index, bool, Sequence[str]]]:
        """Referrers to a manifest; an unreadable one does not stop the others."""
        for row in self._image.referrers(digest):
            if self._is_new(row):
                with self._reported(row):
                    yield from self.walk(self._image.get(row), depth, subject=True)
        for row, tags in _by_digest(self._image.attached(digest)):
            self._notice(f"copying the tags {', '.join(tags)} too")
            new = self._is_new(row)
            with self._reported(row):
                found = self._image.get(row)
                yield from self.walk(found, depth, tags=tags) if new else [(found, False, tags)]

    @contextlib.contextmanager
    def _reported(self, row: Descriptor) -> Iterator[None]:
        try:
            yield
        except _TooMany:
            raise
        except NotFound:
            pass  # listed, and deleted since
        except (BadArtifact, DigestMismatch) as error:
            self._notice(
                f"warning: {row.digest}, which refers to the image, is not copied: {error.message}"
            )

    def _is_new(self, row: Descriptor) -> bool:
        """:raises BadArtifact: more than any index has."""
        self._rows += 1
        new = row.digest not in self._seen
        self._fetched += new
        if self._fetched >= _MOST_MANIFESTS or self._rows > _MOST_ROWS:
            raise _TooMany(
                f"an index of more than {_MOST_MANIFESTS} manifests, or of more than {_MOST_ROWS} "
                "descriptors"
            )
        return new


def _by_digest(attached: Mapping[str, Descriptor]) -> list[tuple[Descriptor, list[str]]]:
    tags: dict[Digest, list[str]] = {}
    for tag, row in attached.items():
        tags.setdefault(row.digest, []).append(tag)
    rows = {row.digest: row for row in attached.values()}
    return [(rows[digest], names) for digest, names in tags.items()]


class _Moving:
    """Blobs in transfer, each in its own thread."""

    def __init__(self, image: Image, writer: ImageWriter, progress: Progress | None) -> None:
        self._image = image
        self._writer = writer
        self._progress = progress
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._done: dict[Digest, Moved] = {}

    def image(self, manifest: Manifest, names: Sequence[str | None]) -> tuple[Moved, ...]:
        """Move an image; what came with an earlier one is there already.

        A manifest that is there says nothing of its blobs, which a registry may have lost.

        :raises BadArtifact: more blobs than any image has
        """
        self._over.clear()  # of the image before
        blobs = manifest.blobs
        if len(self._done.keys() | {blob.digest for blob in blobs}) > _MOST_BLOBS:
            raise BadArtifact(f"more than {_MOST_BLOBS} layers: too many to copy at once")
        if self._progress:
            self._progress.expect(sum(blob.size for blob in blobs))
        there = self._writer.has_image(manifest, names)
        for blob in blobs:
            if blob.digest in self._done:
                self.exists(blob)
        missing = [blob for blob in blobs if blob.digest not in self._done]
        moved = self.blobs(missing) if missing else ()
        self._done |= {row.descriptor.digest: row for row in moved}
        if not there:
            self._writer.put_manifest(manifest, names)
        return tuple(self._done[blob.digest] for blob in blobs)

    def blobs(self, blobs: Sequence[Descriptor]) -> tuple[Moved, ...]:
        """Move them all; the first failure ends the others."""
        if len(blobs) == 1:
            return (self._blob(blobs[0]),)
        from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

        pool = ThreadPoolExecutor(_AT_ONCE)
        running = [pool.submit(self._blob, blob) for blob in blobs]
        try:
            done, _ = wait(running, return_when=FIRST_EXCEPTION)
            failed = [future for future in running if future in done and future.exception()]
            return tuple(future.result() for future in failed or running)
        finally:
            self._over.set()
            pool.shutdown(wait=False, cancel_futures=True)
            wait(running, timeout=_TO_THE_END)  # each leaves nothing half written behind

    def exists(self, descriptor: Descriptor) -> Moved:
        """A blob that need not move."""
        self._tell(descriptor, descriptor.size)
        return Moved(descriptor=descriptor, status=BlobStatus.EXISTS)

    def _blob(self, descriptor: Descriptor) -> Moved:
        if self._writer.has_blob(descriptor):
            return self.exists(descriptor)
        told = _furthest(self._tell)

        def body() -> VerifiedStream:
            return self._image.open(descriptor, told())

        status = self._image.unless_damaged(
            descriptor, lambda: self._writer.put_blob(descriptor, body)
        )
        if status is BlobStatus.MOUNTED:
            self._tell(descriptor, descriptor.size)
        return Moved(descriptor=descriptor, status=status)

    def _tell(self, descriptor: Descriptor, size: int) -> None:
        if self._over.is_set():
            raise WasmpackError("given up, because another part failed")
        if self._progress:
            with self._lock:
                self._progress(descriptor, size)


def _furthest(tell: Advance) -> Callable[[], Advance]:
    """A separate counter for each attempt: bytes sent again are not reported again."""
    furthest = 0

    def start() -> Advance:
        position = 0

        def moved(descriptor: Descriptor, size: int) -> None:
            nonlocal position, furthest
            position += size
            new = max(0, position - furthest)
            furthest += new
            tell(descriptor, new)

        return moved

    return start
