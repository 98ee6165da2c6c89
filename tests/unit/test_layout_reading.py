"""Layouts by others: odd documents and odd files are refused with a sentence."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from support.images import image_of, keep

from wasmpack.errors import BadArtifact, NotFound, WasmpackError
from wasmpack.stores.layout import Layout

IMAGE = image_of(1, 100)
LAYER = IMAGE.manifest.layers[1]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    keep(IMAGE, tmp_path / "lay", "v1")
    return Layout.open(tmp_path / "lay")


INDEXES: dict[str, tuple[bytes, type[WasmpackError]]] = {
    "nothing": (b"", BadArtifact),
    "text": (b"text", BadArtifact),
    "an array": (b"[]", BadArtifact),
    "null": (b"null", BadArtifact),
    "no manifests": (b"{}", BadArtifact),
    "manifests is text": (b'{"manifests": "x"}', BadArtifact),
    "an empty index": (b'{"manifests": []}', NotFound),
    "rows that are not objects": (b'{"manifests": [1, null, []]}', NotFound),
    "a row without a digest": (b'{"manifests": [{}]}', BadArtifact),
    "deep": (b'{"manifests": ' + b"[" * 900 + b"]" * 900 + b"}", BadArtifact),
    "very deep": (b"[" * 1_000_000, BadArtifact),
    "a long number": (b'{"manifests": [{"size": ' + b"9" * 5000 + b"}]}", BadArtifact),
    "not UTF-8": (b"\xff\xfe{}", BadArtifact),
    "17 MiB": (b" " * (17 << 20) + b"{}", BadArtifact),
}


@pytest.mark.stress
@pytest.mark.parametrize("name", INDEXES)
def test_odd_indexes(layout: Layout, name: str) -> None:
    raw, error = INDEXES[name]
    (layout.root / "index.json").write_bytes(raw)
    with pytest.raises(error) as caught:
        layout.find(None)
    assert len(caught.value.message) < 1000


ROWS: dict[str, dict[str, object]] = {
    "size is negative": {"size": -1},
    "size is a fraction": {"size": 1.5},
    "size is true": {"size": True},
    "size is text": {"size": "1"},
    "size over 63 bits": {"size": 1 << 63},
    "size is an array": {"size": [[]]},
    "digest is a path": {"digest": "sha256:../../x"},
    "digest in upper case": {"digest": "sha256:" + "A" * 64},
    "digest of another length": {"digest": "sha512:" + "0" * 64},
    "digest is a number": {"digest": 1},
    "digest is megabytes": {"digest": "sha256:" + "a" * 3_000_000},
    "mediaType is an array": {"mediaType": []},
    "annotations is an array": {"annotations": [1]},
    "annotations of numbers": {"annotations": {"a" * 100_000: 1}},
}


@pytest.mark.parametrize("name", ROWS)
def test_odd_rows(layout: Layout, name: str) -> None:
    row = {**IMAGE.manifest.descriptor.as_json(), **ROWS[name]}
    (layout.root / "index.json").write_text(json.dumps({"manifests": [row]}))
    with pytest.raises(BadArtifact) as caught:
        layout.find(None)
    assert len(caught.value.message) < 1000


@pytest.mark.parametrize(
    "more", [{"platform": [[]]}, {"platform": {"os": [1], "architecture": {}}}, {"urls": 1},
             {"data": 1}, {"artifactType": []}, {"subject": 1}],
    ids=lambda more: next(iter(more)),
)  # fmt: skip
def test_odd_fields_that_nobody_needs(layout: Layout, more: dict[str, object]) -> None:
    row = {**IMAGE.manifest.descriptor.as_json(), **more}
    (layout.root / "index.json").write_text(json.dumps({"manifests": [row]}))
    assert layout.find(None).digest == IMAGE.manifest.digest


def make_link(path: Path) -> None:
    path.symlink_to(path.name)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(path.parent)  # the address of a socket has a hundred characters at most
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


ODD_FILES: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link to itself": make_link,
    "a socket": make_socket,
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to a folder": lambda path: path.symlink_to("/"),
    "nothing": lambda path: None,
}


@pytest.mark.parametrize("name", ODD_FILES)
@pytest.mark.parametrize("which", ["layer", "manifest", "index"])
def test_odd_files(layout: Layout, name: str, which: str) -> None:
    found = layout.find(None)
    path = {
        "layer": layout.blob_path(LAYER.digest),
        "manifest": layout.blob_path(found.digest),
        "index": layout.root / "index.json",
    }[which]
    path.unlink()
    ODD_FILES[name](path)
    read = {
        "layer": lambda: layout.read_at(LAYER, 0, 5),
        "manifest": lambda: layout.get(found),
        "index": layout.entries,
    }[which]
    with pytest.raises(WasmpackError) as caught:
        read()
    assert str(path) in caught.value.message


def test_a_folder_of_blobs_that_is_a_file(layout: Layout) -> None:
    folder = layout.root / "blobs" / "sha256"
    folder.rename(layout.root / "elsewhere")
    folder.write_text("x")
    with pytest.raises(WasmpackError, match=str(folder)):
        layout.open_blob(LAYER)


@pytest.mark.parametrize("name", ["a" * 300, "a" * 5000, "d/" * 3000])
def test_names_that_are_too_long(tmp_path: Path, name: str) -> None:
    with pytest.raises(WasmpackError):
        Layout.open(tmp_path / name)
