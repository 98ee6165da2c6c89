"""The shapes of the images we make, and that the same inputs give the same bytes."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from support.plugins import PLUGINS

from wasmpack.actions.checks import Checks
from wasmpack.actions.validate_image import validate_image
from wasmpack.dry_run.start_up import StartUp
from wasmpack.errors import BadArtifact
from wasmpack.findings import Problem
from wasmpack.images.image import Image, variant_of
from wasmpack.images.variants import Variant, artifact_image, filesystem_image
from wasmpack.oci import media_types as mt
from wasmpack.oci.layer import tar_gzip
from wasmpack.oci.manifest import Index, parse, parse_manifest
from wasmpack.proxy_abi.module import PluginModule

MODULE = b"\0asm\1\0\0\0" + bytes(range(256)) * 40
CONFIG = b'{"type":"envoy_proxy"}'


def test_artifact_has_two_raw_layers_in_the_mesh_order() -> None:
    image = artifact_image(PluginModule(MODULE), CONFIG, {"a": "b"})
    first, second = image.manifest.layers
    assert (first.media_type, first.title) == (mt.WASM_CONFIG, "runtime-config.json")
    assert (second.media_type, second.title) == (mt.WASM_CONTENT, "plugin.wasm")
    assert image.blobs[second.digest] == MODULE
    assert image.manifest.body_media_type == mt.OCI_MANIFEST
    assert image.manifest.annotations == {"a": "b"}
    assert image.manifest.config.digest != second.digest
    assert variant_of(image.manifest) is Variant.OCI


@pytest.mark.parametrize(
    ("docker", "manifest_type", "layer_type", "config_type"),
    [
        (False, mt.OCI_MANIFEST, mt.OCI_LAYER_TAR_GZIP, mt.OCI_CONFIG),
        (True, mt.DOCKER_MANIFEST, mt.DOCKER_LAYER_TAR_GZIP, mt.DOCKER_CONFIG),
    ],
)
def test_filesystem_image(
    docker: bool, manifest_type: str, layer_type: str, config_type: str
) -> None:
    image = filesystem_image(MODULE, CONFIG, {"k": "v"}, docker=docker)
    (layer,) = image.manifest.layers
    assert image.manifest.media_type == image.manifest.body_media_type == manifest_type
    assert (layer.media_type, image.manifest.config.media_type) == (layer_type, config_type)
    tar = gzip.decompress(image.blobs[layer.digest])
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        assert archive.getnames() == ["plugin.wasm", "runtime-config.json"]
        assert {(m.uid, m.gid, m.mtime, m.mode, m.uname) for m in archive} == {(0, 0, 0, 0o644, "")}
    config = json.loads(image.blobs[image.manifest.config.digest])
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(tar).hexdigest()]
    assert config["config"] == ({"Labels": {"k": "v"}} if docker else {})
    assert variant_of(image.manifest) is (Variant.DOCKER if docker else Variant.COMPAT)


def test_plugin_alone() -> None:
    image = filesystem_image(MODULE, None, {})
    (layer,) = image.manifest.layers
    with tarfile.open(fileobj=io.BytesIO(image.blobs[layer.digest]), mode="r:gz") as archive:
        assert archive.getnames() == ["plugin.wasm"]


def test_layer_bytes_are_known() -> None:
    """Pinned: another deflate coder, tar writer or header would change every compat digest."""
    layer = tar_gzip({"plugin.wasm": MODULE, "runtime-config.json": CONFIG})
    assert str(layer.diff_id) == GOLDEN_DIFF_ID
    assert hashlib.sha256(layer.data).hexdigest() == GOLDEN_LAYER


GOLDEN_DIFF_ID = "sha256:a6920dfa4ff259f21e2a88ea33266e10bb9581f1fc242da20c77b82203fc4b82"
GOLDEN_LAYER = "d7ce60bdc2fe5e770e90bcf0f5d686b71b461ed0d67313d92fdf07a37a16b1db"

BUILD = """
import sys
from pathlib import Path
from wasmpack import BuildOptions, PluginModule, Variant, build_image
for variant in (Variant.OCI, Variant.COMPAT, Variant.DOCKER):
    module = PluginModule(Path(sys.argv[1]).read_bytes())
    print(build_image(module, BuildOptions(variant=variant)).digest)
"""


@pytest.mark.slow
def test_same_inputs_same_digest_anywhere(tmp_path: Path) -> None:
    module = tmp_path / "some name.wasm"
    module.write_bytes(MODULE)
    seen = set()
    for zone, mask, seed in (("UTC", 0o022, "0"), ("Asia/Tokyo", 0o077, "1")):
        work = tmp_path / zone.replace("/", "-")
        work.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", BUILD, module],
            env={**os.environ, "TZ": zone, "PYTHONHASHSEED": seed},
            cwd=work,
            umask=mask,
            capture_output=True,
            text=True,
            check=True,
        )
        seen.add(done.stdout)
    assert len(seen) == 1
    assert next(iter(seen)).count("sha256:") == 3


DESCRIPTOR = {"mediaType": "a/b", "digest": "sha256:" + "0" * 64, "size": 2}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"layers": [], "config": 1}, "manifest.config"),
        ({}, "manifest.layers"),
        ({"errors": []}, "manifest.layers"),
        ({"config": DESCRIPTOR}, "manifest.layers"),
        ({"config": DESCRIPTOR, "layers": [1]}, r"layers\[0\]: expected a descriptor"),
        ({"config": {**DESCRIPTOR, "size": -1}, "layers": []}, "config.size"),
        ({"config": {**DESCRIPTOR, "size": True}, "layers": []}, "config.size"),
        ({"config": {**DESCRIPTOR, "digest": "sha256:../x"}, "layers": []}, "config.digest"),
        ({"config": DESCRIPTOR, "layers": [], "annotations": {"a": 1}}, "annotations.a"),
        ({"schemaVersion": 1, "fsLayers": []}, "schema 1"),
        ({"manifests": 3}, "index.manifests"),
    ],
)
def test_manifests_nobody_can_use(value: object, words: str) -> None:
    with pytest.raises(BadArtifact, match=words):
        parse(json.dumps(value).encode())


def test_unknown_fields_survive_as_bytes() -> None:
    raw = json.dumps({"config": DESCRIPTOR, "layers": [], "future": {"x": 1}}, indent=3).encode()
    found = parse_manifest(raw, mt.OCI_MANIFEST)
    assert found.raw == raw
    assert found.digest.matches(raw)


def test_index_is_told_by_its_body_too() -> None:
    assert isinstance(parse(b'{"manifests":[]}'), Index)
    with pytest.raises(BadArtifact, match="found an index"):
        parse_manifest(b'{"manifests":[]}')


@pytest.mark.stress
def test_what_holds_on_every_target_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration of 15,000 keys was compared with the known ones for each."""
    asked: list[bytes | None] = []

    def counted(raw: bytes | None, _facts: object) -> list[Problem]:
        asked.append(raw)
        return []

    monkeypatch.setattr("wasmpack.actions.validate_image.config_findings", counted)
    module = PluginModule((PLUGINS / "header-append-c.wasm").read_bytes())
    made = Image(artifact_image(module, b'{"type":"envoy_proxy"}', {}), "x")
    checks = Checks(targets=("all",), start_up=StartUp(dry_run=False))
    validate_image(made, checks)
    assert asked == [b'{"type":"envoy_proxy"}']
