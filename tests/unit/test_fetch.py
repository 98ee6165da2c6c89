"""Istio's fetcher replayed: what it takes, and its own words when it does not."""

import gzip
import io
import tarfile

import pytest

from wasmpack.fetchers.fetch import Fetched, fetch
from wasmpack.fetchers.refusal import REPACK
from wasmpack.oci import media_types as mt
from wasmpack.oci.canonical import canonical_json
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.manifest import Index, Manifest, parse
from wasmpack.targets import Fetcher, ImageRules

WASM = b"\0asm\1\0\0\0"
LAST = ImageRules(reader=Fetcher.ISTIO, one_layer=False, tar_limit=1 << 20, content_limit=None)
ONE = ImageRules(reader=Fetcher.ISTIO, one_layer=True, tar_limit=None, content_limit=None)
CUT = ImageRules(reader=Fetcher.ISTIO, one_layer=False, tar_limit=1 << 20, content_limit=8)
ROOMY = ImageRules(reader=Fetcher.ISTIO, one_layer=False, tar_limit=1 << 28, content_limit=None)
CONFIG = b"{}"


def tar(*entries: tuple[str, bytes | None]) -> bytes:
    """A tar of files; None makes a directory."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            if content is None:
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


PLUGIN = gzip.compress(tar(("plugin.wasm", WASM)))
OTHER = gzip.compress(tar(("etc/x", b"x")))
GZ, DGZ = mt.OCI_LAYER_TAR_GZIP, mt.DOCKER_LAYER_TAR_GZIP

Layer = tuple[str, bytes]


def read(
    layers: list[Layer],
    rules: ImageRules = LAST,
    body: str = mt.OCI_MANIFEST,
    config: Descriptor | None = None,
) -> Fetched:
    blobs = {Descriptor.of(data, kind).digest: data for kind, data in layers}
    value = {
        "schemaVersion": 2,
        "config": (config or Descriptor.of(CONFIG, mt.OCI_CONFIG)).as_json(),
        "layers": [Descriptor.of(data, kind).as_json() for kind, data in layers],
        **({"mediaType": body} if body else {}),
    }
    manifest = parse(canonical_json(value))
    return fetch(manifest, _no_child, lambda d: iter([blobs[d.digest]]), rules)


def _no_child(_: Descriptor) -> Manifest | Index:
    raise AssertionError("no child should be asked for")


ACCEPTED: dict[str, tuple[list[Layer], ImageRules, str]] = {
    "compat": ([(GZ, PLUGIN)], LAST, mt.OCI_MANIFEST),
    "compat, one layer wanted": ([(GZ, PLUGIN)], ONE, mt.OCI_MANIFEST),
    "compat without a body type": ([(GZ, PLUGIN)], LAST, ""),
    "docker": ([(DGZ, PLUGIN)], LAST, mt.DOCKER_MANIFEST),
    "last of several": ([(GZ, OTHER), (GZ, PLUGIN)], LAST, mt.OCI_MANIFEST),
    "artifact": ([(mt.WASM_CONFIG, b"{}"), (mt.WASM_CONTENT, WASM)], ONE, mt.OCI_MANIFEST),
    "artifact, other order": ([(mt.WASM_CONTENT, WASM), ("a/b", b"z")], LAST, mt.OCI_MANIFEST),
    "in a folder": ([(GZ, gzip.compress(tar(("./usr/plugin.wasm", WASM))))], LAST, ""),
    "first of two": ([(GZ, gzip.compress(tar(("plugin.wasm", WASM), ("plugin.wasm", b"x"))))],
                     LAST, ""),
    "damage behind the plugin": ([(GZ, gzip.compress(tar(("plugin.wasm", WASM))[:1024]))], LAST,
                                 ""),
    "cut at the limit": ([(mt.WASM_CONFIG, b"{}"), (mt.WASM_CONTENT, WASM + b"rest")], CUT, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name: str) -> None:
    layers, rules, body = ACCEPTED[name]
    found = read(layers, rules, body)
    assert found.problems == ()
    assert found.module == WASM


EXPECT = "application/vnd.oci.image.layer.v1.tar+gzip"
REFUSED: dict[str, tuple[list[Layer], ImageRules, str, str]] = {
    "N7": ([], LAST, "", "number of layers must be greater than zero"),
    "N8 tar": ([(mt.OCI_LAYER_TAR, b"x")], LAST, "",
               f"invalid media type {mt.OCI_LAYER_TAR} (expect {EXPECT})"),
    "N9": ([(DGZ, PLUGIN)], LAST, mt.OCI_MANIFEST, f"invalid media type {DGZ} (expect {EXPECT})"),
    "N10": ([(GZ, PLUGIN)], LAST, mt.DOCKER_MANIFEST,
            f"as Docker container invalid media type {GZ} (expect {DGZ})"),
    "N11": ([(GZ, tar(("plugin.wasm", WASM)))], LAST, "", "gzip: invalid header"),
    "N12": ([(GZ, gzip.compress(b"short"))], LAST, "", "unexpected EOF"),
    "N13": ([(GZ, gzip.compress(tar(("PLUGIN.WASM", WASM), ("myplugin.wasm", WASM))))], LAST, "",
            "plugin.wasm not found in the archive"),
    "N13 empty": ([(GZ, gzip.compress(tar()))], LAST, "", "plugin.wasm not found in the archive"),
    "N14": ([(GZ, PLUGIN), (GZ, OTHER)], LAST, "", "plugin.wasm not found in the archive"),
    "N15": ([(GZ, OTHER), (GZ, PLUGIN)], ONE, "", "number of layers must be 1 but got 2"),
    "N16": ([(mt.WASM_CONTENT, WASM)], LAST, "", "number of layers must be 2 but got 1"),
    "N17": ([("a/b", b"x"), (mt.CNCF_WASM, WASM)], LAST, "",
            f"could not find the layer of type {mt.WASM_CONTENT}"),
    "N19": ([("a/b", b"x"), (mt.WASM_CONTENT, gzip.compress(WASM))], LAST, "",
            "fetched Wasm binary is invalid"),
    "N20 directory": ([(GZ, gzip.compress(tar(("plugin.wasm/", None))))], LAST, "",
                      "fetched Wasm binary is invalid"),
    "N20 junk": ([(GZ, gzip.compress(tar(("plugin.wasm", b"#!/bin/sh\n"))))], LAST, "",
                 "fetched Wasm binary is invalid"),
    "N22": ([(GZ, gzip.compress(tar(("big", bytes(2 << 20)), ("plugin.wasm", WASM))))], LAST, "",
            "unexpected EOF"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_its_own_words(name: str) -> None:
    layers, rules, body, words = REFUSED[name]
    found = read(layers, rules, body)
    assert found.module is None
    (problem,) = found.problems
    assert words in problem.message
    assert problem.hint


@pytest.mark.slow
def test_bombs_are_refused_within_the_limit() -> None:
    info = tarfile.TarInfo("plugin.wasm")
    info.size = 4 << 30
    claim = info.tobuf(tarfile.GNU_FORMAT) + bytes(10_240)
    many = tar(*((f"f{n}", b"") for n in range(70_000)))
    for layer in (gzip.compress(claim), gzip.compress(many)):
        found = read([(GZ, layer)], ROOMY)
        assert "unexpected EOF" in found.problems[0].message


def test_n18_config_with_the_digest_of_the_content() -> None:
    layers = [(mt.WASM_CONFIG, b"{}"), (mt.WASM_CONTENT, WASM)]
    found = read(layers, config=Descriptor.of(WASM, "a/b"))
    assert found.module is None


def index(*platforms: dict[str, str] | None) -> tuple[Index, Manifest]:
    artifact = [(mt.WASM_CONFIG, b"{}"), (mt.WASM_CONTENT, WASM)]
    value = {
        "config": Descriptor.of(CONFIG, mt.OCI_CONFIG).as_json(),
        "layers": [Descriptor.of(data, kind).as_json() for kind, data in artifact],
    }
    child = parse(canonical_json(value))
    assert isinstance(child, Manifest)
    rows = [
        {**child.descriptor.as_json(), **({"platform": platform} if platform else {})}
        for platform in platforms
    ]
    found = parse(canonical_json({"manifests": rows}), mt.OCI_INDEX)
    assert isinstance(found, Index)
    return found, child


AMD, ARM = ({"os": "linux", "architecture": arch} for arch in ("amd64", "arm64"))
BLOBS = {Descriptor.of(b"{}", "").digest: b"{}", Descriptor.of(WASM, "").digest: WASM}


@pytest.mark.parametrize("platforms", [[AMD], [ARM, AMD], [None]])
def test_index_is_resolved_to_linux_amd64(platforms: list[dict[str, str] | None]) -> None:
    top, child = index(*platforms)
    found = fetch(top, lambda _: child, lambda d: iter([BLOBS[d.digest]]), LAST)
    assert found.module == WASM
    assert [problem.code for problem in found.problems] == ["IMG002"]


def test_n4_no_linux_amd64() -> None:
    top, child = index(ARM)
    found = fetch(top, lambda _: child, lambda d: iter([]), LAST)
    assert "no child with platform linux/amd64 in index" in found.problems[0].message


def test_n5_digest_of_an_index_never_matches() -> None:
    top, child = index(AMD)
    found = fetch(top, lambda _: child, lambda d: iter([]), LAST, pinned=True)
    assert f"has checksum {child.digest.hex}, which does not match" in found.problems[0].message
    assert str(child.digest) in str(found.problems[0].hint)


def test_advice_to_repack_is_a_command() -> None:
    """So that whoever knows the image can fill it in, or give other advice."""
    (problem,) = read([(GZ, OTHER)]).problems
    assert problem.hint.command == REPACK
    assert str(problem.hint.about("x:v1")).endswith(": wasmpack repack x:v1 DESTINATION")


def test_a_file_that_is_no_module_is_the_module_s_own_fault() -> None:
    assert read([(GZ, gzip.compress(tar(("plugin.wasm", b"text"))))]).not_wasm
    assert not read([(GZ, OTHER)]).not_wasm
    assert not read([(GZ, PLUGIN)]).not_wasm
