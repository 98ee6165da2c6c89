"""An image out of what ``docker save`` writes, as a Docker manifest.

The engine keeps files, not manifests, and its archives hold layers that are not compressed. They
are compressed on disk, piece by piece: a layer may be larger than what fits into memory.
"""

import contextlib
import hashlib
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from wasmpack.errors import BadArtifact, NotFound
from wasmpack.oci import media_types as mt
from wasmpack.oci.canonical import Fields, canonical_json, expect, parse_json
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.layer import gzip_pieces
from wasmpack.oci.layers import MOST_LAYERS
from wasmpack.oci.manifest import MAX_MANIFEST, Index, Manifest, parse_manifest
from wasmpack.stores.names import is_called, not_one
from wasmpack.stores.ports import ImageReader
from wasmpack.stores.tar_files import Slice, Span, find_files
from wasmpack.stores.verified import CHUNK, Readable

_GZIP = b"\x1f\x8b"
_ODD = "unexpected docker save format"


class SavedImage:
    """An image of an archive, with its blobs in a temporary file."""

    def __init__(self, archive: BinaryIO, what: str, name: str | None = None) -> None:
        """Find the image and compress its layers.

        :param what: names the archive in errors
        :param name: of the image, or its tag; None for the only one in it
        :raises BadArtifact: not an archive of docker save, or one with parts missing
        :raises NotFound: no image of that name, or several to choose from
        """
        self._name = name
        self._archive = archive
        self._what = what
        self._files = find_files(archive, what)
        self._blobs: dict[Digest, Span] = {}
        self._work = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the image
        weakref.finalize(self, self._work.close)
        self.manifest = self._convert()

    def open_blob(self, descriptor: Descriptor) -> Slice:
        """:raises NotFound: no such blob."""
        span = self._blobs.get(descriptor.digest)
        if span is None:
            raise NotFound(f"{self._what}: no blob {descriptor.digest}")
        return Slice(self._work, span)

    def _convert(self) -> Manifest:
        """Legacy and OCI archives of ``docker save`` both carry manifest.json."""
        entry = self._entry()
        file = entry.required(str, "Config", "the name of a file")
        config = self._keep([self._small(file)], mt.DOCKER_CONFIG)
        names = self._layers(entry)
        layers = {name: self._layer(name) for name in dict.fromkeys(names)}
        body = {
            "schemaVersion": 2,
            "mediaType": mt.DOCKER_MANIFEST,
            "config": config.as_json(),
            "layers": [layers[name].as_json() for name in names],
        }
        return parse_manifest(canonical_json(body), mt.DOCKER_MANIFEST)

    def _entry(self) -> Fields:
        found = parse_json(self._small("manifest.json"), f"{self._what}: manifest.json")
        where = f"{self._what}: {_ODD}: manifest.json"
        rows = expect(found, list, where, "an array of objects") or [None]
        entries = [Fields(row, where, "an array of objects", separator=": ") for row in rows]
        chosen = [entry for entry in entries if _is_meant(entry, self._name)]
        if len(chosen) == 1:
            return chosen[0]
        known = [name for entry in entries for name in _names(entry)]
        several = [name for entry in chosen for name in _names(entry) or ["one without a name"]]
        raise not_one(self._what, self._name, several, known)

    def _layers(self, entry: Fields) -> list[str]:
        """An image without layers has null there, which is how Go writes an empty list."""
        if not entry.value.get("Layers"):
            return []
        rows = entry.rows("Layers", "names of files")
        if len(rows) > MOST_LAYERS:
            raise self._odd(f"{len(rows)} layers, more than {MOST_LAYERS}")
        return [expect(row, str, entry.place("Layers"), "names of files") for row, _ in rows]

    def _layer(self, name: str) -> Descriptor:
        with contextlib.closing(self._open(name)) as file:
            start = file.read(len(_GZIP))
            pieces = _chunks(start, file)
            compressed = pieces if start == _GZIP else gzip_pieces(pieces)
            return self._keep(compressed, mt.DOCKER_LAYER_TAR_GZIP)

    def _keep(self, pieces: Iterable[bytes], media_type: str) -> Descriptor:
        """Write a blob behind the others."""
        offset = self._work.tell()
        hasher = hashlib.sha256()
        for piece in pieces:
            hasher.update(piece)
            self._work.write(piece)
        self._work.flush()
        digest = Digest("sha256", hasher.hexdigest())
        size = self._work.tell() - offset
        self._blobs[digest] = Span(offset, size)
        return Descriptor(media_type=media_type, digest=digest, size=size)

    def _small(self, name: str) -> bytes:
        with contextlib.closing(self._open(name)) as file:
            data = file.read(MAX_MANIFEST + 1)
        if len(data) > MAX_MANIFEST:
            raise self._odd(f"{name[:80]}: more than {MAX_MANIFEST} bytes")
        return data

    def _open(self, name: str) -> Slice:
        span = self._files.get(name.removeprefix("./"))
        if span is None:
            raise self._odd(f"no file {name[:80]!r}")
        return Slice(self._archive, span)

    def _odd(self, reason: str) -> BadArtifact:
        return BadArtifact(f"{self._what}: {_ODD}: {reason}")


class SavedReader(ImageReader):
    """An image of an archive of ``docker save`` (:class:`wasmpack.stores.ports.ImageReader`)."""

    def __init__(self, image: SavedImage, what: str, source: str) -> None:
        """:param what: names the image in errors"""
        self._image = image
        self._what = what
        self.source = source

    def get(self, descriptor: Descriptor | None = None) -> Manifest | Index:
        manifest = self._image.manifest
        if descriptor is not None and descriptor.digest != manifest.digest:
            raise NotFound(f"{self._what}: no manifest {descriptor.digest}")
        return manifest

    def open_blob(self, descriptor: Descriptor) -> Readable:
        return self._image.open_blob(descriptor)

    def read_at(self, descriptor: Descriptor, offset: int, size: int) -> bytes:
        file = self._image.open_blob(descriptor)
        file.skip(offset)
        return file.read(size)


def _is_meant(entry: Fields, wanted: str | None) -> bool:
    return wanted is None or any(is_called(name, wanted) for name in _names(entry))


def _names(entry: Fields) -> list[str]:
    """Its full names; an image that has none has null there."""
    tags = entry.value.get("RepoTags") or []
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def _chunks(start: bytes, file: Slice) -> Iterator[bytes]:
    yield start
    while data := file.read(CHUNK):
        yield data
