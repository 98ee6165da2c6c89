"""Layouts, the local store and archives: whole, locked, verified."""

import errno
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.devices import NULL, device

from wasmpack.actions.build import Outputs, write_outputs
from wasmpack.actions.local import list_local, remove_local
from wasmpack.errors import BadArtifact, DigestMismatch, NotFound, WouldOverwrite
from wasmpack.images.image import Image
from wasmpack.images.opening import open_image
from wasmpack.images.variants import BuiltImage, artifact_image
from wasmpack.oci import media_types as mt
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import Index, Manifest, parse
from wasmpack.oci.place import LayoutPlace, parse_place
from wasmpack.oci.reference import Reference
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.stores import index_json
from wasmpack.stores import layout as stores_layout
from wasmpack.stores.layout import Layout
from wasmpack.stores.local import (
    find_local,
    open_store,
    store_path,
)
from wasmpack.stores.session import Session
from wasmpack.stores.verified import VerifiedStream


def image(mark: str = "") -> BuiltImage:
    module = PluginModule(b"\0asm\1\0\0\0" + mark.encode())
    return artifact_image(module, b'{"type":"envoy_proxy"}', {})


def write(made: BuiltImage, where: str, *, force: bool = False) -> None:
    outputs = Outputs(place=parse_place(where), force=force)
    write_outputs(Image(made), outputs, Session())


def keep(made: BuiltImage, *names: str) -> None:
    outputs = Outputs(tags=[Reference.parse(name) for name in names])
    write_outputs(Image(made), outputs, Session())


@pytest.mark.parametrize("form", ["oci:{}/lay:v1", "oci-archive:{}/a.tar:v1", "oci:{}/plain"])
def test_written_and_read_again(form: str, tmp_path: Path) -> None:
    made = image()
    place = form.format(tmp_path)
    write(made, place)
    found = open_image(parse_place(place))
    assert found.top.raw == made.manifest.raw
    for descriptor in made.manifest.blobs:
        with found.open(descriptor) as stream:
            assert stream.read() == made.blobs[descriptor.digest]


@pytest.mark.parametrize("form", ["oci:{}/lay:v1", "oci-archive:{}/a.tar:v1", "oci:{}/plain"])
def test_another_image_is_not_overwritten(form: str, tmp_path: Path) -> None:
    place = form.format(tmp_path)
    write(image("a"), place)
    write(image("a"), place)
    with pytest.raises(WouldOverwrite):
        write(image("b"), place)
    assert open_image(parse_place(place)).top.raw == image("a").manifest.raw
    write(image("b"), place, force=True)
    assert open_image(parse_place(place)).top.raw == image("b").manifest.raw


def test_two_tags_in_one_layout(tmp_path: Path) -> None:
    write(image("a"), f"oci:{tmp_path}/lay:a")
    write(image("b"), f"oci:{tmp_path}/lay:b")
    layout = Layout.open(tmp_path / "lay")
    assert [entry.name for entry in layout.entries()] == ["a", "b"]
    with pytest.raises(NotFound, match="several images"):
        layout.find(None)
    with pytest.raises(NotFound, match="no image c"):
        layout.find("c")
    assert layout.find(None, image("b").manifest.digest).digest == image("b").manifest.digest


def test_foreign_index_fields_survive(tmp_path: Path) -> None:
    write(image("a"), f"oci:{tmp_path}/lay:a")
    index = tmp_path / "lay" / "index.json"
    value = json.loads(index.read_bytes())
    value["annotations"] = {"made.by": "somebody"}
    index.write_text(json.dumps(value))
    write(image("b"), f"oci:{tmp_path}/lay:b")
    assert json.loads(index.read_bytes())["annotations"] == {"made.by": "somebody"}


def test_tags_move_in_the_local_store() -> None:
    keep(image("a"), "p:v1", "quay.io/me/p:v1")
    keep(image("b"), "p:v1")
    moved, kept = (find_local(Reference.parse(n)) for n in ("p:v1", "quay.io/me/p:v1"))
    assert moved is not None
    assert kept is not None
    assert moved.digest == image("b").manifest.digest
    assert kept.digest == image("a").manifest.digest
    assert find_local(Reference.parse("other:v1")) is None


