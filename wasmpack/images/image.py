"""One image, wherever it is: its bytes are read once, verified, and kept while it is looked at.

>>> from wasmpack.images.variants import artifact_image
>>> module = PluginModule(b"\\0asm\\1\\0\\0\\0")
>>> image = Image(artifact_image(module, b'{"type":"envoy_proxy"}', {}))
>>> image.module.size
8
"""

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TypeVar

from wasmpack.errors import BadArtifact, DigestMismatch, NotFound, Notice, WasmpackError
from wasmpack.images.contents import Contents, linux_amd64, read_contents
from wasmpack.images.search import FoundFiles, search
from wasmpack.images.variants import CREATED
from wasmpack.oci.canonical import find, parse_json_object
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.layers import LIMIT, Layers
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.oci.media_types import DOCKER_CONFIG, OCI_CONFIG
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.stores.ports import ImageReader
from wasmpack.stores.verified import CHUNK, Advance, VerifiedStream

T = TypeVar("T")
_CONFIG_LIMIT = 4 << 20
"""Bytes of an image configuration; Docker's have a few thousand."""
_MANIFESTS_KEPT = 16 << 20
"""Bytes; parsed, they take about ten times as much."""
_MOST_IMAGES = 16
"""Images of an index that are searched: one for each platform, and its attestations."""
UNREADABLE = (BadArtifact, DigestMismatch, NotFound)
"""What an image can be at fault with; anything else is the way to it."""


class Image:
    """An image of any kind, in any store.

    What its layers unpack to is read once, and counts against one budget for all that is asked.
    """

    def __init__(
        self, reader: ImageReader, reference: str = "", *, pinned: bool = False, limit: int = LIMIT
    ) -> None:
        """Nothing is read yet.

        :param reference: the place as the user wrote it, for messages and hints
        :param pinned: the reference carries a digest
        :param limit: most bytes of one blob, and of all that are kept
        """
        self.reference = reference
        self.pinned = pinned
        self._reader = reader
        self._limit = self._room = limit
        self._manifests: dict[Digest, Manifest | Index] = {}
        self._manifest_room = _MANIFESTS_KEPT
        self._blobs: dict[tuple[Digest, int], bytes] = {}
        self._failures: dict[tuple[Digest, int], Callable[[], WasmpackError]] = {}
        """Manifests and blobs that could not be read, and nothing of what was read of them."""
        self.layers = Layers(self._chunks, self.blob)

    @property
    def source(self) -> str:
        """``local``, ``registry``, ``layout``, ``archive``, ``daemon`` or ``memory``."""
        return self._reader.source

    @property
    def challenge(self) -> str:
        """How a registry asked us to identify ourselves; empty for an image from elsewhere."""
        return self._reader.challenge

    @cached_property
    def top(self) -> Manifest | Index:
        """What the reference names.

        :raises NotFound: no such image
        """
        return self._reader.get()

    @cached_property
    def manifest(self) -> Manifest | None:
        """The image that a mesh would pull; None for an index without linux/amd64."""
        if isinstance(self.top, Manifest):
            return self.top
        child = linux_amd64(self.top)
        found = self.get(child) if child else None
        return found if isinstance(found, Manifest) else None

    @property
    def digest(self) -> Digest:
        """Of :attr:`top`."""
        return self.top.digest

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
        raw = self._reader.open_blob(descriptor)
        return VerifiedStream(raw, descriptor, advance, known=self._reader.verified)

    def read_at(self, descriptor: Descriptor, offset: int, size: int) -> bytes:
        """Some of a blob's bytes, not verified; by range requests where the store has them."""
        return self._reader.read_at(descriptor, offset, size)

    def referrers(self, digest: Digest) -> Sequence[Descriptor]:
        """What refers to a manifest of this image: signatures, bills of material."""
        return self._reader.referrers(digest)

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

    @cached_property
    def contents(self) -> Contents:
        """Module and runtime configuration of the image that a mesh would pull.

        :raises BadArtifact, DigestMismatch, NotFound: a layer cannot be read
        """
        if self.manifest is None:
            return Contents(module=None, runtime_config=None, layer=None)
        return read_contents(self.manifest, self.layers)

    @property
    def module(self) -> PluginModule | None:
        """The module that :attr:`contents` found."""
        return self.contents.module

    def file_system_config(self, manifest: Manifest) -> tuple[str | None, Mapping[str, str]]:
        """Creation time and labels of a file system image (image-spec, config.md)."""
        if manifest.config.media_type not in {OCI_CONFIG, DOCKER_CONFIG}:
            return None, {}
        try:
            value = parse_json_object(self.small_blob(manifest.config), "image configuration")
        except UNREADABLE:
            return None, {}
        labels = find(value, dict, "config", "Labels") or {}
        texts = {key: text for key, text in labels.items() if isinstance(text, str)}
        return find(value, str, "created"), texts

    @cached_property
    def annotations(self) -> Mapping[str, str]:
        """Of the manifest, over the labels of a file system image."""
        if self.manifest is None:
            return self.top.annotations
        _, labels = self.file_system_config(self.manifest)
        return {**labels, **self.manifest.annotations}

    @property
    def created(self) -> str | None:
        """RFC 3339, if the image says so."""
        if self.manifest is None:
            return self.annotations.get(CREATED)
        return self.annotations.get(CREATED) or self.file_system_config(self.manifest)[0]

    def search(self) -> tuple[Manifest, FoundFiles]:
        """Every module of the image; of an index, of the image that meshes take, else of the first
        that has a module.

        :raises BadArtifact: no image of an index has one, or a layer cannot be read
        """
        if isinstance(self.top, Manifest):
            return self.top, search(self.top, self.layers)
        for child in _children(self.top)[:_MOST_IMAGES]:
            with contextlib.suppress(BadArtifact, NotFound):
                image = self.get(child)
                if isinstance(image, Index):
                    continue
                found = search(image, self.layers)
                if found.modules:
                    return image, found
        raise BadArtifact("no image of this index has a WebAssembly module")

    def alone(self, notice: Notice) -> Manifest:
        """The one image to copy: of an index, the one that a mesh would pull.

        :raises BadArtifact: an index without linux/amd64, or a manifest that is served as another
            type than it says
        """
        image = self.manifest
        if image is None:
            raise BadArtifact(f"{self.reference}: an index without a linux/amd64 image")
        if image.body_media_type and image.body_media_type != image.media_type:
            raise BadArtifact(
                f"{self.reference}: the manifest was served as {image.media_type}, but says that "
                f"it is {image.body_media_type}"
            )
        if image is not self.top:
            notice(f"{self.reference}: an index; taking its linux/amd64 image {image.digest}")
        return image

    @contextlib.contextmanager
    def _failing_once(self, descriptor: Descriptor) -> Iterator[None]:
        """What cannot be read is not fetched again: each target asks for the same."""
        key = descriptor.digest, descriptor.size
        if key in self._failures:
            raise self._failures[key]()
        try:
            yield
        except UNREADABLE as error:
            kind = next(kind for kind in UNREADABLE if isinstance(error, kind))
            self._failures[key] = partial(kind, error.message, hint=error.hint)
            raise

    def _read(self, descriptor: Descriptor) -> bytes:
        with self.open(descriptor) as stream:
            return stream.read()

    def _chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        data = memoryview(self.blob(descriptor))
        for at in range(0, len(data), CHUNK):
            yield bytes(data[at : at + CHUNK])


def _children(index: Index) -> list[Descriptor]:
    """Each once, the one that meshes take first."""
    first = linux_amd64(index)
    children = [*([first] if first else []), *index.manifests]
    return list({child.digest: child for child in children}.values())
