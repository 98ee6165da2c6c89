"""Independent programs read what we write, and we read what they write."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from conftest import Cli
from support.plugins import PLUGINS
from support.programs import need, run
from support.registries import RunningRegistry

C = PLUGINS / "header-append-c.wasm"


@pytest.mark.parametrize("variant", ["oci", "compat", "docker"])
def test_skopeo_copies_from_our_registry(
    variant: str, open_registry: RunningRegistry, cli: Cli, tmp_path: Path
) -> None:
    need("skopeo")
    name = f"{open_registry.host}/skopeo/{variant}:v1"
    digest = cli("build", C, "-t", name, "--variant", variant, "--push").out.strip()
    digest = digest.partition("@")[2]
    source = f"docker://{name}"
    tls = "--src-tls-verify=false"
    run("skopeo", "copy", "--preserve-digests", tls, source, f"dir:{tmp_path}/dir")
    shown = run("skopeo", "inspect", "--tls-verify=false", "--raw", source)
    assert shown == cli("inspect", "image", name, "--raw", "manifest").out
    assert "sha256:" + hashlib.sha256(shown.encode()).hexdigest() == digest
    assert json.loads((tmp_path / "dir" / "manifest.json").read_text()) == json.loads(shown)


@pytest.mark.parametrize("variant", ["oci", "compat"])
@pytest.mark.parametrize("form", ["oci", "oci-archive"])
def test_skopeo_reads_our_layouts(variant: str, form: str, cli: Cli, tmp_path: Path) -> None:
    need("skopeo")
    place = f"{form}:{tmp_path}/out.tar:v1" if form == "oci-archive" else f"oci:{tmp_path}/out:v1"
    digest = cli("build", C, "-o", place, "--variant", variant).out.strip().rpartition("@")[2]
    run("skopeo", "copy", "--preserve-digests", place, f"oci:{tmp_path}/copy:v1")
    assert cli("digest", f"oci:{tmp_path}/copy:v1").out.strip() == digest
    assert cli("extract", f"oci:{tmp_path}/copy:v1", "-o", "d").code == 0
    assert (tmp_path / "d" / "plugin.wasm").read_bytes() == C.read_bytes()


def test_skopeo_reads_the_local_store(cli: Cli, tmp_path: Path) -> None:
    need("skopeo")
    digest = cli("build", C, "-t", "quay.io/me/x:v1").out.strip().partition("@")[2]
    store = tmp_path / "store"
    run("skopeo", "copy", "--preserve-digests", f"oci:{store}:quay.io/me/x:v1",
        f"oci:{tmp_path}/copy:v1")  # fmt: skip
    assert cli("digest", f"oci:{tmp_path}/copy:v1").out.strip() == digest


@pytest.mark.parametrize("image_format", ["oci", "docker"])
def test_we_read_what_buildah_made(
    image_format: str, open_registry: RunningRegistry, cli: Cli, tmp_path: Path
) -> None:
    need("buildah")
    shutil.copy(C, tmp_path / "plugin.wasm")
    (tmp_path / "Containerfile").write_text("FROM scratch\nCOPY plugin.wasm ./\n")
    storage = ["--root", tmp_path / "root", "--runroot", tmp_path / "runroot",
               "--storage-driver", "vfs"]  # fmt: skip
    tag = f"{open_registry.host}/buildah/{image_format}:v1"
    run("buildah", *storage, "bud", "--isolation", "chroot", "--format", image_format, "-t", tag,
        ".", cwd=tmp_path)  # fmt: skip
    run("buildah", *storage, "push", "--tls-verify=false", tag)
    seen = json.loads(cli("inspect", "image", tag, "--format", "json").out)
    assert seen["variant"] == ("compat" if image_format == "oci" else "docker")
    assert seen["created"]
    assert {row["verdict"] for row in seen["targets"]} == {"accept"}
    assert cli("validate", "image", tag, "--target", "all").code == 0
    assert cli("extract", tag, "-o", "d").code == 0
    assert (tmp_path / "d" / "plugin.wasm").read_bytes() == C.read_bytes()


def test_a_two_layer_buildah_image_by_the_documentation_is_judged_by_release(
    open_registry: RunningRegistry, cli: Cli, tmp_path: Path
) -> None:
    """[config][plugin] works from Istio 1.16 on, and not on OSSM 2.2 (consumers: N15)."""
    need("buildah")
    shutil.copy(C, tmp_path / "plugin.wasm")
    (tmp_path / "runtime-config.json").write_text('{"type": "envoy_proxy"}')
    lines = "FROM scratch\nCOPY runtime-config.json ./\nCOPY plugin.wasm ./\n"
    (tmp_path / "Containerfile").write_text(lines)
    storage = ["--root", tmp_path / "root", "--runroot", tmp_path / "runroot",
               "--storage-driver", "vfs"]  # fmt: skip
    run("buildah", *storage, "bud", "--isolation", "chroot", "--layers", "-t", "x", ".",
        cwd=tmp_path)  # fmt: skip
    run("buildah", *storage, "push", "x", f"oci:{tmp_path}/two:v1")
    seen = json.loads(
        cli("validate", "image", "oci:two:v1", "--target", "all", "--format", "json").out
    )
    verdicts = {row["target"]: row["verdict"] for row in seen["targets"]}
    layers = json.loads(cli("inspect", "image", "oci:two:v1", "--format", "json").out)["layers"]
    assert len(layers) == 2, "buildah --layers makes one for each COPY"
    assert verdicts["ossm-2.2"] == verdicts["istio-1.15"] == "reject"
    assert verdicts["ossm-2.3"] == verdicts["istio-1.16"] == "accept"


@pytest.mark.docker
def test_docker_engine_round_trip(cli: Cli, tmp_path: Path) -> None:
    need("docker", "info")
    import docker

    client = docker.from_env()
    name = "wasmpack-test/loaded:v1"
    try:
        refused = cli("build", C, "-t", name, "--load")
        assert refused.code == 2
        assert "hint: --variant docker" in refused.err
        loaded = cli("build", C, "-t", name, "--variant", "docker", "--load")
        assert loaded.code == 0, loaded.err
        assert "the digest there may differ" in loaded.err
        assert cli("extract", f"docker-daemon:{name}", "-o", "d").code == 0
        assert (tmp_path / "d" / "plugin.wasm").read_bytes() == C.read_bytes()
        seen = cli("inspect", "image", f"docker-daemon:{name}", "--format", "json")
        assert json.loads(seen.out)["source"] == "daemon"
        assert cli("inspect", "image", "docker-daemon:no/such:image").code == 4
    finally:
        for image in client.images.list(name=name):
            client.images.remove(image.id, force=True)
        client.close()
