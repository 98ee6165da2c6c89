"""What ``docker save`` writes, without an engine: legacy archives, OCI ones, and hostile ones."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterator

import pytest
from support.tars import END, file, header, special

from wasmpack.errors import BadArtifact, NotFound
from wasmpack.oci import media_types as mt
from wasmpack.oci.descriptor import Descriptor
from wasmpack.stores.saved import SavedImage

LAYER = file(b"plugin.wasm", b"\0asm\1\0\0\0") + END
CONFIG = b'{"architecture":"amd64"}'
FILES = {
    "config.json": CONFIG,
    "a/layer.tar": LAYER,
    "blobs/sha256/b": gzip.compress(LAYER, mtime=0),
    "c/layer.tar": b"",
}


def open_saved(archive: bytes) -> SavedImage:
    with tempfile.TemporaryFile() as opened:
        opened.write(archive)
        opened.seek(0)
        return SavedImage(opened, "docker-daemon:a:b")


def packed(manifest: object, *more: bytes) -> bytes:
    """An archive with these files and this manifest.json."""
    raw = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    files = [file(name.encode(), data) for name, data in FILES.items()]
    return b"".join((*files, *more, file(b"manifest.json", raw), END))


def entry(**changes: object) -> list[dict[str, object]]:
    return [{"Config": "config.json", "RepoTags": ["a:b"], "Layers": ["a/layer.tar"], **changes}]


def test_layers_are_compressed_unless_they_are() -> None:
    names = ["a/layer.tar", "blobs/sha256/b", "c/layer.tar", "./a/layer.tar"]
    image = open_saved(packed(entry(Layers=names)))
    manifest = image.manifest
    assert manifest.body_media_type == mt.DOCKER_MANIFEST
    assert {layer.media_type for layer in manifest.layers} == {mt.DOCKER_LAYER_TAR_GZIP}
    contents = [gzip.decompress(image.open_blob(layer).read()) for layer in manifest.layers]
    assert contents == [LAYER, LAYER, b"", LAYER]
    assert image.open_blob(manifest.config).read() == CONFIG
    for blob in manifest.blobs:
        assert blob.digest.matches(image.open_blob(blob).read())
    with pytest.raises(NotFound):
        image.open_blob(Descriptor.of(b"x", "a/b"))


def test_the_same_layer_has_the_same_digest_in_any_archive() -> None:
    digests = {open_saved(packed(entry(RepoTags=[tag]))).manifest.digest for tag in ("a:b", "c:d")}
    assert len(digests) == 1


@pytest.mark.parametrize("layers", [[], None])
def test_an_image_without_layers(layers: object) -> None:
    assert open_saved(packed(entry(Layers=layers))).manifest.layers == ()


ODD: dict[str, tuple[bytes, str]] = {
    "an object": (packed({}), "expected an array of objects"),
    "an empty array": (packed([]), "expected an array of objects"),
    "an array of null": (packed([None]), "expected an array of objects"),
    "null": (packed(None), "expected an array of objects"),
    "not JSON": (packed(b"{"), "not valid JSON"),
    "deep JSON": (packed(b"[" * 100_000), "nested too deeply"),
    "a long number": (packed(b"[" + b"9" * 5000 + b"]"), "a number is too long"),
    "5 MiB of JSON": (packed(b" " * (5 << 20) + b"[]"), "more than 4194304 bytes"),
    "no Config": (packed(entry(Config=None)), "Config: expected the name of a file"),
    "Config is a number": (packed(entry(Config=1)), "Config: expected the name of a file"),
    "Layers is text": (packed(entry(Layers="a/layer.tar")), "Layers: expected names of files"),
    "Layers is an object": (packed(entry(Layers={"a": 1})), "Layers: expected names of files"),
    "Layers of numbers": (packed(entry(Layers=[1])), "Layers: expected names of files"),
    "Layers of null": (packed(entry(Layers=[None])), "Layers: expected names of files"),
    "a layer that is missing": (packed(entry(Layers=["x"])), "no file 'x'"),
    "a layer outside": (packed(entry(Layers=["../../etc/passwd"])), "no file '../../etc/passwd'"),
    "a layer with a NUL": (packed(entry(Layers=["a\0"])), "no file"),
    "a layer of a long name": (packed(entry(Layers=["a" * 100_000])), "no file"),
    "129 layers": (packed(entry(Layers=["a/layer.tar"] * 129)), "129 layers, more than 128"),
    "a layer that is a link": (
        packed(entry(Layers=["l"]), header(b"l", 0, b"2", {157: b"/etc/passwd"})),
        "no file 'l'",
    ),
    "a layer that is a folder": (packed(entry(Layers=["d"]), header(b"d", 0, b"5")), "no file 'd'"),
    "no manifest.json": (file(b"config.json", CONFIG) + END, "no file 'manifest.json'"),
    "not a tar": (b"x" * 1024, "not a readable tar file"),
    "nothing": (b"", "no file 'manifest.json'"),
    "cut off": (packed(entry())[:2000], "not a readable tar file"),
    "a large claim": (
        header(b"manifest.json", b"\x80\0\0\0\x7f" + b"\xff" * 7) + END,
        "not a readable tar file: unexpected EOF",
    ),
    "a header without end": (
        special(b"x", b"1" * 400_000) + packed(entry()),
        "not a readable tar file: archive/tar: invalid tar header",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_archives(name: str) -> None:
    archive, words = ODD[name]
    with pytest.raises(BadArtifact) as caught:
        open_saved(archive)
    assert words in caught.value.message
    assert len(caught.value.message) < 1000


def test_the_first_of_a_name_counts() -> None:
    other = file(b"config.json", b'{"other":1}')
    image = open_saved(packed(entry(), other))
    assert image.open_blob(image.manifest.config).read() == CONFIG


@pytest.mark.stress
def test_a_layer_is_never_in_memory_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """However large it is, it is read and compressed in pieces."""
    from wasmpack.stores import saved

    read: list[int] = []

    def watched(pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            read.append(len(piece))
            yield b"packed"

    monkeypatch.setattr(saved, "gzip_pieces", watched)
    large = file(b"large", bytes(20 << 20))
    open_saved(packed(entry(Layers=["large"]), large))
    assert sum(read) == 20 << 20
    assert max(read) <= 1 << 20
