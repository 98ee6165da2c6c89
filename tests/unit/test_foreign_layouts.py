"""Layouts and archives as crane, umoci, containerd and docker write them; compressed, and piped."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd
from support.images import image_of, keep

from wasmpack.errors import BadArtifact, NotFound, WrongUsage
from wasmpack.images.image import Image
from wasmpack.images.opening import open_image
from wasmpack.images.variants import filesystem_image
from wasmpack.images.writing import write_image
from wasmpack.oci import media_types as mt
from wasmpack.oci.canonical import JsonObject, canonical_json
from wasmpack.oci.manifest import parse_manifest
from wasmpack.oci.place import ArchivePlace, LayoutPlace, NamePlace, parse_place
from wasmpack.oci.reference import Reference
from wasmpack.stores.layout import Layout
from wasmpack.stores.session import Session

ONE, TWO = image_of(1, 100), image_of(2, 100)
REF, CONTAINERD = "org.opencontainers.image.ref.name", "io.containerd.image.name"


def row(image: object = ONE, artifact: str = "", **names: str) -> JsonObject:
    """An entry of index.json."""
    assert isinstance(image, type(ONE))
    value = image.manifest.descriptor.as_json()
    if artifact:
        value["artifactType"] = artifact
    if names:
        value["annotations"] = {{"ref": REF, "full": CONTAINERD}[k]: v for k, v in names.items()}
    return value


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Two images in a layout, whose index.json each test writes."""
    keep(ONE, tmp_path / "lay", "one")
    keep(TWO, tmp_path / "lay", "two")
    return Layout.open(tmp_path / "lay")


