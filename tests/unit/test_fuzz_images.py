"""Fresh damaged inputs for every reader of images: none of them ends in an error that is not ours.

A failure names its seed (:mod:`support.effort`).
"""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import json
import lzma
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from agreement.verdict import InThisProcess
from backports import zstd
from support.effort import many
from support.mutants import ODD, fresh, json_mutant, mutant
from support.tars import END, file, good_tars, odd_tar

from wasmpack.actions.checks import Checks
from wasmpack.actions.inspect import raw_part
from wasmpack.actions.validate_image import image_problems
from wasmpack.dry_run.start_up import StartUp
from wasmpack.errors import WasmpackError
from wasmpack.images.image import Image
from wasmpack.images.opening import open_image
from wasmpack.images.variants import filesystem_image
from wasmpack.module_rules.check import examine
from wasmpack.oci import media_types as mt
from wasmpack.oci.budget import Budget
from wasmpack.oci.canonical import parse_json
from wasmpack.oci.decompress import decompressed
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.gunzip import UnreadableLayer
from wasmpack.oci.manifest import parse
from wasmpack.oci.place import ArchivePlace, LayoutPlace, parse_place
from wasmpack.oci.reference import Reference
from wasmpack.oci.stream import Compression, Stream
from wasmpack.oci.tar import TarReader
from wasmpack.stores.archive import open_archive
from wasmpack.stores.saved import SavedImage
from wasmpack.targets import choose

pytestmark = pytest.mark.slow

TEXTS_TRIED, IMAGES_TRIED = many(1000), many(60)
"""A text is read in microseconds; an image is written, opened and asked everything."""
LONGEST = 20_000
"""Characters of an error; the value that is wrong may be megabytes."""
OURS = (WasmpackError, UnreadableLayer)
PLUGIN = b"\0asm\1\0\0\0"
IMAGE = filesystem_image(PLUGIN, b'{"type":"envoy_proxy"}', {"a": "b"})
MANIFEST = json.loads(IMAGE.manifest.raw)
INDEX = {
    "schemaVersion": 2, "mediaType": mt.OCI_INDEX, "annotations": {"a": "b"},
    "manifests": [
        {**IMAGE.manifest.descriptor.as_json(), "platform": {"os": "linux", "architecture": cpu},
         "urls": ["http://example.com"], "data": "e30="} for cpu in ("arm64", "amd64")
    ],
}  # fmt: skip
LAYERS = {Digest.of(data): data for data in IMAGE.blobs.values()}


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module is the same each time: no process is needed to look at it."""
    here = functools.partial(examine, runner=InThisProcess)
    monkeypatch.setattr("wasmpack.actions.validate_image.examine", here)


def tried(
    make: Callable[[object], object], read: Callable[[object], object], count: int = TEXTS_TRIED
) -> None:
    """Read as many fresh inputs; ours are the only errors."""
    rng, seed = fresh()
    for number in range(count):
        subject = make(rng)
        where = f"seed {seed}, input {number}: {subject!r:.500}"
        text = ""
        try:
            read(subject)
        except OURS as error:
            text = str(error)
        except Exception as error:
            raise AssertionError(where) from error
        assert len(text) < LONGEST, where


TEXTS = [
    "quay.io/me/plugin:v1", "localhost:5000/x", "[::1]:5000/a/b:v1", f"a/b@sha256:{'0' * 64}",
    "oci:out:v1", f"oci:/a/b@sha256:{'0' * 64}", "oci-archive:p.tar:v1", "docker-daemon:p:v1",
    "docker://quay.io/a/b", "./out", "~/out", "/tmp", "a.tar", "~nobody/x.tar",
]  # fmt: skip
PIECES = ["\0", "\udcff", "\ud800", "a" * 300, "/" * 300, "..", ":", "@", "[", "]", "~", "\n", " ",
          "%2f", "sha256:", "٣", "é", "://", "oci:", "x" * 5000, ":99999", "[::::]"]  # fmt: skip


def odd_text(rng: object) -> str:
    text = rng.choice(TEXTS)
    for _ in range(rng.randint(1, 3)):
        at = rng.randint(0, len(text))
        text = text[:at] + rng.choice(PIECES) + text[at + rng.randint(0, 3) :]
    return text


def test_references() -> None:
    def read(text: str) -> None:
        found = Reference.parse(text)
        assert Reference.parse(str(found)) == found

    tried(odd_text, read)


def test_digests() -> None:
    tried(odd_text, lambda text: Digest.parse(text.rpartition("@")[2]))


def test_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those on this machine are opened as well."""
    monkeypatch.chdir(tmp_path)

    def read(text: str) -> None:
        place = parse_place(text)
        if isinstance(place, LayoutPlace | ArchivePlace):
            open_image(place)

    tried(odd_text, read, IMAGES_TRIED)


