"""Every module of an image, wherever it is: layers one upon the other, whiteouts, odd forms."""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Iterator

import pytest
from backports import zstd
from support.tars import END, file, header, special

from wasmpack.errors import BadArtifact
from wasmpack.images.search import FoundFiles, _Upper, search
from wasmpack.oci import media_types as mt
from wasmpack.oci.budget import Budget
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.layers import LayerFile
from wasmpack.oci.manifest import parse_manifest
from wasmpack.oci.tar import TarEntry
from wasmpack.oci.tar_header import FILE

A, B = b"\0asm\1\0\0\0A", b"\0asm\1\0\0\0B"
TAR = mt.OCI_LAYER_TAR


def searched(*layers: bytes | tuple[str, bytes, str]) -> FoundFiles:
    """An image of these layers: tars, or (media type, bytes, title)."""
    parts = [(TAR, layer, "") if isinstance(layer, bytes) else layer for layer in layers]
    rows = [Descriptor.of(data, kind, title).as_json() for kind, data, title in parts]
    blobs = {Descriptor.of(data, "").digest: data for _, data, _ in parts}
    config = Descriptor.of(b"{}", mt.OCI_CONFIG).as_json()
    manifest = parse_manifest(json.dumps({"config": config, "layers": rows}).encode())
    return search(manifest, lambda blob: iter([blobs[blob.digest]]))


def tar(*files: bytes) -> bytes:
    return b"".join(files) + END


BASE = tar(file(b"a/x.wasm", A), file(b"a/b/y.wasm", B), file(b"z.wasm", A))
ALL = {"a/x.wasm", "a/b/y.wasm", "z.wasm"}
UPPER = {
    "nothing": (tar(file(b"motd")), ALL),
    "another module": (tar(file(b"z.wasm", B)), ALL),
    "a file in its place": (tar(file(b"z.wasm", b"text")), ALL - {"z.wasm"}),
    "a link in its place": (tar(header(b"./z.wasm", 0, b"2")), ALL - {"z.wasm"}),
    "a folder in its place": (tar(header(b"z.wasm/", 0, b"5")), ALL - {"z.wasm"}),
    "the folder again": (tar(header(b"a/", 0, b"5")), ALL),
    "a file in place of its folder": (tar(file(b"a", b"text")), {"z.wasm"}),
    "deleted": (tar(file(b".wh.z.wasm")), ALL - {"z.wasm"}),
    "folder deleted": (tar(file(b".wh.a")), {"z.wasm"}),
    "folder inside deleted": (tar(file(b"a/.wh.b")), ALL - {"a/b/y.wasm"}),
    "another of that beginning deleted": (tar(file(b".wh.z")), ALL),
    "folder emptied": (tar(file(b"a/.wh..wh..opq")), {"z.wasm"}),
    "all emptied": (tar(file(b".wh..wh..opq")), set()),
    "emptied and filled": (tar(file(b"a/x.wasm", B), file(b"a/.wh..wh..opq")),
                           {"a/x.wasm", "z.wasm"}),
    "deleted and there again": (tar(file(b"z.wasm", B), file(b".wh.z.wasm")), ALL),
}  # fmt: skip


@pytest.mark.parametrize("name", UPPER)
def test_upper_layers_hide_what_is_below(name: str) -> None:
    upper, expected = UPPER[name]
    assert searched(BASE, upper).modules.keys() == expected


def test_the_upper_one_counts() -> None:
    assert searched(BASE, tar(file(b"z.wasm", B))).modules["z.wasm"] == B


def test_a_layer_that_comes_again() -> None:
    assert searched(BASE, tar(file(b".wh.a")), BASE).modules.keys() == ALL


def test_layers_that_are_files() -> None:
    found = searched(
        ("a/b", A, "one.wasm"),
        ("a/b", gzip.compress(B), "two.wasm"),
        (mt.WASM_CONFIG, b"{}", ""),
        gzip.compress(tar(file(b"three.wasm", A))),
        b"no tar at all",
        gzip.compress(gzip.compress(tar(file(b"four.wasm", A)))),
    )
    assert found.modules == {"one.wasm": A, "two.wasm": B, "three.wasm": A}
    assert found.runtime_config == b"{}"


def test_layers_compressed_as_no_mesh_reads_them() -> None:
    found = searched(zstd.compress(tar(file(b"a.wasm", A))), ("a/b", bz2.compress(B), "b.wasm"))
    assert found.modules == {"a.wasm": A, "b.wasm": B}