def index(layout: Layout, rows: object) -> None:
    (layout.root / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": rows}))


CRANE = row(ONE, mt.WASM_CONFIG)
DOCKER = [
    row(ONE, ref="v1", full="docker.io/library/one:v1"),
    row(TWO, ref="v1", full="quay.io/me/two:v1"),
]
FOUND: dict[str, tuple[list[JsonObject], str | None]] = {
    "crane: an artifact without a name": ([CRANE], None),
    "crane: next to a named one": ([CRANE, row(TWO, ref="v1")], str(ONE.manifest.digest)),
    "skopeo: a full name": ([row(ONE, ref="quay.io/me/p:v1"), row(TWO)], "quay.io/me/p:v1"),
    "a version with build data": ([row(ONE, ref="v1+build"), row(TWO)], "v1+build"),
    "containerd: the full name alone": ([row(ONE, full="quay.io/me/p:v1"), row(TWO)], "v1"),
    "docker save: by its full name": (DOCKER, "docker.io/library/one:v1"),
    "docker save: by its short name": (DOCKER, "one:v1"),
    "the same image twice": ([row(ONE, ref="v1"), row(ONE, ref="v1")], "v1"),
}


@pytest.mark.parametrize("case", FOUND)
def test_found(layout: Layout, case: str) -> None:
    rows, name = FOUND[case]
    index(layout, rows)
    digest = ONE.manifest.digest if name == str(ONE.manifest.digest) else None
    assert layout.find(None if digest else name, digest).digest == ONE.manifest.digest


SEVERAL: dict[str, tuple[list[JsonObject], str | None, list[str]]] = {
    "docker save: two under one tag": (DOCKER, "v1", ["library/one:v1", "quay.io/me/two:v1"]),
    "docker save: no name given": (DOCKER, None, ["library/one:v1", "quay.io/me/two:v1"]),
    "one name for two": ([row(ONE, ref="v1"), row(TWO, ref="v1")], "v1", ["v1 sha256:"]),
    "crane: two artifacts": ([CRANE, row(TWO, mt.WASM_CONFIG)], None, []),
    "crane: an artifact and an image": ([CRANE, row(TWO)], None, []),
}


@pytest.mark.parametrize("case", SEVERAL)
def test_several_are_listed_with_their_digests(layout: Layout, case: str) -> None:
    rows, name, shown = SEVERAL[case]
    index(layout, rows)
    with pytest.raises(NotFound, match="several images") as caught:
        layout.find(name)
    for text in (str(ONE.manifest.digest), str(TWO.manifest.digest), *shown):
        assert text in caught.value.hint


def test_umoci_s_new_layout_has_null_for_no_images(layout: Layout, tmp_path: Path) -> None:
    index(layout, None)
    assert layout.entries() == ()
    write_image(Image(ONE), LayoutPlace(str(layout.root), "v1"), Session())
    assert layout.find("v1").digest == ONE.manifest.digest


def test_crane_s_image_without_a_name_is_replaced_by_force_alone(layout: Layout) -> None:
    index(layout, [CRANE])
    place = LayoutPlace(str(layout.root))
    with pytest.raises(Exception, match="the image without a tag is another image"):
        write_image(Image(TWO), place, Session())
    write_image(Image(TWO), place, Session(), force=True)
    assert layout.find(None).digest == TWO.manifest.digest


def test_what_has_a_subject_is_still_no_image(layout: Layout) -> None:
    body = json.loads(TWO.manifest.raw)
    body["subject"] = ONE.manifest.descriptor.as_json()
    signature = parse_manifest(canonical_json(body))
    layout.put_manifest(signature, [])
    rows = [row(ONE), {**signature.descriptor.as_json(), "artifactType": "a/signature"}]
    index(layout, rows)
    assert layout.find(None).digest == ONE.manifest.digest


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "a.tar"
    write_image(Image(ONE), ArchivePlace(str(path), "v1"), Session())
    return path


SKIPPABLE = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"
"""A frame of zstd without content (RFC 8878 3.1.2)."""


def read(path: Path, name: str | None = "v1") -> bytes:
    image = open_image(ArchivePlace(str(path), name))
    return b"".join(image.blob(layer) for layer in ONE.manifest.layers)


@pytest.mark.parametrize(
    ("name", "compress"),
    [
        ("gzip", gzip.compress),
        ("zstd", zstd.compress),
        ("zstd", lambda data: zstd.compress(data[:700]) + SKIPPABLE + zstd.compress(data[700:])),
        ("xz", lzma.compress),
        ("bzip2", bz2.compress),
    ],
    ids=["gzip", "zstd", "several zstd frames", "xz", "bzip2"],
)
def test_compressed_archives(archive: Path, name: str, compress: Callable[[bytes], bytes]) -> None:
    packed = archive.with_suffix(".packed")
    packed.write_bytes(compress(archive.read_bytes()))
    assert read(packed) == read(archive)
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(BadArtifact, match=f"damaged {name}"):
        read(packed)


@pytest.mark.parametrize("zipped", [False, True])
def test_archives_through_pipes(archive: Path, tmp_path: Path, zipped: bool) -> None:
    data = archive.read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    sent = gzip.compress(data) if zipped else data
    writer = threading.Thread(target=pipe.write_bytes, args=(sent,))
    writer.start()
    assert read(pipe) == read(archive)
    writer.join()


def saved(path: Path, rows: list[dict[str, object]]) -> Path:
    """What ``docker save`` wrote before release 25."""
    files = {
        "manifest.json": json.dumps(rows).encode(),
        "one.json": b'{"one":1}',
        "two.json": b'{"two":2}',
        "layer.tar": bytes(10_240),
    }
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


OLD = [
    {"Config": "one.json", "RepoTags": ["one:v1", "quay.io/me/one:v2"], "Layers": ["layer.tar"]},
    {"Config": "two.json", "RepoTags": ["quay.io/me/two:v1"], "Layers": ["layer.tar"]},
]


@pytest.mark.parametrize("name", ["one:v1", "quay.io/me/one:v2", "v2"])
def test_archives_of_docker_save(tmp_path: Path, name: str) -> None:
    image = open_image(ArchivePlace(str(saved(tmp_path / "old.tar", OLD)), name))
    assert image.source == "archive"
    manifest = image.alone(lambda _: None)
    assert manifest.body_media_type == mt.DOCKER_MANIFEST
    assert image.small_blob(manifest.blobs[0]) == b'{"one":1}'


def test_the_only_image_of_docker_save_needs_no_name(tmp_path: Path) -> None:
    path = saved(tmp_path / "old.tar", [{**OLD[0], "RepoTags": None}])
    digest = open_image(ArchivePlace(str(path))).digest
    assert open_image(ArchivePlace(str(path), digest=digest)).digest == digest
    with pytest.raises(NotFound, match="no image sha256:"):
        open_image(ArchivePlace(str(path), digest=TWO.manifest.digest))


@pytest.mark.parametrize(("name", "reason"), [(None, "several"), ("v1", "several"), ("x", "no im")])
def test_several_images_of_docker_save(tmp_path: Path, name: str | None, reason: str) -> None:
    with pytest.raises(NotFound, match=reason) as caught:
        open_image(ArchivePlace(str(saved(tmp_path / "old.tar", OLD)), name))
    assert "one:v1" in caught.value.hint
    assert "quay.io/me/two:v1" in caught.value.hint


@pytest.mark.parametrize("name", ["sub/x.bin", "sub", "sub/dir", "x"])
def test_an_existing_path_is_never_asked_of_docker_hub(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WASMPACK_STORE", str(tmp_path / "store"))
    (tmp_path / "sub" / "dir").mkdir(parents=True)
    for file in ("sub/x.bin", "x"):
        (tmp_path / file).touch()
    place = parse_place(name)
    with pytest.raises(NotFound, match="here, not an image") as caught:
        open_image(place)
    assert f"docker.io/{name}" in caught.value.hint
    with pytest.raises(NotFound, match="here, not an image"):
        write_image(Image(ONE), place, Session())


def test_what_is_in_the_local_store_is_found_whatever_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WASMPACK_STORE", str(tmp_path / "store"))
    (tmp_path / "me" / "plugin").mkdir(parents=True)
    keep(ONE, tmp_path / "store", "docker.io/me/plugin:latest")
    assert open_image(NamePlace(Reference.parse("me/plugin"))).digest == ONE.manifest.digest


def test_names_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "lay").mkdir()
    with pytest.raises(WrongUsage, match="invalid tag"):
        parse_place(f"oci:{tmp_path}/lay:a b")


@pytest.mark.parametrize("kind", ["oci:", "oci-archive:"])
def test_a_docker_manifest_in_a_layout_is_worth_a_word(tmp_path: Path, kind: str) -> None:
    told: list[str] = []
    image = filesystem_image(b"\0asm\1\0\0\0", None, {}, docker=True)
    write_image(Image(image), parse_place(f"{kind}{tmp_path}/x:v1"), Session(notice=told.append))
    assert "skopeo and umoci do not find" in told[0]
    told.clear()
    write_image(Image(ONE), parse_place(f"{kind}{tmp_path}/y:v1"), Session(notice=told.append))
    assert told == []