def test_json() -> None:
    def read(raw: bytes) -> None:
        assert parse_json(json.dumps(parse_json(raw, "x")).encode(), "x") == parse_json(raw, "x")

    tried(lambda rng: json_mutant(rng, [MANIFEST, INDEX, ODD]), read)


def test_descriptors() -> None:
    def read(raw: bytes) -> None:
        found = Descriptor.parse(parse_json(raw, "x"), "x")
        assert found.title is None or isinstance(found.title, str)
        assert found.platform is None or str(found.platform)

    tried(lambda rng: json_mutant(rng, INDEX["manifests"][0]), read)


@pytest.mark.parametrize("value", [MANIFEST, INDEX], ids=["manifest", "index"])
@pytest.mark.parametrize("kind", ["", mt.OCI_MANIFEST, mt.OCI_INDEX, mt.DOCKER_LIST, "text/plain"])
def test_manifests(value: object, kind: str) -> None:
    def read(raw: bytes) -> None:
        found = parse(raw, kind)
        assert found.digest == found.descriptor.digest

    tried(lambda rng: json_mutant(rng, value), read)


def read_all(image: Image) -> None:
    """Whatever is asked of an image; each question may be refused."""
    manifest = image.manifest
    assert image.digest
    unstarted = Checks(start_up=StartUp(dry_run=False))
    for ask in (
        image.search,
        lambda: image_problems(image, choose(["all"]), unstarted),
        lambda: image.referrers(image.digest),
        lambda: image.contents,
        lambda: (image.annotations, image.created),
        lambda: manifest and image.read_at(manifest.layers[-1], 5, 100) if manifest.layers else 0,
        lambda: list(raw_part(image, "config")),
        lambda: list(raw_part(image, "layer:0")),
    ):
        with suppress(*OURS):
            ask()


def layout_of(root: Path, blobs: list[bytes], top: bytes, kind: str) -> Path:
    """A layout that names one manifest, which is as it is given."""
    folder = root / "blobs" / "sha256"
    folder.mkdir(parents=True, exist_ok=True)
    for data in (*blobs, top):
        (folder / Digest.of(data).hex).write_bytes(data)
    (root / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    row = Descriptor.of(top, kind).as_json()
    (root / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [row]}))
    return root


def open_layout(root: Path) -> Image:
    return open_image(LayoutPlace(str(root)))


@pytest.mark.parametrize("value", [MANIFEST, INDEX], ids=["manifest", "index"])
def test_images_whose_manifest_is_odd(value: object, tmp_path: Path) -> None:
    blobs = [IMAGE.manifest.raw, *LAYERS.values()]

    def read(raw: bytes) -> None:
        read_all(open_layout(layout_of(tmp_path, blobs, raw, mt.OCI_MANIFEST)))

    tried(lambda rng: json_mutant(rng, value), read, IMAGES_TRIED)


def test_images_whose_layers_are_odd(tmp_path: Path) -> None:
    def make(rng: object) -> bytes:
        packed = gzip.compress(odd_tar(rng), 1)
        return mutant(rng, packed) if rng.random() < 0.3 else packed

    def read(data: bytes) -> None:
        layers = [Descriptor.of(data, mt.OCI_LAYER_TAR_GZIP).as_json()]
        raw = json.dumps({**MANIFEST, "layers": [*MANIFEST["layers"], *layers]}).encode()
        blobs = [data, *LAYERS.values()]
        read_all(open_layout(layout_of(tmp_path, blobs, raw, mt.OCI_MANIFEST)))

    tried(make, read, IMAGES_TRIED)


