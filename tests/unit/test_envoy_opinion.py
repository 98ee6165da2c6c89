"""The real Envoy is asked about every module that a target loads, and about no other."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest
from support.module_rules import RULES
from support.plugins import wat

from wasmpack.actions.validate import Checks
from wasmpack.actions.validate_image import validate_image
from wasmpack.envoy import EnvoyVerdict
from wasmpack.findings import Report, Verdict
from wasmpack.images.image import Image
from wasmpack.images.variants import BuiltImage
from wasmpack.oci import media_types as mt
from wasmpack.oci.canonical import canonical_json
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.manifest import parse_manifest

pytestmark = pytest.mark.slow

A = wat()
B = wat('(func (export "extra"))')
OLD, NEW = "istio-1.12", "istio-1.30"


def tar(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("plugin.wasm")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), mtime=0)


def image_of(*layers: tuple[bytes, str]) -> Image:
    rows = [Descriptor.of(data, kind) for data, kind in layers]
    config = Descriptor.of(b"{}", mt.OCI_CONFIG)
    blobs = {Descriptor.of(data, "").digest: data for data, _ in (*layers, (b"{}", ""))}
    body = {
        "schemaVersion": 2, "mediaType": mt.OCI_MANIFEST, "config": config.as_json(),
        "layers": [row.as_json() for row in rows],
    }  # fmt: skip
    return Image(BuiltImage(parse_manifest(canonical_json(body)), blobs), "x")


TWO = ((A, mt.WASM_CONTENT), (tar(B), mt.OCI_LAYER_TAR_GZIP))
"""Releases that take one tar layer read the first, the others the second."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The modules that an Envoy was shown; it refuses A."""
    seen: list[bytes] = []

    def ask(module: bytes, _start_up: object = None) -> EnvoyVerdict:
        seen.append(module)
        return EnvoyVerdict(version="1.40.0", accepts=module != A, crashed=False, words=("no",))

    monkeypatch.setattr("wasmpack.actions.envoy_opinion.ask_envoy", ask)
    return seen


def judged(image: Image, *targets: str) -> Report:
    return validate_image(image, Checks(targets=list(targets), envoy=True))


def test_the_module_that_the_target_loads(asked: list[bytes]) -> None:
    assert judged(image_of(*TWO), OLD).verdict is Verdict.REJECT
    assert asked == [A]
    assert judged(image_of(*TWO), NEW).verdict is Verdict.ACCEPT
    assert asked == [A, B]


def test_each_module_that_any_target_loads(asked: list[bytes]) -> None:
    report = judged(image_of(*TWO), OLD, NEW)
    assert sorted(asked) == sorted([A, B])
    said = {f.code: f.message for f in report.findings if f.code.startswith("ENV")}
    assert said["ENV001"].startswith(f"the module that {OLD} would load: Envoy 1.40.0 refuses it")
    assert said["ENV003"].startswith(f"the module that {NEW} would load: Envoy 1.40.0 accepts it")


def test_one_module_is_asked_about_once(asked: list[bytes]) -> None:
    report = judged(image_of((tar(B), mt.OCI_LAYER_TAR_GZIP)), OLD, NEW, "envoy-1.40")
    assert asked == [B]
    (said,) = [f.message for f in report.findings if f.code.startswith("ENV")]
    assert said == "Envoy 1.40.0 accepts it too"


def test_a_module_that_no_target_loads(asked: list[bytes]) -> None:
    judged(image_of((b"{}", mt.WASM_CONFIG), (B, "application/x"), (A, mt.WASM_CONTENT)), OLD)
    assert asked == [A], "what the image contains anyway"


def test_no_module(asked: list[bytes]) -> None:
    assert judged(image_of((b"text", "text/plain")), OLD).verdict is Verdict.REJECT
    assert asked == []


def test_our_rules_are_compared_for_the_same_module(asked: list[bytes]) -> None:
    """The image is refused, but of the module that it holds, Envoy and the rules agree."""
    refused = next(row[1] for row in RULES if row[0] == "restricted call")
    report = judged(image_of((b"{}", "text/plain"), (refused, "x/y"), (B, mt.WASM_CONTENT)), OLD)
    assert asked == [B]
    assert "ENV003" in {found.code for found in report.findings}