def test_prune_keeps_what_is_named() -> None:
    keep(image("a"), "p:v1")
    keep(image("b"), "p:v1")
    store = open_store()
    files, size = store.prune()
    assert files == 2, "manifest and module of the first; the configuration is shared"
    assert size > 0
    assert store.get(store.find("docker.io/library/p:v1")).raw == image("b").manifest.raw
    assert store.prune() == (0, 0)


def test_prune_sweeps_what_a_killed_process_left() -> None:
    keep(image("a"), "p:v1")
    left = store_path() / "blobs" / "sha256" / ".wasmpack-tmp-xyz"
    left.write_bytes(b"half")
    open_store().prune()
    assert not left.exists()


def damage(made: BuiltImage, number: int, data: bytes) -> Descriptor:
    descriptor = made.manifest.layers[number]
    (store_path() / "blobs" / "sha256" / descriptor.digest.hex).write_bytes(data)
    return descriptor


@pytest.mark.parametrize("data", [b"", b"\0asm\1\0\0", b"\0asm\1\0\0\0XY", b"\0asm\1\0\0\1"])
def test_a_damaged_blob_is_never_handed_out_whole(data: bytes) -> None:
    made = image()
    keep(made, "p:v1")
    descriptor = damage(made, 1, data)
    store = open_store()
    assert not store.has_blob(descriptor)
    with (
        pytest.raises(DigestMismatch, match=str(descriptor.digest)),
        VerifiedStream(store.open_blob(descriptor), descriptor) as stream,
    ):
        stream.drain()
    keep(made, "p:v1")
    assert store.has_blob(descriptor), "building again mends the store"


def test_a_damaged_manifest_is_named() -> None:
    made = image()
    keep(made, "p:v1")
    path = store_path() / "blobs" / "sha256" / made.manifest.digest.hex
    path.write_bytes(made.manifest.raw[:-1] + b" ")
    with pytest.raises(DigestMismatch, match="damaged"):
        open_store().get(made.manifest.descriptor)


def test_no_layout(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="oci-layout is missing"):
        Layout.open(tmp_path)


def test_pipes_and_directories_are_no_blobs(tmp_path: Path) -> None:
    write(image(), f"oci:{tmp_path}/lay:v1")
    layout = Layout.open(tmp_path / "lay")
    descriptor = image().manifest.layers[1]
    path = tmp_path / "lay" / "blobs" / "sha256" / descriptor.digest.hex
    for make in (os.mkfifo, os.mkdir):
        path.unlink() if path.is_file() or path.is_fifo() else path.rmdir()
        make(path)
        with pytest.raises(BadArtifact, match="regular file"):
            layout.open_blob(descriptor)
        assert not layout.has_blob(descriptor)


def elsewhere(tmp_path: Path) -> Path:
    """A directory with a file that nobody may touch."""
    found = tmp_path / "elsewhere"
    found.mkdir()
    (found / "sha256").mkdir()
    for name in ("file", "sha256/file"):
        (found / name).write_text("old")
    return found


@pytest.mark.parametrize("name", ["blobs", "blobs/sha256"])
@pytest.mark.parametrize("was_right", [False, True], ids=["made by somebody", "was right before"])
def test_directories_of_a_layout_are_not_written_through_links(
    name: str, was_right: bool, tmp_path: Path
) -> None:
    victim, path = elsewhere(tmp_path), tmp_path / "lay" / name
    if was_right:
        write(image("a"), f"oci:{tmp_path}/lay:a")
        path.rename(tmp_path / "before")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(victim)
    for force in (False, True):
        with pytest.raises(BadArtifact, match=f"lay/{name}: a link or a file"):
            write(image("b"), f"oci:{tmp_path}/lay:v1", force=force)
    names = sorted(path.relative_to(victim).as_posix() for path in victim.rglob("*"))
    assert names == ["file", "sha256", "sha256/file"]