def test_layouts_whose_index_is_odd(tmp_path: Path) -> None:
    root = layout_of(tmp_path, list(LAYERS.values()), IMAGE.manifest.raw, mt.OCI_MANIFEST)
    index = json.loads((root / "index.json").read_bytes())

    def read(raw: bytes) -> None:
        (root / "index.json").write_bytes(raw)
        read_all(open_layout(root))

    tried(lambda rng: json_mutant(rng, index), read, IMAGES_TRIED)


def archive_of(root: Path) -> bytes:
    """A layout as one tar file."""
    names = sorted(path for path in root.rglob("*") if path.is_file())
    rows = [file(str(path.relative_to(root)).encode(), path.read_bytes()) for path in names]
    return b"".join(rows) + END


def test_archives(tmp_path: Path) -> None:
    root = layout_of(tmp_path / "a", list(LAYERS.values()), IMAGE.manifest.raw, mt.OCI_MANIFEST)
    good, path = archive_of(root), tmp_path / "a.tar"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        read_all(Image(open_archive(path, None)))

    tried(lambda rng: mutant(rng, good, [good]), read, IMAGES_TRIED)


SAVED = [{"Config": "config.json", "RepoTags": ["a:b"], "Layers": ["l/layer.tar", "m/layer.tar"]}]


def saved(manifest: bytes) -> bytes:
    """What docker save writes."""
    layer = file(b"plugin.wasm", PLUGIN) + END
    return b"".join(
        (
            file(b"config.json", b"{}"),
            file(b"l/layer.tar", layer),
            file(b"m/layer.tar", gzip.compress(layer)),
            file(b"manifest.json", manifest),
            END,
        )
    )


def test_docker_save() -> None:
    good = saved(json.dumps(SAVED).encode())

    def make(rng: object) -> bytes:
        odd = rng.random() < 0.6
        return saved(json_mutant(rng, SAVED)) if odd else mutant(rng, good, [good])

    def read(data: bytes) -> None:
        with tempfile.TemporaryFile() as archive:
            archive.write(data)
            archive.seek(0)
            image = SavedImage(archive, "docker-daemon:a:b")
            for blob in image.manifest.blobs:
                assert blob.digest.matches(image.open_blob(blob).read())

    tried(make, read)


def test_tars() -> None:
    def read(data: bytes) -> None:
        reader = TarReader(Stream(iter([data])), Budget())
        for entry in reader:
            if entry.size < 1 << 20:
                assert sum(map(len, reader.content())) <= max(entry.size, 0)

    tried(odd_tar, read)


def test_tars_of_python() -> None:
    """Good ones are read as they were written, damaged ones end in an error of ours."""
    rng, seed = fresh()
    for data, files in good_tars(rng):
        reader = TarReader(Stream(io.BytesIO(data)), Budget())
        found = [(entry.name.decode(), b"".join(reader.content())) for entry in reader]
        assert found == files, seed


COMPRESS: dict[Compression, Callable[[bytes], bytes]] = {
    Compression.GZIP: partial(gzip.compress, compresslevel=1),
    Compression.ZSTD: zstd.compress,
    Compression.XZ: partial(lzma.compress, preset=0),
    Compression.BZIP2: partial(bz2.compress, compresslevel=1),
}


@pytest.mark.parametrize("kind", COMPRESS)
def test_compressed(kind: Compression) -> None:
    def make(rng: object) -> list[bytes]:
        data = b"".join(COMPRESS[kind](rng.randbytes(n) + bytes(n)) for n in (0, 1, 9000))
        data, size = mutant(rng, data, [data]), rng.choice((1, 100, 1 << 20))
        return [data[at : at + size] for at in range(0, len(data), size)]

    tried(make, lambda pieces: sum(map(len, decompressed(iter(pieces), kind))), IMAGES_TRIED)
