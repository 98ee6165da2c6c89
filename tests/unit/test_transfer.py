"""Copying an index: every manifest and blob moves once, however often it is listed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from wasmpack.errors import BadArtifact, NotFound
from wasmpack.images import transfer as transfers
from wasmpack.images.image import Image
from wasmpack.images.transfer import transfer, transfer_all
from wasmpack.images.variants import BuiltImage, artifact_image
from wasmpack.oci import media_types as mt
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import Index, Manifest, parse, parse_manifest
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.stores.ports import BlobStatus, ImageWriter, attached_tags
from wasmpack.stores.verified import Body

pytestmark = pytest.mark.dependencies


class Store(BuiltImage):
    """Manifests by digest, of which requests are counted."""

    def __init__(self, top: Index | Manifest, *found: BuiltImage | Index) -> None:
        self.top = top
        self.manifests: dict[Digest, Manifest | Index] = {}
        self.blobs: dict[Digest, bytes] = {}
        self.listed: dict[Digest, list[Descriptor]] = {}
        self.tagged: dict[Digest, dict[str, Descriptor]] = {}
        self.odd: set[Digest] = set()
        self.fetched: Counter[str] = Counter()
        for one in found:
            manifest = one.manifest if isinstance(one, BuiltImage) else one
            self.manifests[manifest.digest] = manifest
            self.blobs |= one.blobs if isinstance(one, BuiltImage) else {}

    def get(self, descriptor: Descriptor | None = None) -> Manifest | Index:  # type: ignore[override]
        if descriptor is None:
            return self.top
        self.fetched[descriptor.digest.hex] += 1
        if descriptor.digest in self.odd:
            raise BadArtifact("manifest.layers: expected an array")
        if descriptor.digest not in self.manifests:
            raise NotFound("deleted")
        return self.manifests[descriptor.digest]

    def referrers(self, digest: Digest) -> Sequence[Descriptor]:
        return self.listed.get(digest, [])

    def attached(self, digest: Digest) -> Mapping[str, Descriptor]:
        return self.tagged.get(digest, {})


class Memory(ImageWriter):
    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.put: Counter[str] = Counter()
        self.manifests: list[Digest] = []
        self.names: dict[str | None, Digest] = {}

    def has_blob(self, descriptor: Descriptor) -> bool:
        self.asked[descriptor.digest.hex] += 1
        return False

    def put_blob(self, descriptor: Descriptor, body: Body) -> BlobStatus:
        with body() as stream:
            stream.drain()
        self.put[descriptor.digest.hex] += 1
        return BlobStatus.UPLOADED

    def put_manifest(self, manifest: Manifest | Index, names: Sequence[str | None]) -> None:
        self.manifests.append(manifest.digest)
        self.names |= dict.fromkeys(names, manifest.digest)


def image(mark: str = "") -> BuiltImage:
    module = PluginModule(b"\0asm\1\0\0\0shared")
    return artifact_image(module, b'{"type":"envoy_proxy"}', {"mark": mark} if mark else {})


def index(*rows: Descriptor) -> Index:
    body = {"schemaVersion": 2, "manifests": [row.as_json() for row in rows]}
    found = parse(json.dumps(body).encode(), mt.OCI_INDEX)
    assert isinstance(found, Index)
    return found


def missing(number: int) -> Descriptor:
    return Descriptor(
        media_type=mt.OCI_MANIFEST, digest=Digest("sha256", f"{number:064x}"), size=10
    )


def test_a_child_that_is_listed_again_is_fetched_once() -> None:
    child = image()
    inner = index(*[child.manifest.descriptor] * 500)
    top = index(*[inner.descriptor, child.manifest.descriptor] * 500)
    store, writer = Store(top, child, inner), Memory()
    transfer_all(Image(store), top, writer, ["v1"])
    assert set(store.fetched.values()) == {1}
    assert len(writer.manifests) == 3


def test_a_large_manifest_is_fetched_once_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasmpack.images.parts._MANIFESTS_KEPT", 0)
    test_a_child_that_is_listed_again_is_fetched_once()


def test_a_referrer_that_is_listed_again_is_fetched_once() -> None:
    child, signature = image(), image("signature")
    store, writer = Store(child.manifest, child, signature), Memory()
    store.listed[child.manifest.digest] = [signature.manifest.descriptor] * 500
    store.listed[signature.manifest.digest] = [signature.manifest.descriptor] * 500
    transfer_all(Image(store), child.manifest, writer, ["v1"], referrers=True)
    assert store.fetched == {signature.manifest.digest.hex: 1}


def test_tags_of_cosign_are_copied_and_reported() -> None:
    child, signature, other = image(), image("signature"), image("attestation")
    store, writer, told = Store(child.manifest, child, signature, other), Memory(), list[str]()
    rows = [signature.manifest.descriptor] * 2 + [other.manifest.descriptor]
    tags = attached_tags(child.manifest.digest)
    store.tagged[child.manifest.digest] = dict(zip(tags, rows, strict=True))
    store.listed[child.manifest.digest] = [other.manifest.descriptor]
    transfer_all(Image(store), child.manifest, writer, ["v1"], referrers=True, notice=told.append)
    found = {
        "v1": child.manifest.digest,
        **dict(zip(tags, (row.digest for row in rows), strict=True)),
    }
    assert writer.names == found
    assert all(any(tag in text for text in told) for tag in tags)
    writer = Memory()
    transfer_all(Image(store), child.manifest, writer, ["v1"])
    assert writer.names == {"v1": child.manifest.digest}, "without --referrers"


@pytest.mark.parametrize("where", ["listed", "tagged"])
def test_one_odd_referrer_is_named_and_the_others_are_copied(where: str) -> None:
    child, odd, good = image(), image("odd"), image("good")
    store, writer, told = Store(child.manifest, child, good), Memory(), list[str]()
    store.odd = {odd.manifest.digest}
    rows = [odd.manifest.descriptor, good.manifest.descriptor]
    if where == "listed":
        store.listed[child.manifest.digest] = rows
    else:
        tags = attached_tags(child.manifest.digest)
        store.tagged[child.manifest.digest] = dict(zip(tags, rows, strict=False))
    transfer_all(Image(store), child.manifest, writer, ["v1"], referrers=True, notice=told.append)
    assert writer.manifests == [child.manifest.digest, good.manifest.digest]
    assert any(str(odd.manifest.digest) in text and "warning" in text for text in told)


@pytest.mark.parametrize("where", ["index", "referrers"])
@pytest.mark.parametrize("listed", ["missing", "the same"])
def test_lists_end(where: str, listed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "_MOST_MANIFESTS", 10)
    monkeypatch.setattr(transfers, "_MOST_ROWS", 50)
    child, other = image(), image("other")
    same = [other.manifest.descriptor] * 60
    rows = same if listed == "the same" else [missing(n) for n in range(60)]
    top = index(*same) if where == "index" else child.manifest
    store = Store(top, child, other)
    if where == "referrers":
        store.listed[child.manifest.digest] = rows
    else:
        store.listed[other.manifest.digest] = rows
    with pytest.raises(BadArtifact, match="an index of more than 10 manifests"):
        transfer_all(Image(store), top, Memory(), ["v1"], referrers=True)
    assert store.fetched.total() <= 10


def test_a_child_that_is_missing_is_an_error_even_if_it_was_a_missing_referrer() -> None:
    child = image()
    top = index(child.manifest.descriptor, missing(1))
    store = Store(top, child)
    store.listed[child.manifest.digest] = [missing(1)]
    with pytest.raises(NotFound):
        transfer_all(Image(store), top, Memory(), ["v1"], referrers=True)
    assert store.fetched[missing(1).digest.hex] == 1


def test_a_blob_of_many_images_moves_once() -> None:
    children = [image(str(number)) for number in range(50)]
    top = index(*(child.manifest.descriptor for child in children))
    writer = Memory()
    moved = transfer_all(Image(Store(top, *children)), top, writer, ["v1"])
    assert set(writer.asked.values()) == set(writer.put.values()) == {1}
    assert len(moved) == 2
    assert {row.status for row in moved} == {BlobStatus.UPLOADED}
    assert len(writer.manifests) == 51


def test_what_is_there_is_not_named_again_and_its_blobs_are_asked_for() -> None:
    class Named(Memory):
        def has_image(self, _manifest: Manifest | Index, _names: Sequence[str | None]) -> bool:
            return True

    children = [image(str(number)) for number in range(3)]
    top, writer = index(*(child.manifest.descriptor for child in children)), Named()
    moved = transfer_all(Image(Store(top, *children)), top, writer, ["v1"])
    assert {row.status for row in moved} == {BlobStatus.UPLOADED}, "lost, and sent"
    assert set(writer.asked.values()) == {1}
    assert writer.manifests == [], "a tag may be immutable"


@pytest.mark.stress
def test_an_image_of_too_many_layers_does_not_move(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Descriptor.of(b"{}", mt.OCI_CONFIG).as_json()
    layers = [Descriptor.of(str(n).encode(), "x/y").as_json() for n in range(4000)]
    raw = json.dumps({"schemaVersion": 2, "config": config, "layers": layers}).encode()
    manifest, writer = parse_manifest(raw), Memory()
    with pytest.raises(BadArtifact, match="more than 4000 layers"):
        transfer(Image(BuiltImage(manifest, {})), manifest, writer, ["v1"])
    assert not writer.asked


def test_progress_reaches_what_it_expects() -> None:
    class Counted:
        expected = moved = 0

        def expect(self, size: int, /) -> None:
            self.expected += size

        def __call__(self, _descriptor: Descriptor, size: int, /) -> None:
            self.moved += size

    children = [image(str(number)) for number in range(3)]
    top, progress = index(*(child.manifest.descriptor for child in children)), Counted()
    transfer_all(Image(Store(top, *children)), top, Memory(), ["v1"], progress=progress)
    assert progress.expected == progress.moved > 0