@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "device"])
def test_names_in_a_layout_are_replaced_and_not_written_through(kind: str, tmp_path: Path) -> None:
    made = image("a")
    write(made, f"oci:{tmp_path}/lay:a")
    lay, victim = tmp_path / "lay", elsewhere(tmp_path)
    targets = {"link": victim / "file", "dangling": victim / "new", "device": tmp_path / "null"}
    if kind == "device":
        device(tmp_path / "null", NULL)
    paths = [path for path in lay.rglob("*") if len(path.name) == 64]
    for path in [*paths, lay / "oci-layout"]:
        path.unlink()
        os.mkfifo(path) if kind == "pipe" else path.symlink_to(targets[kind])
    write(made, f"oci:{tmp_path}/lay:a")
    assert len(paths) == 3
    assert all(path.is_file() and not path.is_symlink() for path in paths)
    assert (lay / "oci-layout").is_file()
    assert sorted(path.name for path in victim.iterdir()) == ["file", "sha256"]
    assert (victim / "file").read_text() == "old"


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_an_index_that_is_something_else(kind: str, tmp_path: Path) -> None:
    write(image("a"), f"oci:{tmp_path}/lay:a")
    index = tmp_path / "lay" / "index.json"
    if kind == "link":
        index.rename(tmp_path / "index")
        index.symlink_to(tmp_path / "index")
        before = (tmp_path / "index").read_bytes()
        write(image("b"), f"oci:{tmp_path}/lay:b")
        assert not index.is_symlink()
        assert (tmp_path / "index").read_bytes() == before
        names = [entry.name for entry in Layout.open(tmp_path / "lay").entries()]
        assert names == ["a", "b"]
    else:
        index.unlink()
        os.mkfifo(index)
        with pytest.raises(NotFound, match=r"index\.json is missing"):
            Layout.open(tmp_path / "lay")
        write(image("b"), f"oci:{tmp_path}/lay:b")
        assert index.is_file()


def test_prune_deletes_nothing_elsewhere(tmp_path: Path) -> None:
    keep(image("a"), "p:v1")
    victim = elsewhere(tmp_path)
    blobs = store_path() / "blobs"
    (blobs / "sha512").symlink_to(victim / "sha256")
    (blobs / "sha256" / ("0" * 64)).symlink_to(victim / "file")
    (blobs / "sha256" / ("1" * 64)).symlink_to(victim / "none")
    (blobs / "sha256" / "directory").mkdir()
    assert open_store().prune()[0] == 2
    assert (victim / "file").read_text() == (victim / "sha256" / "file").read_text() == "old"
    blobs.rename(tmp_path / "blobs")
    blobs.symlink_to(tmp_path / "blobs")
    (tmp_path / "blobs" / "sha256" / ("2" * 64)).touch()
    with pytest.raises(BadArtifact, match="blobs: a link or a file"):
        Layout(store_path()).prune()
    assert (tmp_path / "blobs" / "sha256" / ("2" * 64)).exists()


def test_an_archive_through_a_pipe_is_the_same(tmp_path: Path) -> None:
    write(image(), f"oci-archive:{tmp_path}/a.tar:v1")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write(image(), f"oci-archive:{pipe}:v1")
    assert os.read(reader, 1 << 16) == (tmp_path / "a.tar").read_bytes()
    os.close(reader)
    assert pipe.is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar", "pipe"]


