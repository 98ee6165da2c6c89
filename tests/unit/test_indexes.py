"""Indexes, and indexes in them: the image a mesh would pull, and all images that can be read."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.indexes import AMD, ARM, IMAGE, WASM, Shelf, nested, on_shelf

from wasmpack.actions.checks import Checks
from wasmpack.actions.copy import extract_image
from wasmpack.actions.inspect import raw_part
from wasmpack.actions.plugin_chain import fetched_module
from wasmpack.actions.render import render_wasmplugin
from wasmpack.actions.render_source import RenderRequest
from wasmpack.actions.repack import repack_image
from wasmpack.actions.validate_image import validate_image
from wasmpack.dry_run.start_up import StartUp
from wasmpack.errors import BadArtifact
from wasmpack.fetchers.fetch import fetch
from wasmpack.findings import Verdict
from wasmpack.images.image import Image
from wasmpack.images.indexes import DEEPEST, images_below, mesh_image
from wasmpack.images.opening import open_image
from wasmpack.images.variants import BuiltImage
from wasmpack.oci import media_types as mt
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.manifest import Manifest
from wasmpack.oci.place import LayoutPlace
from wasmpack.stores.layout import Layout
from wasmpack.stores.local import LayoutWriter
from wasmpack.stores.session import Session
from wasmpack.targets import target


@pytest.mark.parametrize("depth", [1, 2, 3, DEEPEST])
def test_indexes_in_an_index_are_followed(depth: int) -> None:
    shelf = Shelf()
    assert mesh_image(nested(shelf, depth), shelf.get) is IMAGE.manifest


def test_more_than_anybody_makes_are_not() -> None:
    shelf = Shelf()
    with pytest.raises(BadArtifact, match="more than 16 deep"):
        mesh_image(nested(shelf, DEEPEST + 1), shelf.get)


@pytest.mark.parametrize("kind", [mt.OCI_INDEX, mt.DOCKER_LIST])
def test_only_the_first_linux_amd64_child_is_followed(kind: str) -> None:
    shelf = Shelf()
    arm = shelf.index((IMAGE.manifest.descriptor, ARM), kind=kind)
    top = shelf.index((arm.descriptor, None), (IMAGE.manifest.descriptor, AMD), kind=kind)
    assert mesh_image(top, shelf.get) is None


def test_the_fetcher_names_the_image_to_pin() -> None:
    shelf = Shelf()
    rules = target("istio-1.31").image
    assert rules is not None
    top = nested(shelf, 2)
    found = fetch(top, shelf.get, lambda d: iter([IMAGE.blobs[d.digest]]), rules)
    assert found.module == WASM
    refused = fetch(top, shelf.get, lambda d: iter([]), rules, pinned=True)
    assert f"has checksum {IMAGE.manifest.digest.hex}" in refused.problems[0].message


def test_all_images_below_an_index() -> None:
    shelf = Shelf()
    missing = Descriptor.of(b"gone", mt.OCI_MANIFEST)
    inner = shelf.index((missing, None), (IMAGE.manifest.descriptor, ARM))
    top = shelf.index((inner.descriptor, ARM))
    assert list(images_below(top, shelf.get, 16)) == [IMAGE.manifest]
    assert list(images_below(top, shelf.get, 2)) == []


@pytest.fixture
def place(tmp_path: Path) -> LayoutPlace:
    """A layout with an index in an index."""
    layout, shelf = Layout.create(tmp_path / "layout"), Shelf()
    writer = LayoutWriter(layout)
    top = nested(shelf, 2)
    for manifest in shelf.held.values():
        writer.put_manifest(manifest, ["nested"] if manifest.digest == top.digest else [])
    for digest, data in IMAGE.blobs.items():
        path = layout.blob_path(digest)
        path.write_bytes(data)
    return LayoutPlace(str(layout.root), "nested")


@pytest.mark.stress
def test_every_action_follows_them(place: LayoutPlace, tmp_path: Path) -> None:
    report = validate_image(open_image(place), Checks(start_up=StartUp(dry_run=False)))
    assert report.verdict is Verdict.ACCEPT
    extract_image(open_image(place), tmp_path / "out", Session(), force=False)
    assert (tmp_path / "out" / "plugin.wasm").read_bytes() == WASM
    assert open_image(place).alone(lambda _: None).digest == IMAGE.manifest.digest
    done = repack_image(place, LayoutPlace(str(tmp_path / "again"), "v1"))
    assert isinstance(done.manifest, Manifest)


def test_an_image_alone_is_itself() -> None:
    assert isinstance(IMAGE, BuiltImage)
    assert Image(IMAGE).manifest is IMAGE.manifest


def test_the_indexes_on_the_way_are_known() -> None:
    shelf = Shelf()
    top = nested(shelf, 2)
    image = on_shelf(top, shelf)
    assert image.indexes == (top, shelf.get(top.manifests[0]))
    assert (image.manifest, Image(IMAGE).indexes) == (IMAGE.manifest, ())


@pytest.mark.parametrize("depth", [1, 2])
def test_every_command_has_advice_for_an_index_without_linux_amd64(
    depth: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf()
    top = shelf.index((IMAGE.manifest.descriptor, ARM))
    if depth > 1:
        top = shelf.index((top.descriptor, None))
    name = "quay.io/me/arm:v1"
    image = on_shelf(top, shelf, name)
    opened = "wasmpack.actions.render_source.open_image"
    monkeypatch.setattr(opened, lambda *_: image)
    tried: list[Callable[[], object]] = [
        lambda: image.alone(lambda _: None),
        lambda: extract_image(image, tmp_path, Session(), force=False),
        lambda: render_wasmplugin(RenderRequest(source=name, pin=True)),
        lambda: list(raw_part(image, "config")),
        lambda: fetched_module(image),
    ]
    for action in tried:
        with pytest.raises(BadArtifact) as caught:
            action()
        assert caught.value.hint == f"wasmpack repack {name} DESTINATION makes a plain image of it"
    report = validate_image(image, Checks(start_up=StartUp(dry_run=False)))
    assert caught.value.hint == str(report.findings[0].hint)
