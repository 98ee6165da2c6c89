"""``wasmpack repack``: out of what others packed wrongly, an image that every mesh loads."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from agreement import images as i
from conftest import Cli
from support.layouts import put
from support.plugins import PLUGINS, wat
from support.registries import RunningRegistry

from wasmpack.oci import media_types as mt
from wasmpack.oci.descriptor import Descriptor

PLUGIN = (PLUGINS / "header-append-c.wasm").read_bytes()
CNCF = (mt.CNCF_CONFIG, b'{"architecture":"wasm","os":"wasip1"}')
EXTENSION = i.packed(
    ("manifest.yaml", b"schemaVersion: 1\nmodule: extension.wasm\n"), ("extension.wasm", PLUGIN)
)
TAR = i.packed(("plugin.wasm", PLUGIN))

WRONG = [
    i.Case("wasm-to-oci, cosign", "N16", [(mt.WASM_TO_OCI_CONTENT, PLUGIN)], ""),
    i.Case("CNCF", "N16", [(mt.CNCF_WASM, PLUGIN)], "", config=CNCF),
    i.Case("octet stream", "N17", [("application/octet-stream", PLUGIN)], ""),
    i.Case("docker with manifest.yaml", "5.1", [(i.DGZ, EXTENSION)], "", body=mt.DOCKER_MANIFEST),
    i.Case("plugin in the first layer", "N14", [(i.GZ, TAR), (i.GZ, i.OTHER)], ""),
    i.Case("file name", "N13", [(i.GZ, i.packed(("opt/filter.wasm", PLUGIN)))], ""),
    i.Case("docker layer in an OCI manifest", "N9", [(i.DGZ, TAR)], ""),
    i.Case("plain tar", "N11", [(mt.OCI_LAYER_TAR, i.tar(("plugin.wasm", PLUGIN)))], ""),
    i.Case("module under a gzip type", "N11", [(i.GZ, PLUGIN)], ""),
    i.Case("gzipped content", "N19", [i.CONFIG, (mt.WASM_CONTENT, gzip.compress(PLUGIN, mtime=0))], ""),
    i.Case("three layers", "N16", [i.CONFIG, (mt.WASM_CONTENT, PLUGIN), ("a/b", b"x")], ""),
    i.Case("index of wasi/wasm", "N4", [(mt.CNCF_WASM, PLUGIN)], "", config=CNCF, platforms=[i.WASI]),
    i.Case("index of arm64", "N4", [(i.GZ, TAR)], "", platforms=[i.ARM]),
    i.Case("deleted in a later layer", "layer.md", [(i.GZ, i.packed(("old.wasm", wat()))),
           (i.GZ, i.packed((".wh.old.wasm", b""), ("new.wasm", PLUGIN)))], ""),
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG, ids=[case.name for case in WRONG])
def test_every_default_target_loads_the_result(case: i.Case, cli: Cli, tmp_path: Path) -> None:
    source = put(case, tmp_path / "wrong")
    before = cli("validate", "image", source, "--format", "json")
    if case.name != "deleted in a later layer":
        assert before.code == 3, "the case is not wrong"
    done = cli("repack", source, f"oci:{tmp_path}/right:v1")
    assert done.code == 0, done.err
    assert done.out.startswith(f"oci:{tmp_path}/right:v1@sha256:")
    judged = json.loads(
        cli("validate", "image", f"oci:{tmp_path}/right:v1", "--format", "json").out
    )
    assert {row["verdict"] for row in judged["targets"]} == {"accept"}
    out = cli("extract", f"oci:{tmp_path}/right:v1", "-o", tmp_path / "out")
    assert out.code == 0, out.err
    assert (tmp_path / "out" / "plugin.wasm").read_bytes() == PLUGIN


def test_hints_name_it(cli: Cli, tmp_path: Path) -> None:
    found = cli("validate", "image", put(WRONG[0], tmp_path / "wrong")).out
    assert "wasmpack repack" in found


def test_same_input_same_digest(cli: Cli, tmp_path: Path) -> None:
    source = put(WRONG[3], tmp_path / "wrong")
    digests = {
        cli("repack", source, f"oci:{tmp_path}/{n}:v1").out.partition("@")[2] for n in ("a", "b")
    }
    assert len(digests) == 1


def test_alone_for_google_cloud(cli: Cli, tmp_path: Path) -> None:
    source = put(WRONG[0], tmp_path / "wrong")
    done = cli(
        "repack", source, f"oci:{tmp_path}/right:v1", "--variant", "compat", "--no-runtime-config"
    )
    assert done.code == 0, done.err
    assert cli("validate", "image", f"oci:{tmp_path}/right:v1", "--target", "gcp").code == 0


def test_what_a_target_would_not_read_is_not_written(cli: Cli, tmp_path: Path) -> None:
    source = put(WRONG[0], tmp_path / "wrong")
    refused = cli("repack", source, f"oci:{tmp_path}/right:v1", "--target", "gcp")
    assert refused.code == 3
    assert "IMG007" in refused.err
    built = cli("build", PLUGINS / "header-append-c.wasm", "-t", "x:v1", "--target", "gcp")
    assert built.code == 3


def test_a_damaged_image_of_an_index_is_not_passed_over(cli: Cli, tmp_path: Path) -> None:
    case = i.Case("damaged", "", [(mt.CNCF_WASM, PLUGIN)], "", platforms=[i.AMD, i.ARM])
    source = put(case, tmp_path / "wrong")
    blob = tmp_path / "wrong" / "blobs" / "sha256" / Descriptor.of(PLUGIN, "").digest.hex
    blob.write_bytes(PLUGIN[:-1] + b"x")
    assert cli("repack", source, f"oci:{tmp_path}/right:v1").code == 7


def test_to_a_registry(cli: Cli, tmp_path: Path, open_registry: RunningRegistry) -> None:
    source = put(WRONG[1], tmp_path / "wrong")
    name = f"{open_registry.host}/me/plugin:v1"
    done = cli("repack", source, name)
    assert done.code == 0, done.err
    assert cli("validate", "image", f"docker://{name}").code == 0


def test_several_modules(cli: Cli, tmp_path: Path) -> None:
    layer = i.packed(("a.wasm", PLUGIN), ("b.wasm", wat()))
    source = put(i.Case("two", "", [(i.GZ, layer)], ""), tmp_path / "wrong")
    refused = cli("repack", source, f"oci:{tmp_path}/right:v1")
    assert refused.code == 3
    assert "--module, one of: a.wasm, b.wasm" in refused.err
    assert cli("repack", source, f"oci:{tmp_path}/right:v1", "--module", "/a.wasm").code == 0
    assert cli("repack", source, f"oci:{tmp_path}/x:v1", "--module", "c.wasm").code == 3


def test_what_no_mesh_would_load_is_not_written(cli: Cli, tmp_path: Path) -> None:
    bad = wat(imports='(import "env" "abort" (func))')
    source = put(i.Case("bad", "", [(mt.CNCF_WASM, bad)], ""), tmp_path / "wrong")
    refused = cli("repack", source, f"oci:{tmp_path}/right:v1", "--format", "json")
    assert refused.code == 3
    assert json.loads(refused.out)["findings"][0]["code"] == "ABI002"
    assert not (tmp_path / "right").exists()
    assert cli("repack", source, f"oci:{tmp_path}/right:v1", "--no-validate").code == 0


def test_nothing_to_pack(cli: Cli, tmp_path: Path) -> None:
    source = put(i.Case("none", "", [(i.GZ, i.OTHER)], ""), tmp_path / "wrong")
    refused = cli("repack", source, f"oci:{tmp_path}/right:v1")
    assert refused.code == 3
    assert "no WebAssembly module in any layer" in refused.err


def test_what_is_there_is_kept(cli: Cli, tmp_path: Path) -> None:
    source = put(WRONG[0], tmp_path / "wrong")
    other = put(WRONG[4], tmp_path / "right")
    assert cli("repack", source, other).code == 8
    assert cli("repack", source, other, "--force").code == 0


def test_annotations_stay(cli: Cli, tmp_path: Path) -> None:
    title = {
        "org.opencontainers.image.description": "adds a header",
        "module.wasm.image/variant": "compat",
    }
    case = i.Case("notes", "", [(mt.CNCF_WASM, PLUGIN)], "", extra={"annotations": title})
    cli("repack", put(case, tmp_path / "wrong"), f"oci:{tmp_path}/right:v1")
    found = json.loads(cli("inspect", "image", f"oci:{tmp_path}/right:v1", "--format", "json").out)
    assert found["annotations"] == {"org.opencontainers.image.description": "adds a header"}
