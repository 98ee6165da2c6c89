"""What is said of an image besides its fetchers' verdicts."""

import json
from pathlib import Path

import pytest
from backports import zstd
from support.images import image_of, keep
from support.plugins import wat
from support.tars import END, file

from wasmpack.actions.checks import Checks
from wasmpack.actions.image_rules import cut_module, name_problems, unreadable
from wasmpack.actions.validate_image import validate_image
from wasmpack.dry_run.start_up import StartUp
from wasmpack.errors import DigestMismatch
from wasmpack.images.image import Image
from wasmpack.images.opening import open_image
from wasmpack.images.variants import BuiltImage, artifact_image
from wasmpack.oci.canonical import canonical_json
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.manifest import parse_manifest
from wasmpack.oci.place import LayoutPlace
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.stores.layout import Layout

IMAGE = artifact_image(PluginModule(wat()), b"{}", {})
CHECKS = Checks(start_up=StartUp(dry_run=False))


class Local(BuiltImage):
    """As it is found in the local store."""

    source = "local"


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("quay.io/a:v1", True),
        ("docker://quay.io/a", True),
        ("a", True),
        ("quay.io/ab:v1", False),
        ("quay.io/a/b:v1", False),
        ("ab", False),
    ],
)
def test_repositories_of_one_letter(name: str, refused: bool) -> None:
    found = name_problems(Image(Local(IMAGE.manifest, IMAGE.blobs), name))
    assert bool(found) is refused
    assert all("could not parse url in image reference" in problem.message for problem in found)


def test_a_layout_has_no_name_that_a_mesh_reads() -> None:
    assert name_problems(Image(IMAGE, "oci:x")) == []


def test_wrong_content_is_refused_with_the_reason(tmp_path: Path) -> None:
    image = image_of(1, 100)
    keep(image, tmp_path / "lay", "v1")
    layer = image.manifest.layers[1]
    path = Layout.open(tmp_path / "lay").blob_path(layer.digest)
    path.write_bytes(bytes(layer.size))
    report = validate_image(open_image(LayoutPlace(str(tmp_path / "lay"), "v1")), CHECKS)
    said = " ".join(finding.message for finding in report.findings)
    assert "a mesh that stops reading at plugin.wasm may load it" in said


def test_other_mismatches_are_refused_by_meshes_too() -> None:
    assert "may load it" not in unreadable(DigestMismatch("less than its descriptor says")).message


def test_a_limit_that_can_be_moved_is_named() -> None:
    assert "ISTIO_WASM_MAX_BINARY_SIZE_BYTES" in str(cut_module(9, 8).hint)


@pytest.mark.parametrize("kind", ["application/vnd.oci.image.layer.v1.tar+zstd", None])
def test_zstd_layers_get_one_hint_that_leads_somewhere(kind: str | None) -> None:
    data = zstd.compress(file(b"plugin.wasm", wat()) + END)
    layer = Descriptor.of(data, kind or "application/vnd.oci.image.layer.v1.tar+gzip")
    body = {**json.loads(IMAGE.manifest.raw), "layers": [layer.as_json()]}
    image = BuiltImage(parse_manifest(canonical_json(body)), {**IMAGE.blobs, layer.digest: data})
    report = validate_image(Image(image, "x"), CHECKS)
    hints = {str(finding.hint) for finding in report.findings if finding.severity == "error"}
    (hint,) = hints
    assert "wasmpack repack" in hint
