"""Large images: looked at in parts, packed in members, moved in little memory."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
from pathlib import Path

import pytest
from conftest import Cli
from support.faults import Fault, FaultyProxy, Rule
from support.images import put_by_hand
from support.peak import watched
from support.plugins import PLUGINS
from support.programs import need, run
from support.registries import RunningRegistry

from wasmpack.images.variants import BuiltImage, artifact_image
from wasmpack.oci import layer as layers
from wasmpack.proxy_abi.module import PluginModule

C = PLUGINS / "header-append-c.wasm"
SIZE = 40_000_000


def custom_section(size: int) -> bytes:
    """As large as it says, and hard to compress."""
    payload = b"\x04data" + random.Random(7).randbytes(size)
    length, left = b"", len(payload)
    while left >= 0x80:
        length += bytes([left & 0x7F | 0x80])
        left >>= 7
    return b"\0" + length + bytes([left]) + payload


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "large.wasm"
    path.write_bytes(C.read_bytes() + custom_section(SIZE))
    return path


@pytest.fixture(scope="module")
def image(module: Path) -> BuiltImage:
    return artifact_image(PluginModule(module.read_bytes()), b'{"type":"envoy_proxy"}', {})


def test_a_remote_image_is_looked_at_in_parts(
    open_registry: RunningRegistry, module: Path, image: BuiltImage, cli: Cli
) -> None:
    put_by_hand(open_registry, "large/parts", image)
    facts = json.loads(cli("inspect", "module", module, "--format", "json").out)
    with FaultyProxy(open_registry.host) as proxy:
        name = f"{proxy.host}/large/parts:v1"
        done = cli("inspect", "image", name, "--remote", "--format", "json")
        assert done.code == 0, done.err
        module_reads = [
            seen.headers.get("Range", "all of it")
            for seen in proxy.seen
            if seen.method == "GET" and image.manifest.layers[1].digest.hex in seen.path
        ]
    assert "all of it" not in module_reads, "the module is not downloaded"
    assert 1 <= len(module_reads) <= 4
    seen = json.loads(done.out)
    assert seen["module"] == {k: v for k, v in facts.items() if k in seen["module"]}
    assert {row["verdict"] for row in seen["targets"]} == {"accept"}
    assert [f["code"] for f in seen["findings"]] == ["IMG008"]


def test_a_registry_without_ranges(
    open_registry: RunningRegistry, image: BuiltImage, cli: Cli
) -> None:
    put_by_hand(open_registry, "large/whole", image)
    with FaultyProxy(open_registry.host, [Rule(fault=Fault(no_ranges=True), times=-1)]) as proxy:
        done = cli(
            "inspect", "image", f"{proxy.host}/large/whole:v1", "--remote", "--format", "json"
        )
    assert done.code == 0, done.err
    assert json.loads(done.out)["module"]["digest"] == str(image.manifest.layers[1].digest)


def peak_megabytes(*command: str | Path) -> int:
    done = watched(*command)
    assert done.code == 0, done.err
    return done.megabytes


def test_memory_does_not_grow_with_the_image(
    open_registry: RunningRegistry, module: Path, wasmpack_command: str, cli: Cli
) -> None:
    """Bounds with room: what was measured is in docs/benchmarks.md."""
    name = f"{open_registry.host}/large/memory"
    built = peak_megabytes(wasmpack_command, "build", module, "-t", f"{name}:v1", "--no-git")
    assert built < SIZE // 1_000_000 + 90
    assert peak_megabytes(wasmpack_command, "push", f"{name}:v1") < 70
    assert cli("remove", f"{name}:v1").code == 0
    assert peak_megabytes(wasmpack_command, "pull", f"{name}:v1") < 70
    assert peak_megabytes(wasmpack_command, "copy", f"docker://{name}:v1", f"{name}:v2") < 70
    assert peak_megabytes(wasmpack_command, "inspect", "image", "--remote", f"{name}:v1") < 70


def test_members_do_not_depend_on_the_number_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"plugin.wasm": random.Random(1).randbytes(9 << 20), "runtime-config.json": b"{}"}
    found = set()
    for cores in (1, 2, 7):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        found.add(layers.tar_gzip(files).data)
    (data,) = found
    assert data.count(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff") == 3, "blocks of 4 MiB"
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data))) as archive:
        names = archive.getnames()
        assert names == list(files)
        for name in names:
            opened = archive.extractfile(name)
            assert opened is not None
            assert opened.read() == files[name]


def test_members_are_read_by_others(module: Path, cli: Cli, tmp_path: Path) -> None:
    """skopeo checks the digest of what it has unpacked when it writes an archive for Docker."""
    need("skopeo")
    done = cli("build", module, "-o", "oci:compat:v1", "--variant", "compat", "--no-git")
    assert done.code == 0, done.err
    run("skopeo", "copy", "oci:compat:v1", "docker-archive:out.tar:x:v1", cwd=tmp_path)
    with tarfile.open(tmp_path / "out.tar") as archive:
        (layer,) = [m for m in archive.getmembers() if m.size > SIZE]
        opened = archive.extractfile(layer)
        assert opened is not None
        with tarfile.open(fileobj=opened) as inner:
            plugin = inner.extractfile("plugin.wasm")
            assert plugin is not None
            assert plugin.read() == module.read_bytes()