def test_what_lies_before_damage_is_found() -> None:
    """A tar that ends behind the plugin, as umoci writes it, loads in meshes."""
    found = searched(header(b"z.wasm", len(A)) + A, tar(file(b"x.wasm", A)) + b"rest")
    assert found.modules.keys() == {"z.wasm", "x.wasm"}
    assert found.damage == ()
    cut = gzip.compress(tar(file(b"z.wasm", A), file(b"y", bytes(9000))))[:-30]
    found = searched(cut)
    assert found.modules == {"z.wasm": A}
    assert "unexpected EOF" in found.damage[0]


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (gzip.compress(tar(file(b"x", bytes(9000))))[:-30], "unexpected EOF"),
        (zstd.compress(tar(file(b"x", bytes(9000))))[:-9], "unexpected EOF"),
        (b"\x28\xb5\x2f\xfd\xff" + b"\xff" * 600, "zstd: "),
        (b"\x1f\x8b\x09" + bytes(600), "invalid header"),
    ],
    ids=["cut", "cut zstd", "not zstd", "not gzip"],
)
def test_layers_that_cannot_be_read(layer: bytes, words: str) -> None:
    with pytest.raises(BadArtifact, match=words):
        searched(layer)


def test_more_layers_than_any_image_has() -> None:
    with pytest.raises(BadArtifact, match="129 layers"):
        searched(*(tar(file(b"%d" % number)) for number in range(129)))


def test_paths_that_no_file_can_have() -> None:
    from support.tars import special

    long = special(b"L", b"d/" * 3000 + b"x.wasm") + file(b"x", A)
    assert searched(tar(long, file(b"\xff.wasm", A))).modules.keys() == {"\\xff.wasm"}


@pytest.mark.slow
def test_modules_below_too_many_folders() -> None:
    """For each folder the layers above are asked whether they hide it."""
    from support.tars import special

    files = [special(b"L", b"d/" * 2000 + b"%d" % number) + file(b"x", A) for number in range(600)]
    with pytest.raises(BadArtifact, match="more than 262144 entries"):
        searched(tar(*files))


@pytest.mark.parametrize("layers", [1, 10, 128])
def test_a_blob_under_many_media_types_is_inflated_once(layers: int) -> None:
    inflated: list[int] = []
    data = gzip.compress(b"text" * 1000)
    rows = [Descriptor.of(data, f"x/{number}").as_json() for number in range(layers)]
    config = Descriptor.of(b"{}", mt.OCI_CONFIG).as_json()
    manifest = parse_manifest(json.dumps({"config": config, "layers": rows}).encode())

    def opened(_blob: Descriptor) -> Iterator[bytes]:
        inflated.append(1)
        yield data

    assert search(manifest, opened).modules == {}
    assert len(inflated) == 2, "to see that it is gzip, and to inflate its beginning"


def test_empty_members_count_as_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasmpack.oci.layers.Budget", lambda: Budget(entries=500))
    layers = [("x/y", gzip.compress(b"", mtime=n) * 100, "") for n in range(6)]
    assert searched(*layers[:5]).modules == {}
    with pytest.raises(BadArtifact, match="more than 500 entries"):
        searched(*layers)


def long_names(count: int, size: int) -> bytes:
    """Entries with GNU long names (gnu.org, "tar/Standard")."""
    names = [b"%06d" % number + b"n" * (size - 6) + b"\0" for number in range(count)]
    return tar(*(special(b"L", name) + file(b"x", b"text") for name in names))


@pytest.mark.parametrize("layers", [1, 4])
def test_names_of_all_layers_count(layers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasmpack.oci.layers.Budget", lambda: Budget(names=200_000))
    parts = [long_names(8 // layers, 24_000) + bytes(512 * n) for n in range(layers)]
    assert searched(*parts).modules == {}
    with pytest.raises(BadArtifact, match="of names"):
        searched(*parts, long_names(2, 24_001))


def test_paths_that_no_file_can_have_are_not_kept() -> None:
    upper = _Upper(Budget())
    entries = [
        TarEntry(name=b"%d" % n + b"n" * size, kind=FILE, size=0, start=0, data=0, end=0)
        for n, size in enumerate([4000, 5000, 1 << 20])
    ]
    upper.add(LayerFile(entry=entry) for entry in entries)
    assert [len(path) for path in upper._trees] == [4001]
