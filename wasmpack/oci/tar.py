"""A tar file, entry by entry, as Go's archive/tar reads it (reader.go).

Istio and Envoy Gateway open layers with it, so what it takes, skips and refuses is the verdict that
is promised here; its texts are the reasons. It is used for every tar file that others made: layers,
archives, what ``docker save`` writes. Python's tarfile has other opinions, and reads some headers
of a few hundred bytes for minutes.

>>> import io, tarfile
>>> file = io.BytesIO(tarfile.TarInfo("plugin.wasm").tobuf() + bytes(1024))
>>> [entry.name for entry in TarReader(Stream(iter([file.read()])), Budget())]
[b'plugin.wasm']
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from wasmpack.oci.budget import Budget
from wasmpack.oci.gunzip import UNEXPECTED_EOF, UnreadableLayer
from wasmpack.oci.stream import CHUNK, Source, Stream, read_full
from wasmpack.oci.tar_header import (
    BLOCK,
    FILE,
    FOLDER,
    GLOBAL_PAX,
    HEADER_ONLY,
    INVALID_HEADER,
    MAX_SPECIAL,
    OLD_FILE,
    SPARSE,
    Header,
    parse_header,
    parse_pax,
)
from wasmpack.oci.tar_sparse import Part, check_map, old_map, pax_map

__all__ = ["Source", "Stream", "TarEntry", "TarReader"]

_TOO_LONG = "archive/tar: header field too long"
_MISSING_DATA = "archive/tar: sparse file references non-existent data"
_ZERO_BLOCK = bytes(BLOCK)
_ZEROS = bytes(CHUNK)


class TarEntry(NamedTuple):
    """One entry, with what extended headers say of it."""

    name: bytes
    kind: bytes
    size: int
    """As it is said; of a sparse file, with its holes."""
    start: int
    """Offset of its first header in the tar."""
    data: int
    end: int
    """Offsets of the start and end of its data in the tar."""
    parts: Sequence[Part] | None = None
    """The map of a sparse file; None for any other."""

    @property
    def read_to(self) -> int:
        """Offset of the last data that belongs to its content."""
        if self.parts is None:
            return self.end
        return self.data + sum(part.size for part in self.parts)

    @property
    def regular(self) -> bool:
        """A file; kinds that nobody knows are files (POSIX, pax, "ustar Interchange Format")."""
        return self.kind not in HEADER_ONLY and self.kind != GLOBAL_PAX

    @property
    def basename(self) -> bytes:
        """The last part of its path: all that the fetchers compare."""
        return self.name.rstrip(b"/").rpartition(b"/")[2]


class TarReader:
    """Entries in their order, each with its content while it is the newest."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self._source = source
        self._budget = budget
        self._left = self._padding = 0
        """Bytes of the newest entry that were not read."""
        self._newest: TarEntry | None = None

    def __iter__(self) -> Iterator[TarEntry]:
        """:raises UnreadableLayer: where the tar cannot be read on."""
        while (entry := self._next()) is not None:
            self._newest = entry
            yield entry

    def content(self) -> Iterator[bytes]:
        """The newest entry's content in pieces; those without data have none.

        :raises UnreadableLayer: it is cut off
        """
        entry = self._newest
        if entry is None or entry.parts is None:
            yield from self._data(self._left)
            return
        at = 0
        for part in entry.parts:
            yield from _zeros(part.offset - at)
            if self._left < part.size:
                yield from self._data(self._left)
                raise UnreadableLayer(_MISSING_DATA)
            yield from self._data(part.size)
            at = part.offset + part.size
        yield from _zeros(entry.size - at)

    def _next(self) -> TarEntry | None:
        records: dict[bytes, bytes] = {}
        long_name = b""
        start = None
        while (block := self._next_header()) is not None:
            start = self._source.position - BLOCK if start is None else start
            header = parse_header(block)
            self._begin(header)
            match header.kind:
                case b"x":  # PAX
                    records = self._records()
                case b"g":  # PAX, for all that follow
                    return self._global(header, start)
                case b"L":  # GNU, a long name
                    long_name = self._special().partition(b"\0")[0]
                case b"K":  # GNU, a long name of what is linked to
                    self._special()
                case _:
                    header.merge(records)
                    header.name = long_name or header.name
                    return self._entry(header, block, records, start)
        return None

    def _next_header(self) -> bytes | None:
        """The block behind the newest entry; None at the end, which two blocks of zeros mark."""
        if self._source.skip(self._left) < self._left:
            raise UnreadableLayer(UNEXPECTED_EOF)
        padding, self._left, self._padding = self._padding, 0, 0
        if self._source.skip(padding) < padding:
            return None
        self._budget.enter()
        block = self._block()
        if block != _ZERO_BLOCK:
            return block
        if self._block() not in {None, _ZERO_BLOCK}:
            raise UnreadableLayer(INVALID_HEADER)
        return None

    def _block(self) -> bytes | None:
        block = read_full(self._source, BLOCK)
        if block and len(block) < BLOCK:
            raise UnreadableLayer(UNEXPECTED_EOF)
        return block or None

    def _begin(self, header: Header) -> None:
        """Expect this header's data next."""
        if header.kind in HEADER_ONLY:
            self._left = self._padding = 0
            return
        if header.size < 0:
            raise UnreadableLayer(INVALID_HEADER)
        self._left = header.size
        self._padding = -header.size % BLOCK

    def _entry(
        self, header: Header, block: bytes, records: dict[bytes, bytes], start: int
    ) -> TarEntry:
        if header.kind == OLD_FILE:
            header.kind = FOLDER if header.name.endswith(b"/") else FILE
        self._begin(header)
        if header.kind == SPARSE:
            parts: list[Part] | None = old_map(header, block, self._ahead)
        else:
            parts = pax_map(header, records, self._own)
        if parts is not None:
            self._budget.enter(0, records=len(parts))
            if header.kind in HEADER_ONLY:
                raise UnreadableLayer(INVALID_HEADER)
            check_map(parts, header.size)
        return self._made(header, start, parts)

    def _global(self, header: Header, start: int) -> TarEntry:
        """Go makes an entry of it, without data, and applies it to no other."""
        records = self._records()
        header.name = records.get(b"path") or header.name
        header.size = 0
        return self._made(header, start, None)

    def _made(self, header: Header, start: int, parts: list[Part] | None) -> TarEntry:
        data = self._source.position
        end = data + self._left
        return TarEntry(header.name, header.kind, header.size, start, data, end, parts)

    def _records(self) -> dict[bytes, bytes]:
        data = self._special()
        self._budget.enter(0, records=data.count(b"\n"))
        return parse_pax(data)

    def _special(self) -> bytes:
        """The data of a header that describes the next entry."""
        data = b"".join(self._data(min(self._left, MAX_SPECIAL + 1)))
        if len(data) > MAX_SPECIAL:
            raise UnreadableLayer(_TOO_LONG)
        return data

    def _data(self, size: int) -> Iterator[bytes]:
        """So many bytes of the newest entry's data."""
        while size:
            piece = self._source.some(min(size, CHUNK))
            if not piece:
                raise UnreadableLayer(UNEXPECTED_EOF)
            self._left -= len(piece)
            size -= len(piece)
            yield piece

    def _own(self, size: int) -> bytes:
        """Bytes of the newest entry's data; fewer at its end."""
        return b"".join(self._data(min(size, self._left)))

    def _ahead(self, size: int) -> bytes:
        """Bytes that belong to no data: further headers."""
        return read_full(self._source, size)


def _zeros(size: int) -> Iterator[bytes]:
    while size > 0:
        piece = _ZEROS[: min(size, CHUNK)]
        size -= len(piece)
        yield piece
