"""Indexes, and indexes in them, of the tests' own making."""

from __future__ import annotations

import io

from support.plugins import wat
from wasmpack.errors import NotFound
from wasmpack.images.image import Image
from wasmpack.images.variants import artifact_image
from wasmpack.oci import media_types as mt
from wasmpack.oci.canonical import JsonObject, canonical_json
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.manifest import Index, Manifest, parse
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.stores.ports import ImageReader

WASM = wat()
IMAGE = artifact_image(PluginModule(WASM), b'{"type":"envoy_proxy"}', {})
AMD: JsonObject = {"os": "linux", "architecture": "amd64"}
ARM: JsonObject = {"os": "linux", "architecture": "arm64"}


class Shelf:
    """Manifests and indexes by digest."""

    def __init__(self) -> None:
        self.held: dict[str, Manifest | Index] = {str(IMAGE.manifest.digest): IMAGE.manifest}

    def index(self, *rows: tuple[Descriptor, JsonObject | None], kind: str = mt.OCI_INDEX) -> Index:
        children = [{**row.as_json(), **({"platform": p} if p else {})} for row, p in rows]
        found = parse(canonical_json({"schemaVersion": 2, "manifests": children}), kind)
        assert isinstance(found, Index)
        self.held[str(found.digest)] = found
        return found

    def get(self, descriptor: Descriptor) -> Manifest | Index:
        try:
            return self.held[str(descriptor.digest)]
        except KeyError:
            raise NotFound(f"no manifest {descriptor.digest}") from None


class _ShelfReader(ImageReader):
    source = "layout"

    def __init__(self, top: Manifest | Index, shelf: Shelf) -> None:
        self._top, self._shelf = top, shelf

    def get(self, descriptor: Descriptor | None = None) -> Manifest | Index:
        return self._top if descriptor is None else self._shelf.get(descriptor)

    def open_blob(self, descriptor: Descriptor) -> io.BytesIO:
        return io.BytesIO(IMAGE.blobs[descriptor.digest])


def on_shelf(top: Manifest | Index, shelf: Shelf, name: str = "oci:layout:v1") -> Image:
    """An image as a store would open it."""
    return Image(_ShelfReader(top, shelf), name)


def nested(shelf: Shelf, depth: int, last: Descriptor = IMAGE.manifest.descriptor) -> Index:
    """So many indexes around an image."""
    found = shelf.index((last, AMD))
    for _ in range(depth - 1):
        found = shelf.index((found.descriptor, AMD))
    return found
