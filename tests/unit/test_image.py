"""One image: everything is read once, also what turns out to be damaged or missing."""

from __future__ import annotations

import gc
import io
import json
from collections import Counter
from dataclasses import replace

import pytest
from support.plugins import PLUGINS

from wasmpack.actions.checks import Checks
from wasmpack.actions.validate_image import validate_image
from wasmpack.errors import DigestMismatch, NotFound, WasmpackError
from wasmpack.images.image import Image
from wasmpack.images.variants import BuiltImage, artifact_image, filesystem_image
from wasmpack.oci import media_types as mt
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.manifest import Index, Manifest, parse
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.stores.verified import Readable

pytestmark = pytest.mark.slow

MODULE = PluginModule((PLUGINS / "header-append-c.wasm").read_bytes())
CONFIG = b'{"type":"envoy_proxy"}'


class Counting(BuiltImage):
    """Counts what is read, and gives wrong bytes for a module or a layer that holds one."""

    verified = False

    def __init__(self, image: BuiltImage, failure: str) -> None:
        super().__init__(image.manifest, image.blobs)
        self.failure = failure
        self.opened: Counter[str] = Counter()

    def open_blob(self, descriptor: Descriptor) -> Readable:
        digest = descriptor.digest
        self.opened[digest.hex] += 1
        if digest != self.manifest.layers[-1].digest or not self.failure:
            return super().open_blob(descriptor)
        if self.failure == "missing":
            raise NotFound("no such blob")
        return io.BytesIO(bytes(descriptor.size))


IMAGES = {
    "artifact": artifact_image(MODULE, CONFIG, {}),
    "tar": filesystem_image(MODULE.data, CONFIG, {}),
}


@pytest.mark.parametrize("failure", ["", "damaged", "missing"])
@pytest.mark.parametrize("shape", IMAGES)
def test_every_blob_is_fetched_once_for_all_targets(shape: str, failure: str) -> None:
    reader = Counting(IMAGES[shape], failure)
    report = validate_image(Image(reader, "x"), Checks(targets=["all"]))
    assert set(reader.opened.values()) == {1}
    assert {found.code for found in report.findings} >= ({"IMG004"} if failure else set())


@pytest.mark.parametrize(("failure", "kind"), [("damaged", DigestMismatch), ("missing", NotFound)])
def test_it_fails_each_time_with_the_same_words(failure: str, kind: type[WasmpackError]) -> None:
    reader = Counting(IMAGES["artifact"], failure)
    image = Image(reader, "x")
    layer = reader.manifest.layers[-1]
    said = set()
    for _ in range(3):
        with pytest.raises(kind) as caught:
            image.blob(layer)
        said.add((caught.value.message, caught.value.hint))
    assert len(said) == 1


class Many(Counting):
    """Has an index whose child cannot be read."""

    def get(self, descriptor: Descriptor | None = None) -> Manifest | Index:
        if descriptor is None:
            rows = [replace(self.manifest.descriptor, media_type=mt.OCI_MANIFEST).as_json()]
            return parse(json.dumps({"schemaVersion": 2, "manifests": rows}).encode(), mt.OCI_INDEX)
        self.opened["manifest"] += 1
        raise DigestMismatch("damaged")


def test_a_damaged_manifest_is_fetched_once_for_all_targets() -> None:
    reader = Many(IMAGES["artifact"], "")
    validate_image(Image(reader, "x"), Checks(targets=["all"]))
    assert reader.opened == {"manifest": 1}


def open_buffers() -> list[io.BytesIO]:
    """All that are still referred to, also by garbage."""
    found = (value for value in gc.get_objects() if type(value) is io.BytesIO)
    return [buffer for buffer in found if not buffer.closed]


def test_an_error_holds_nothing_of_what_was_read() -> None:
    layer = replace(Descriptor.of(b"", mt.WASM_CONTENT), size=4 << 20)
    reader = Counting(IMAGES["artifact"], "damaged")
    reader.manifest = replace(reader.manifest, layers=(layer,))
    before = len(open_buffers())
    with pytest.raises(DigestMismatch) as caught:
        Image(reader, "x").blob(layer)
    assert len(open_buffers()) <= before
    assert caught.traceback
