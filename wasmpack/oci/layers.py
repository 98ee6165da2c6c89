"""The layers of one image, each unpacked once and within one budget, for all who read in them.

What a layer holds is read as far as somebody asks: the fetchers stop at ``plugin.wasm``, and what
lies behind it may be damaged or endless. Contents are kept of the few files that anybody looks at.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple, Self

from wasmpack.errors import BadArtifact, WasmpackError
from wasmpack.oci.budget import LIMIT, Budget
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.gunzip import UNEXPECTED_EOF, UnreadableLayer, gunzip
from wasmpack.oci.media_types import EXTENSION_FILE, PLUGIN_FILE, RUNTIME_CONFIG_FILE
from wasmpack.oci.stream import Compression, Stream, read_full
from wasmpack.oci.tar import TarEntry, TarReader
from wasmpack.oci.tar_header import BLOCK

MOST_LAYERS = 128
"""Layers of an image that are looked into; overlayfs stacks no more (Docker: 127)."""
_MOST_ENTRIES = 65_536
"""Entries of a layer that are looked at; a plugin image has one or two."""
MODULE = b"\0asm\1\0\0\0"
_PLUGIN, _CONFIG, _EXTENSION = (
    name.encode() for name in (PLUGIN_FILE, RUNTIME_CONFIG_FILE, EXTENSION_FILE)
)
OpenBlob = Callable[[Descriptor], Iterator[bytes]]
"""A blob's bytes in pieces, verified at the end."""


class LayerFile(NamedTuple):
    """An entry of a layer."""

    entry: TarEntry
    content: bytes | None = None
    """None where nobody looks at it, or where it is larger than any mesh reads."""

    @property
    def path(self) -> bytes:
        """Its path in the layer, from the root."""
        return path_of(self.entry.name)

    @property
    def shown(self) -> str:
        """The same as text, with bytes that are not UTF-8 written out."""
        return self.path.decode(errors="backslashreplace")


class Layers:
    """An :data:`OpenBlob` that has looked into the layers it opens."""

    def __init__(
        self, open_blob: OpenBlob, whole: Callable[[Descriptor], bytes] | None = None
    ) -> None:
        """:param whole: a blob in one piece, where it is in memory anyway."""
        self._open = open_blob
        self._whole = whole
        self._tars: dict[tuple[Digest, int, Compression], _Tar] = {}
        self._starts: dict[tuple[Digest, int], tuple[bytes, Compression]] = {}

    @cached_property
    def budget(self) -> Budget:
        """The budget that all layers share."""
        return Budget()

    @classmethod
    def of(cls, open_blob: OpenBlob) -> Self:
        """Layers that remember what was read before, if ``open_blob`` is such."""
        return open_blob if isinstance(open_blob, cls) else cls(open_blob)

    def __call__(self, descriptor: Descriptor) -> Iterator[bytes]:
        """The blob as it is stored."""
        return self._open(descriptor)

    def read(self, descriptor: Descriptor, compression: Compression = Compression.NONE) -> bytes:
        """A whole blob, as it is stored or unpacked.

        :raises BadArtifact: it is larger than any mesh reads, or cannot be unpacked
        """
        if descriptor.size > LIMIT:
            raise BadArtifact(_too_large(descriptor, descriptor.size))
        if self._whole is not None and compression is Compression.NONE:
            return self._whole(descriptor)
        with io.BytesIO() as buffer:  # closed: the traceback of an error holds none of it
            try:
                for piece in self.unpacked(descriptor, compression):
                    buffer.write(piece)
                    if buffer.tell() > LIMIT:
                        raise BadArtifact(_too_large(descriptor, buffer.tell()))
            except UnreadableLayer as error:
                raise BadArtifact(
                    f"layer {descriptor.digest}: damaged {compression}: {error.reason}"
                ) from error
            return buffer.getvalue()

    def unpacked(self, descriptor: Descriptor, compression: Compression) -> Iterator[bytes]:
        """A blob's bytes, without that compression.

        :raises UnreadableLayer: where it cannot be read on
        :raises BadArtifact: the image's layers unpack to too much
        """
        stored = self._open(descriptor)
        if compression is Compression.NONE:
            yield from stored
            return
        if compression is Compression.GZIP:
            pieces = gunzip(stored, self.budget.enter)
        else:  # seldom: no mesh reads it
            from wasmpack.oci.decompress import decompressed

            pieces = decompressed(stored, compression, self.budget.enter)
        for piece in pieces:
            self.budget.unpack(len(piece))
            yield piece

    def start(self, descriptor: Descriptor) -> tuple[bytes, Compression]:
        """The first block of a layer, unpacked, and how it is compressed.

        :raises UnreadableLayer: it cannot be unpacked
        """
        key = descriptor.digest, descriptor.size
        if key not in self._starts:
            start = read_full(Stream(self._open(descriptor)), BLOCK)
            compression = Compression.of(start)
            if compression is not Compression.NONE:
                start = read_full(Stream(self.unpacked(descriptor, compression)), BLOCK)
            self._starts[key] = start, compression
        return self._starts[key]

    def files(
        self,
        descriptor: Descriptor,
        *,
        limit: int = LIMIT,
        compression: Compression = Compression.GZIP,
    ) -> Iterator[LayerFile]:
        """The entries of a tar layer.

        :param limit: most bytes of the tar that are read; it ends there, as Go's ``LimitReader``
            does in the fetchers
        :raises UnreadableLayer: where it cannot be read on
        :raises BadArtifact: the image's layers hold too much
        """
        tar = self._tar(descriptor, compression)
        entries = iter(tar)
        while True:
            try:
                found = next(entries, None)
            except UnreadableLayer:
                if tar.position > limit:
                    raise UnreadableLayer(UNEXPECTED_EOF) from None
                raise
            if found is None or found.entry.start >= limit:
                return
            if found.content is not None and found.entry.read_to > limit:
                raise _while_reading(found.entry, UNEXPECTED_EOF)
            yield found
            if found.entry.end > limit:
                raise UnreadableLayer(UNEXPECTED_EOF)

    def _tar(self, descriptor: Descriptor, compression: Compression) -> "_Tar":
        key = descriptor.digest, descriptor.size, compression
        if key not in self._tars:
            self._tars[key] = _Tar(self.unpacked(descriptor, compression), self.budget)
        return self._tars[key]