def test_a_private_layout_takes_no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive is packed on any file system without a warning about locks."""
    import fcntl

    def flock(_handle: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    write(image(), f"oci-archive:{tmp_path}/a.tar:v1")
    assert open_image(parse_place(f"oci-archive:{tmp_path}/a.tar:v1")).top


def test_compat_wins_as_in_the_mesh() -> None:
    """An artifact whose last layer is a tar with a plugin.wasm: Istio loads that one."""
    from wasmpack.images.image import read_contents, variant_of
    from wasmpack.images.variants import filesystem_image
    from wasmpack.oci import media_types as mt
    from wasmpack.oci.manifest import parse_manifest

    inner = filesystem_image(b"\0asm\1\0\0\0inner", None, {})
    outer = Descriptor.of(b"\0asm\1\0\0\0outer", mt.WASM_CONTENT)
    layers = [outer, inner.manifest.layers[0]]
    body = {
        "config": inner.manifest.config.as_json(),
        "layers": [layer.as_json() for layer in layers],
    }
    manifest = parse_manifest(json.dumps(body).encode())
    blobs = {**inner.blobs, outer.digest: b"\0asm\1\0\0\0outer"}
    found = read_contents(manifest, lambda d: iter([blobs[d.digest]]))
    assert found.module is not None
    assert found.module.data == b"\0asm\1\0\0\0inner"
    assert variant_of(manifest).value == "compat"


def test_archives_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(b"no tar")
    with pytest.raises(BadArtifact, match="not a readable tar"):
        open_image(parse_place(f"oci-archive:{path}"))
    with tarfile.open(path, "w") as tar:
        tar.addfile(tarfile.TarInfo("README"), io.BytesIO())
    with pytest.raises(BadArtifact, match=r"index\.json is missing"):
        open_image(parse_place(f"oci-archive:{path}"))
    with pytest.raises(NotFound):
        open_image(parse_place(f"oci-archive:{tmp_path}/none.tar"))


def test_archive_bytes_depend_on_the_image_alone(tmp_path: Path) -> None:
    for name in ("a.tar", "b.tar"):
        write(image(), f"oci-archive:{tmp_path}/{name}:v1")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.tar", "b.tar"], "nothing is left over"


MANY = """
import sys
from wasmpack.actions.build import Outputs, write_outputs
from wasmpack import Image, PluginModule, Reference, Session
from wasmpack.images.variants import artifact_image
from wasmpack.stores.local import open_store
for number in range(int(sys.argv[1]), int(sys.argv[1]) + 20):
    made = artifact_image(PluginModule(b"\\0asm" + str(number).encode()), b"{}", {})
    tags = [Reference.parse(f"p:{number}")]
    write_outputs(Image(made), Outputs(tags=tags), Session())
    if number % 7 == 0:
        open_store().prune()
"""


@pytest.mark.slow
def test_processes_share_the_store() -> None:
    """Three writers, each pruning now and then: no name and no blob of another is lost."""
    workers = [
        subprocess.Popen([sys.executable, "-c", MANY, str(start)]) for start in (0, 100, 200)
    ]
    assert [worker.wait(120) for worker in workers] == [0, 0, 0]
    store = open_store()
    assert len(store.entries()) == 60
    for entry in store.entries():
        found = store.get(entry.descriptor)
        assert all(store.has_blob(blob) for blob in getattr(found, "blobs", ()))


def test_names_written_at_once_are_all_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow replacing of index.json would lose names without the lock."""
    layout = Layout.create(tmp_path / "lay")
    write_inside = index_json.write_inside

    def slowly(root: Path, name: str, pieces: Iterable[bytes], **how: bool) -> None:
        time.sleep(0.02)
        write_inside(root, name, pieces, **how)

    monkeypatch.setattr(index_json, "write_inside", slowly)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: layout.put_manifest(image().manifest, [str(n)]), range(16)))
    assert sorted(int(entry.name or "") for entry in layout.entries()) == list(range(16))


def test_prune_waits_for_a_writer(tmp_path: Path) -> None:
    layout = Layout.create(tmp_path / "lay")
    made = image()
    descriptor = made.manifest.layers[1]
    data = made.blobs[descriptor.digest]
    with layout.writing():
        layout.put_blob(descriptor, lambda: VerifiedStream(io.BytesIO(data), descriptor))
        pruning = threading.Thread(target=layout.prune)
        pruning.start()
        pruning.join(0.3)
        assert pruning.is_alive()
        layout.put_blob(
            made.manifest.config,
            lambda: VerifiedStream(
                io.BytesIO(made.blobs[made.manifest.config.digest]), made.manifest.config
            ),
        )
        layout.put_manifest(made.manifest, ["v1"])
    pruning.join(30)
    assert layout.has_blob(descriptor)


