"""The layers of one image: unpacked once, as far as somebody asks, within one budget."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from support.tars import END, file, header, pax_sparse

from wasmpack.errors import BadArtifact, DigestMismatch
from wasmpack.oci import media_types as mt
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.gunzip import UnreadableLayer
from wasmpack.oci.layers import Layers, topmost_first
from wasmpack.oci.stream import Compression

MODULE = b"\0asm\1\0\0\0"
PLUGIN = file(b"plugin.wasm", MODULE)
ZEROS = gzip.compress(bytes(1 << 20), mtime=0)
"""A megabyte, compressed once: members may follow each other."""


class Blobs:
    """Blobs in memory, and how often they were opened."""

    def __init__(self) -> None:
        self.opened = 0
        self._blobs: dict[Descriptor, list[bytes]] = {}

    def add(self, *pieces: bytes) -> Descriptor:
        descriptor = Descriptor.of(b"".join(pieces), mt.OCI_LAYER_TAR_GZIP)
        self._blobs[descriptor.digest] = list(pieces)
        return descriptor

    def packed(self, tar: bytes) -> Descriptor:
        return self.add(gzip.compress(tar, 1, mtime=0))

    def zeros(self, name: bytes, megabytes: int) -> Descriptor:
        """A layer with such a file of zeros."""
        head = gzip.compress(header(name, megabytes << 20))
        return self.add(head, *[ZEROS] * megabytes, gzip.compress(END))

    def __call__(self, descriptor: Descriptor) -> Iterator[bytes]:
        self.opened += 1
        yield from self._blobs[descriptor.digest]


@pytest.fixture
def blobs() -> Blobs:
    return Blobs()


def names(layers: Layers, layer: Descriptor, **how: object) -> list[str]:
    return [found.shown for found in layers.files(layer, **how)]


def test_a_layer_is_unpacked_once_for_all(blobs: Blobs) -> None:
    layer = blobs.packed(PLUGIN + file(b"x") + END)
    layers = Layers(blobs)
    assert Layers.of(layers) is layers
    first = next(layers.files(layer))
    assert first.content == MODULE
    assert [found.content for found in layers.files(layer)] == [MODULE, None]
    assert names(layers, layer) == ["plugin.wasm", "x"]
    assert blobs.opened == 1


def test_what_lies_behind_is_not_read_unless_somebody_asks(blobs: Blobs) -> None:
    layer = blobs.packed(PLUGIN + b"damage" * 200)
    layers = Layers(blobs)
    assert next(layers.files(layer)).content == MODULE
    for _ in range(2):
        with pytest.raises(UnreadableLayer, match="invalid tar header"):
            names(layers, layer)
    assert next(layers.files(layer)).content == MODULE
    assert blobs.opened == 1


def test_a_failure_of_the_blob_is_remembered() -> None:
    def damaged(_: Descriptor) -> Iterator[bytes]:
        yield gzip.compress(PLUGIN)
        raise DigestMismatch("not these bytes")

    layers, layer = Layers(damaged), Descriptor.of(b"x", "a/b")
    for _ in range(2):
        assert next(layers.files(layer)).content == MODULE
        with pytest.raises(DigestMismatch):
            names(layers, layer)


def seen(layers: Layers, layer: Descriptor, limit: int) -> tuple[list[str], str]:
    """What is in a layer, and why there is no more."""
    found = []
    try:
        for entry in layers.files(layer, limit=limit):
            found.append(entry.shown)
    except UnreadableLayer as error:
        return found, error.reason
    return found, ""


@pytest.mark.parametrize(
    ("limit", "found", "reason"),
    [
        (519, [], "failed to read plugin.wasm: unexpected EOF"),
        (520, ["plugin.wasm"], ""),
        (1024, ["plugin.wasm"], ""),
        (1635, ["plugin.wasm", "x"], "unexpected EOF"),
        (1636, ["plugin.wasm", "x"], ""),
    ],
)
@pytest.mark.parametrize("before", [False, True], ids=["first", "again"])
def test_a_limit_is_the_end_as_in_the_fetchers(
    blobs: Blobs, limit: int, found: list[str], reason: str, before: bool
) -> None:
    layer = blobs.packed(PLUGIN + file(b"x", b"y" * 100) + END)
    layers = Layers(blobs)
    if before:
        names(layers, layer)
    assert seen(layers, layer, limit) == (found, reason)


def test_contents_that_nobody_looks_at_are_not_kept(blobs: Blobs) -> None:
    tar = b"".join(
        (
            file(b"motd", b"hello"),
            file(b"a/b.wasm", MODULE),
            file(b"runtime-config.json", b"{}"),
            file(b"manifest.yaml", b"x"),
            file(b"a/manifest.yaml", b"x"),
            header(b"plugin.wasm", 5, b"2"),
            END,
        )
    )
    found = Layers(blobs).files(blobs.packed(tar))
    assert [file.content for file in found] == [None, MODULE, b"{}", b"x", None, b""]


@pytest.mark.slow
def test_a_plugin_that_is_too_large_is_not_read(blobs: Blobs) -> None:
    layers = Layers(blobs)
    (found,) = layers.files(blobs.zeros(b"plugin.wasm", 300), limit=1 << 29)
    assert (found.content, found.entry.size) == (None, 300 << 20)


@pytest.mark.slow
def test_holes_of_a_sparse_plugin_count(blobs: Blobs) -> None:
    """A few hundred bytes that become a hundred megabytes."""
    layers = Layers(blobs)
    for number in range(8):
        tar = pax_sparse(b"plugin.wasm", "x", [], 100 << 20, b"") + file(b"%d" % number)
        layer = blobs.packed(tar + END)
        if number < 5:
            assert len(next(layers.files(layer)).content or b"") == 100 << 20
            continue
        with pytest.raises(BadArtifact, match="unpack to more than 512 MiB"):
            names(layers, layer)


@pytest.mark.slow
def test_all_layers_share_one_budget_of_bytes(blobs: Blobs) -> None:
    layers = Layers(blobs)
    made = [blobs.zeros(b"f%d" % number, 200) for number in range(12)]
    for layer in made[:2]:
        assert len(names(layers, layer)) == 1
    for layer in made[2:]:
        with pytest.raises(BadArtifact, match="unpack to more than 512 MiB"):
            names(layers, layer)
    assert blobs.opened == 12
    assert names(layers, made[0]) == ["f0"], "what was read before stays"


@pytest.mark.slow
def test_a_layer_has_so_many_entries_and_no_more(blobs: Blobs) -> None:
    layer = blobs.packed(b"".join(file(b"%d" % n) for n in range(65_537)) + END)
    found, reason = seen(Layers(blobs), layer, 1 << 28)
    assert (len(found), reason) == (65_536, "unexpected EOF")


@pytest.mark.slow
def test_all_layers_share_one_budget_of_entries(blobs: Blobs) -> None:
    layers = Layers(blobs)
    tar = b"".join(file(b"%d" % n) for n in range(60_000))
    made = [blobs.packed(tar + file(b"l%d" % number) + END) for number in range(5)]
    for layer in made[:4]:
        assert len(names(layers, layer)) == 60_001
    with pytest.raises(BadArtifact, match="more than 262144 entries"):
        names(layers, made[4])


@pytest.mark.slow
def test_whole_blobs(blobs: Blobs) -> None:
    layers = Layers(blobs)
    assert layers.read(blobs.add(b"ab", b"cd")) == b"abcd"
    assert layers.read(blobs.add(gzip.compress(b"abcd")), Compression.GZIP) == b"abcd"
    with pytest.raises(BadArtifact, match="damaged gzip: gzip: invalid header"):
        layers.read(blobs.add(b"not gzip at all"), Compression.GZIP)
    with pytest.raises(BadArtifact, match="more than any mesh reads"):
        layers.read(blobs.add(*[ZEROS] * 300), Compression.GZIP)


def test_layers_to_look_into() -> None:
    made = [Descriptor.of(b"%d" % number, "a/b") for number in range(129)]
    assert topmost_first([made[0], made[1], made[0]]) == [made[0], made[1]]
    assert len(topmost_first(made[:128] * 200)) == 128
    with pytest.raises(BadArtifact, match="129 layers"):
        topmost_first(made)