class _Tar:
    """A tar that is read on when somebody asks for more of it; what was read is remembered."""

    def __init__(self, pieces: Iterator[bytes], budget: Budget) -> None:
        self._source = Stream(pieces)
        self._budget = budget
        self._reader = TarReader(self._source, budget)
        self._entries = iter(self._reader)
        self._found: list[LayerFile] = []
        self._failure: UnreadableLayer | WasmpackError | None = None

    @property
    def position(self) -> int:
        """How far it was read."""
        return self._source.position

    def __iter__(self) -> Iterator[LayerFile]:
        at = 0
        while at < len(self._found) or self._read_on():
            yield self._found[at]
            at += 1

    def _read_on(self) -> bool:
        if self._failure is not None:
            raise self._failure
        try:
            entry = next(self._entries, None)
            if entry is None:
                return False
            self._budget.remember(entry.name)
            self._found.append(LayerFile(entry=entry, content=self._content(entry)))
        except (UnreadableLayer, WasmpackError) as error:
            self._failure = error
            raise
        if len(self._found) == _MOST_ENTRIES:
            self._failure = UnreadableLayer(UNEXPECTED_EOF)
        return True

    def _content(self, entry: TarEntry) -> bytes | None:
        """The content of files that have a name of ours, and of modules."""
        base = entry.basename
        plugin = base == _PLUGIN
        named = plugin or base == _CONFIG or path_of(entry.name) == _EXTENSION
        if entry.size > LIMIT or not (named or entry.regular):
            return None
        if entry.parts is not None:
            if not plugin:
                return None
            self._budget.unpack(max(0, entry.size - (entry.end - entry.data)))
        with io.BytesIO() as buffer:
            try:
                for piece in self._reader.content():
                    buffer.write(piece)
                    if not named and buffer.tell() >= len(MODULE) and not _is_module(buffer):
                        return None
            except UnreadableLayer as error:
                raise _while_reading(entry, error.reason) from error
            return buffer.getvalue() if named or _is_module(buffer) else None


def _is_module(buffer: io.BytesIO) -> bool:
    with buffer.getbuffer() as view:
        return view[: len(MODULE)] == MODULE


def path_of(name: bytes) -> bytes:
    """The path of an entry of that name, from the root of the image."""
    return name.removeprefix(b"./").lstrip(b"/")


def topmost_first(layers: Sequence[Descriptor]) -> list[Descriptor]:
    """The layers to look into, each once: of one that comes again, the topmost place decides.

    :raises BadArtifact: more than any image has
    """
    found = list({(layer.digest, layer.media_type): layer for layer in layers[::-1]}.values())
    if len(found) > MOST_LAYERS:
        raise BadArtifact(f"{len(found)} layers: more than the {MOST_LAYERS} that are looked into")
    return found


def _while_reading(entry: TarEntry, reason: str) -> UnreadableLayer:
    """With Istio's words for a plugin that ends too early (imagefetcher.go)."""
    plugin = entry.basename == _PLUGIN
    return UnreadableLayer(f"failed to read {PLUGIN_FILE}: {reason}" if plugin else reason)


def _too_large(layer: Descriptor, size: int) -> str:
    return f"layer {layer.digest}: {size} bytes, more than any mesh reads"