def test_layout_place_prints_itself() -> None:
    assert str(LayoutPlace("x", "t")) == "oci:x:t"


def row(manifest: Manifest | Index, **change: object) -> dict[str, object]:
    return {**manifest.descriptor.as_json(), **change}


def nested(width: int, depth: int) -> tuple[Layout, BuiltImage]:
    """An index of indexes, each of which lists one child so many times."""
    made, store = image(), open_store()
    keep(made, "quay.io/a/b:v1")
    inner: Manifest | Index = made.manifest
    for _ in range(depth):
        body = {"schemaVersion": 2, "manifests": [row(inner)] * width}
        inner = parse(json.dumps(body).encode(), mt.OCI_INDEX)
        store.put_manifest(inner, [])
    store.put_manifest(inner, ["quay.io/x/y:v1"])
    store.index.untag(["quay.io/a/b:v1"])
    return store, made


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The manifests that were read."""
    seen: list[str] = []
    real = stores_layout.parse

    def counted(raw: bytes, media_type: str, *, digest: Digest) -> Manifest | Index:
        seen.append(Descriptor.of(raw, "").digest.hex)
        return real(raw, media_type, digest=digest)

    monkeypatch.setattr(stores_layout, "parse", counted)
    return seen


def test_prune_reads_each_manifest_once(read: list[str]) -> None:
    store, made = nested(width=20, depth=4)
    assert store.prune() == (0, 0)
    assert len(read) == len(set(read)) == 5
    assert all(store.has_blob(blob) for blob in made.manifest.blobs)


@pytest.mark.parametrize("wrong_first", [True, False])
def test_prune_keeps_what_one_of_two_rows_names(wrong_first: bool) -> None:
    made, store = image(), open_store()
    keep(made, "quay.io/a/b:v1")
    rows = [row(made.manifest, size=3), row(made.manifest)]
    body = {"schemaVersion": 2, "manifests": rows if wrong_first else rows[::-1]}
    top = parse(json.dumps(body).encode(), mt.OCI_INDEX)
    store.put_manifest(top, ["quay.io/x/y:v1"])
    store.index.untag(["quay.io/a/b:v1"])
    assert store.prune() == (0, 0)


def test_many_names_are_removed_in_one_change(monkeypatch: pytest.MonkeyPatch) -> None:
    made = image()
    keep(made, "quay.io/a/b:v1")
    open_store().put_manifest(made.manifest, [f"quay.io/a/b:v{n}" for n in range(50)])
    written: list[str] = []
    real = index_json.write_inside

    def counted(root: Path, name: str, pieces: Iterable[bytes], *, durable: bool = True) -> None:
        written.append(name)
        real(root, name, pieces, durable=durable)

    monkeypatch.setattr(index_json, "write_inside", counted)
    digest = made.manifest.digest
    names = [f"quay.io/a/b@{digest}", "quay.io/a/b:v7"]
    removed = remove_local(names)
    assert written == ["index.json"]
    assert sorted(name.full for name, _ in removed) == sorted(
        f"quay.io/a/b:v{n}" for n in range(50)
    )
    assert open_store().entries() == ()


def test_many_names_of_an_image_are_listed_by_one_look(read: list[str]) -> None:
    made = image()
    keep(made, "quay.io/a/b:v1")
    open_store().put_manifest(made.manifest, [f"quay.io/a/b:v{n}" for n in range(50)])
    read.clear()
    assert {found.variant for found in list_local()} == {"oci"}
    assert len(read) == 1


def test_a_directory_with_the_name_of_a_temporary_file_stays() -> None:
    keep(image(), "quay.io/a/b:v1")
    (store_path() / ".wasmpack-tmp-x").mkdir()
    assert open_store().prune() == (0, 0)
    remove_local(["quay.io/a/b:v1"])
    assert (store_path() / ".wasmpack-tmp-x").is_dir()
