"""The real Envoy is asked about every module that a target loads, and about no other."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest
from support.module_rules import RULES
from support.plugins import wat

from wasmpack.actions.checks import Checks
from wasmpack.actions.validate import validate_module
from wasmpack.actions.validate_image import validate_image
from wasmpack.dry_run.start_up import StartUp
from wasmpack.envoy import Ended, EnvoyVerdict
from wasmpack.findings import Report, Verdict
from wasmpack.images.image import Image
from wasmpack.images.variants import BuiltImage
from wasmpack.oci import media_types as mt
from wasmpack.oci.canonical import canonical_json
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.manifest import parse_manifest
from wasmpack.proxy_abi.module import PluginModule

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


HELD = wat(
    '(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 1))'
)
TRAPS = wat(
    '(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) unreachable)'
)
TICKS = wat(
    """(func (export "proxy_on_configure") (param i32 i32) (result i32)
      (drop (call $period (i32.const 1))) (i32.const 1))
    (func (export "proxy_on_tick") (param i32) unreachable)""",
    '(import "env" "proxy_set_tick_period_milliseconds" (func $period (param i32) (result i32)))',
)
FAILED = ("Function: x failed",)


@pytest.mark.parametrize(
    ("data", "ended", "code"),
    [
        (A, Ended(status=200), "ENV003"),
        (A, Ended(status=503), "ENV004"),
        (A, Ended(status=None), "ENV004"),
        (A, Ended(status=200, failed=FAILED), "ENV004"),
        (A, None, "ENV003"),
        (HELD, Ended(status=None, held=True), "ENV003"),
        (HELD, Ended(status=None), "ENV004"),
        (TRAPS, Ended(status=503, failed=FAILED), "ENV003"),
        (TRAPS, Ended(status=503), "ENV004"),
        (TICKS, Ended(status=200), "ENV003"),
        (TICKS, Ended(status=503, failed=FAILED), "ENV003"),
        (TICKS, Ended(status=418), "ENV004"),
    ],
)
def test_how_the_request_ended_in_both(
    data: bytes, ended: Ended | None, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = EnvoyVerdict(version="1.40.0", accepts=True, crashed=False, words=(), ended=ended)
    monkeypatch.setattr("wasmpack.actions.envoy_opinion.ask_envoy", lambda *_: verdict)
    report = validate_module(PluginModule(data), Checks(envoy=True))
    (said,) = [found for found in report.findings if found.code.startswith("ENV")]
    assert said.code == code, said
    assert ("as in the dry run" in said.message) == (code == "ENV003" and ended is not None)


def test_without_a_dry_run_nothing_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Ended(status=418)
    verdict = EnvoyVerdict(version="1.40.0", accepts=True, crashed=False, words=(), ended=ended)
    monkeypatch.setattr("wasmpack.actions.envoy_opinion.ask_envoy", lambda *_: verdict)
    checks = Checks(envoy=True, start_up=StartUp(dry_run=False))
    report = validate_module(PluginModule(A), checks)
    (said,) = [found.message for found in report.findings if found.code == "ENV003"]
    assert said == "Envoy 1.40.0 accepts it too; a plain GET request is answered with 418"
