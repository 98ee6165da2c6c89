"""Old resources and old images, made by real tools, as what meshes load today."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from agreement import images as i
from conftest import Cli
from support.layouts import MANIFEST, old_image, pushed, put
from support.plugins import CONFIGURATION, PLUGINS, wat
from support.programs import need, run
from support.registries import RunningRegistry

from wasmpack.envoy import Plugin, running_proxy

C = PLUGINS / "header-append-c.wasm"
EXTENSION = """\
apiVersion: maistra.io/v1
kind: ServiceMeshExtension
metadata:
  name: {name}
  namespace: mesh
spec:
  workloadSelector:
    labels: {{app: httpbin}}
  config: {config}
  image: {image}
{more}"""


def extension(image: str, name: str = "header-append", more: str = "  phase: PostAuthZ\n") -> str:
    return EXTENSION.format(name=name, image=image, config=CONFIGURATION, more=more)


def context(folder: Path) -> Path:
    """What a Dockerfile of that time copied."""
    folder.mkdir()
    shutil.copy(C, folder / "extension.wasm")
    (folder / "manifest.yaml").write_text(MANIFEST)
    (folder / "Dockerfile").write_text(
        "FROM scratch\nCOPY manifest.yaml ./\nCOPY extension.wasm ./\n"
    )
    return folder


def by_docker(name: str, folder: Path) -> None:
    """A real ``docker build`` and ``docker push``."""
    need("docker", "info")
    import docker

    client = docker.from_env()
    try:
        client.images.build(path=str(folder), tag=name, rm=True)
        for line in client.images.push(name, stream=True, decode=True):
            assert "error" not in line, line
    finally:
        for image in client.images.list(name=name.rpartition(":")[0]):
            client.images.remove(image.id, force=True)
        client.close()


def by_buildah(name: str, folder: Path) -> None:
    """A real ``buildah bud`` and ``buildah push``."""
    need("buildah")
    storage = [
        "--root",
        folder / "root",
        "--runroot",
        folder / "runroot",
        "--storage-driver",
        "vfs",
    ]
    run("buildah", *storage, "bud", "--isolation", "chroot", "--layers", "-f", "Dockerfile", "-t", name,
        ".", cwd=folder)  # fmt: skip
    run("buildah", *storage, "push", "--tls-verify=false", name)


@pytest.mark.parametrize("make", [by_docker, by_buildah], ids=["docker", "buildah"])
def test_from_an_old_image_to_a_working_filter(
    make: Any, open_registry: RunningRegistry, cli: Cli, tmp_path: Path
) -> None:
    old = f"{open_registry.host}/old-{make.__name__.replace('_', '-')}/header-append-filter:2.1"
    make(old, context(tmp_path / "context"))
    before = cli("digest", f"docker://{old}").out
    assert cli("validate", "image", f"docker://{old}").code == 3, "no mesh loads it as it is"

    (tmp_path / "sme.yaml").write_text(extension(old, more=""))
    prefix = f"{open_registry.host}/new-{make.__name__.replace('_', '-')}"
    done = cli("migrate", "servicemeshextension", "sme.yaml", "--images", prefix, "--pin",
               "--report", "report.json")  # fmt: skip
    assert done.code == 0, done.err
    (tmp_path / "plugin.yaml").write_text(done.out)
    spec = yaml.safe_load(done.out)["spec"]
    new = f"{prefix}/header-append-filter:2.1"
    assert spec["url"] == f"oci://{new}@sha256:{spec['sha256']}"
    assert (spec["phase"], spec["priority"]) == ("AUTHZ", 1000), "from manifest.yaml"
    assert cli("digest", f"docker://{old}").out == before, "the source is as it was"

    assert cli("validate", "image", f"docker://{new}").code == 0
    judged = cli("validate", "wasmplugin", "plugin.yaml", "--remote", "--format", "json")
    assert judged.code == 0, judged.out
    assert {row["verdict"] for row in json.loads(judged.out)["targets"]} == {"accept"}
    annotations = json.loads(cli("inspect", "image", f"docker://{new}", "--format", "json").out)[
        "annotations"
    ]
    assert annotations["org.opencontainers.image.version"] == "2.1.0"
    assert annotations["org.opencontainers.image.description"] == "appends headers"
    assert annotations["maistra.io/priority"] == "1000"

    assert cli("extract", f"docker://{new}", "-o", "out").code == 0
    module = tmp_path / "out" / "plugin.wasm"
    assert module.read_bytes() == C.read_bytes()
    configured = Plugin(
        module=module, configuration=json.dumps(spec["pluginConfig"]), root_id=spec["pluginName"]
    )
    with running_proxy([configured]) as proxy:
        found = proxy.get("/")
    assert (found.status, found.header("first-header")) == (200, "some-value")


FORMS: list[tuple[str, list[tuple[str, bytes]]]] = [
    ("one layer", [(i.GZ, old_image())]),
    ("docker", [(i.DGZ, old_image())]),
    ("manifest first", [(i.GZ, i.packed(("manifest.yaml", MANIFEST.encode()))),
                        (i.GZ, i.packed(("extension.wasm", C.read_bytes())))]),
    ("module first", [(i.GZ, i.packed(("extension.wasm", C.read_bytes()))),
                      (i.GZ, i.packed(("manifest.yaml", MANIFEST.encode())))]),
    ("replaced in a later layer", [(i.GZ, old_image(wat())),
                                   (i.GZ, i.packed(("extension.wasm", C.read_bytes())))]),
    ("with another module", [(i.GZ, i.packed(("other.wasm", wat()))), (i.GZ, old_image())]),
    ("deleted folder", [(i.GZ, i.packed(("opt/other.wasm", wat()))),
                        (i.GZ, i.packed((".wh.opt", b""))), (i.GZ, old_image())]),
    ("module in a folder", [(i.GZ, i.packed(
        ("./manifest.yaml", MANIFEST.replace("extension", "opt/filters/x").encode()),
        ("./opt/filters/x.wasm", C.read_bytes())))]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "layers"), FORMS, ids=[form[0] for form in FORMS])
def test_old_images_in_every_form(
    name: str, layers: list[tuple[str, bytes]], cli: Cli, tmp_path: Path
) -> None:
    source = put(i.Case(name, "", layers, ""), tmp_path / "old")
    done = cli("migrate", "image", source, f"oci:{tmp_path}/new:v1")
    assert done.code == 0, done.err
    assert done.out.startswith(f"oci:{tmp_path}/new:v1@sha256:")
    assert cli("extract", f"oci:{tmp_path}/new:v1", "-o", "out").code == 0
    assert (tmp_path / "out" / "plugin.wasm").read_bytes() == C.read_bytes()
    report = json.loads(cli("validate", "image", f"oci:{tmp_path}/new:v1", "--format", "json").out)
    assert {row["verdict"] for row in report["targets"]} == {"accept"}


@pytest.mark.docker
def test_out_of_the_docker_engine_and_out_of_an_archive(cli: Cli, tmp_path: Path) -> None:
    need("docker", "info")
    import docker

    client = docker.from_env()
    name = "wasmpack-test/old:v1"
    try:
        client.images.build(path=str(context(tmp_path / "context")), tag=name, rm=True)
        first = cli("migrate", "image", f"docker-daemon:{name}", f"oci:{tmp_path}/a:v1")
        assert first.code == 0, first.err
    finally:
        for image in client.images.list(name="wasmpack-test/old"):
            client.images.remove(image.id, force=True)
        client.close()
    source = put(i.Case("old", "", [(i.GZ, old_image())], ""), tmp_path / "old")
    assert cli("copy", source, "oci-archive:old.tar:v1").code == 0
    second = cli("migrate", "image", "oci-archive:old.tar:v1", "oci-archive:new.tar:v1")
    assert second.code == 0, second.err
    assert cli("validate", "image", "oci-archive:new.tar:v1").code == 0


WRONG_IMAGES: list[tuple[str, bytes, str]] = [
    ("no manifest.yaml", i.packed(("extension.wasm", C.read_bytes())), "/manifest.yaml not found"),
    ("in a folder", i.packed(("x/manifest.yaml", MANIFEST.encode()), ("extension.wasm", C.read_bytes())),
     "/manifest.yaml not found"),
    ("not YAML", old_image(manifest="a: [1"), "manifest.yaml:1:4"),
    ("a list", old_image(manifest="[a]"), "expected a mapping"),
    ("no module named", old_image(manifest="name: x"), "names no module"),
    ("another module named", old_image(manifest="module: plugin.wasm"), "no WebAssembly module plugin.wasm"),
    ("no module", i.packed(("manifest.yaml", MANIFEST.encode()), ("extension.wasm", b"text")),
     "no WebAssembly module extension.wasm"),
    ("no mesh would load it", old_image(wat(imports='(import "env" "abort" (func))')), "rejected"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "layer", "said"), WRONG_IMAGES, ids=[w[0] for w in WRONG_IMAGES])
def test_images_that_cannot_be_migrated(
    name: str, layer: bytes, said: str, cli: Cli, tmp_path: Path
) -> None:
    source = put(i.Case(name, "", [(i.GZ, layer)], ""), tmp_path / "old")
    done = cli("migrate", "image", source, f"oci:{tmp_path}/new:v1")
    assert done.code == 3
    assert said in done.err
    assert not (tmp_path / "new").exists()


def test_a_whole_cluster(open_registry: RunningRegistry, cli: Cli, tmp_path: Path) -> None:
    host = open_registry.host
    good = pushed(f"{host}/a/filter:v1", [(i.GZ, old_image())], tmp_path / "1")
    same = pushed(f"{host}/b/filter:v1", [(i.GZ, old_image(wat()))], tmp_path / "2")
    bad = pushed(f"{host}/c/other:v1", [(i.GZ, i.packed(("x", b"y")))], tmp_path / "3")
    items = [
        yaml.safe_load(extension(good, "one")), yaml.safe_load(extension(same, "two")),
        yaml.safe_load(extension(good, "three", "  phase: PreStats\n  priority: 5\n")),
        yaml.safe_load(extension(bad, "four")), yaml.safe_load(extension(f"{host}/no/such:v1", "five")),
    ]  # fmt: skip
    exported = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": items})
    arguments = ["migrate", "servicemeshextension", "-f", "-"]
    prefix = f"{host}/cluster"
    done = cli(*arguments, "--images", prefix, "--report", "report.json", stdin=exported.encode())
    assert done.code == 3, done.err
    found = {d["metadata"]["name"]: d["spec"]["url"] for d in yaml.safe_load_all(done.out)}
    first = f"oci://{prefix}/{host.replace(':', '-')}/a/filter:v1"
    assert found == {"one": first, "two": first.replace("/a/", "/b/"), "three": first}
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["migrated"], report["refused"]) == (3, 2)
    status = {row["name"]: row["image"]["status"] for row in report["resources"]}
    assert status == {
        "one": "packed",
        "two": "packed",
        "three": "packed",
        "four": "failed",
        "five": "failed",
    }
    table = [line.split()[:3] for line in done.err.splitlines() if line.startswith("mesh ")]
    assert table == [
        ["mesh", n, "refused" if n in {"four", "five"} else "migrated"] for n in status
    ]

    again = cli(*arguments, "--images", prefix, "--report", "report.md", stdin=exported.encode())
    assert again.out == done.out
    assert [line.split()[0] for line in again.err.splitlines() if " -> " in line].count(
        "exists"
    ) == 2
    assert "| mesh | four | refused |" in (tmp_path / "report.md").read_text()


def test_the_network_is_not_used_without_images(cli: Cli, tmp_path: Path) -> None:
    text = extension("registry.invalid/a/b:v1")
    (tmp_path / "sme.yaml").write_text(text)
    done = cli("migrate", "servicemeshextension", "sme.yaml")
    assert done.code == 0, done.err
    assert "unknown host" not in done.err
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from wasmpack.cli.main import run\n"
        "sys.exit(run(['migrate', 'servicemeshextension', 'sme.yaml']))"
    )
    offline = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert offline.returncode == 0, offline.stderr
    assert offline.stdout == done.out


def test_what_is_around_the_resources_stays(cli: Cli, tmp_path: Path) -> None:
    around = "# about the map\napiVersion: v1\nkind: ConfigMap  # a map\ndata: {a: 'on'}\n"
    text = f"{around}---\n# about the filter\n{extension('quay.io/a/b:v1')}---\nkind: Other\n"
    (tmp_path / "all.yaml").write_text(text)
    done = cli("migrate", "servicemeshextension", "all.yaml")
    assert done.code == 0, done.err
    first, second, third = done.out.split("---\n")
    assert first == around
    assert second.startswith("# about the filter\napiVersion: extensions.istio.io/v1alpha1\n")
    assert third == "kind: Other\n"
    as_json = json.loads(cli("migrate", "servicemeshextension", "all.yaml", "--format", "json").out)
    assert [item["kind"] for item in as_json["items"]] == ["ConfigMap", "WasmPlugin", "Other"]
    assert as_json["items"][0]["data"] == {"a": "on"}


def test_json_and_directories(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    value = yaml.safe_load(extension("quay.io/a/b:v1"))
    (folder / "a.json").write_text(json.dumps(value, indent="\t"))
    (folder / "b.yml").write_text(extension("quay.io/a/c:v1", "other"))
    done = cli("migrate", "servicemeshextension", "export")
    assert done.code == 0, done.err
    assert [d["metadata"]["name"] for d in yaml.safe_load_all(done.out)] == [
        "header-append",
        "other",
    ]
    by_flag = cli("migrate", "servicemeshextension", "-f", "export")
    assert by_flag.out == done.out


BAD_INPUT = [
    ("a: [1", 3, "f.yaml:1:4"),
    ("a:\n\tb: 1", 3, "f.yaml:2:1: a tab"),
    ("a: 1\na: 2", 3, "f.yaml:2:1: duplicate key 'a'"),
    ("a: *x", 3, "f.yaml:1:4: found undefined alias"),
    ("a: &x [*x]", 3, "f.yaml:1:4: an anchor whose value contains itself"),
    ("kind: Pod", 3, "no ServiceMeshExtension in it (but Pod)"),
    ("", 3, "no ServiceMeshExtension in it"),
    ("just text", 3, "no ServiceMeshExtension in it"),
    ("kind: ServiceMeshExtension\napiVersion: maistra.io/v1\nmetadata: {name: a}\n", 3, "f.yaml:1 spec"),
    (extension("quay.io/a/b:v1", more="  phase: Late\n"), 3, "f.yaml:11 spec.phase"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "said"), BAD_INPUT)
def test_bad_input_gets_file_line_and_reason(
    text: str, code: int, said: str, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "f.yaml").write_text(text)
    done = cli("migrate", "servicemeshextension", "f.yaml")
    assert done.code == code
    assert said in done.err
    assert "Traceback" not in done.err
    assert not done.out


USAGE: list[tuple[list[str], int, str]] = [
    (["--pin"], 2, "--pin needs --images"),
    (["--report", "x.txt"], 2, "ends in .md or .json"),
    (["--target", "envoy-1.40"], 2, "WasmPlugin is read by Istio"),
    (["--images", "Not/Valid"], 2, "invalid repository"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), USAGE)
def test_wrong_usage(arguments: list[str], code: int, said: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text(extension("quay.io/a/b:v1"))
    done = cli("migrate", "servicemeshextension", "f.yaml", *arguments)
    assert done.code == code, done.err
    assert said in done.err


def test_fields_of_a_release(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text(extension("quay.io/a/b:v1"))
    arguments = ["migrate", "servicemeshextension", "f.yaml", "--inbound-only", "--target"]
    assert cli(*arguments, "ossm-2.4").code == 0
    refused = cli(*arguments, "ossm-2.3")
    assert refused.code == 3
    assert "WPL003" in refused.err


def test_the_published_form(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text(extension("quay.io/maistra-dev/header-append-filter:2.2"))
    done = cli("migrate", "servicemeshextension", "f.yaml", "--as-published")
    assert done.code == 0
    spec = yaml.safe_load(done.out)["spec"]
    assert set(spec) == {"selector", "url", "phase", "pluginConfig"}
    assert "#" not in done.out


def test_standard_input_by_default(cli: Cli) -> None:
    done = cli("migrate", "servicemeshextension", stdin=extension("quay.io/a/b:v1").encode())
    assert done.code == 0
    assert "<stdin>:" in done.err


def test_what_lies_at_a_new_place_is_not_overwritten(
    open_registry: RunningRegistry, cli: Cli, tmp_path: Path
) -> None:
    host = open_registry.host
    first = pushed(f"{host}/x/same:v1", [(i.GZ, old_image())], tmp_path / "1")
    second = pushed(f"{host}/y/same:v1", [(i.GZ, old_image(wat()))], tmp_path / "2")
    (tmp_path / "a.yaml").write_text(extension(first))
    (tmp_path / "b.yaml").write_text(extension(second))
    arguments = ["migrate", "servicemeshextension", "--images", f"{host}/kept", "--pin"]
    done = cli(*arguments, "a.yaml")
    assert done.code == 0, done.err
    refused = cli(*arguments, "b.yaml")
    assert refused.code == 3
    assert f"is there already, made of {first}" in " ".join(refused.err.split())
    assert cli(*arguments, "a.yaml").out == done.out
    assert cli(*arguments, "b.yaml", "--force").code == 0
    moved = pushed(f"{host}/y/same:v1", [(i.GZ, old_image())], tmp_path / "3")
    (tmp_path / "b.yaml").write_text(extension(moved))
    assert cli(*arguments, "b.yaml").code == 0, "the same image, moved on"


def test_two_that_would_become_one(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(extension("quay.io/a/b:v1"))
    (tmp_path / "b.yaml").write_text(extension("quay.io/a/c:v1"))
    done = cli("migrate", "servicemeshextension", "a.yaml", "b.yaml")
    assert done.code == 3
    assert "SME017 b.yaml:4 metadata.name" in done.err
    assert "a.yaml:1" in done.err
    assert done.out.count("kind: WasmPlugin") == 1
    twice = cli("migrate", "servicemeshextension", "a.yaml", "a.yaml")
    assert (twice.code, twice.out.count("kind: WasmPlugin")) == (3, 1)
    (tmp_path / "new.yaml").write_text(done.out)
    beside = cli("migrate", "servicemeshextension", "new.yaml", "b.yaml")
    assert beside.code == 3
    assert "a WasmPlugin of these files" in beside.err


def test_lists_of_one_kind_and_lists_of_lists(cli: Cli) -> None:
    value = yaml.safe_load(extension("quay.io/a/b:v1"))
    bare = {key: item for key, item in value.items() if key in {"metadata", "spec"}}
    typed = {"apiVersion": "maistra.io/v1", "kind": "ServiceMeshExtensionList", "items": [bare]}
    nested = {"apiVersion": "v1", "kind": "List", "items": [typed]}
    done = cli("migrate", "servicemeshextension", stdin=yaml.safe_dump(nested).encode())
    assert done.code == 0, done.err
    assert yaml.safe_load(done.out)["kind"] == "WasmPlugin"


@pytest.mark.parametrize("char", ["\x9b", "\x7f", "\u202e"], ids=ascii)
def test_what_is_around_the_resources_steers_no_terminal(
    char: str, cli: Cli, tmp_path: Path
) -> None:
    value = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": f"{char}31m"}}
    (tmp_path / "a.json").write_text(json.dumps(value, ensure_ascii=False))
    (tmp_path / "b.yaml").write_text(extension("quay.io/a/b:v1"))
    done = cli("migrate", "servicemeshextension", "a.json", "b.yaml")
    assert done.code == 0, done.err
    assert char not in done.out
    assert next(yaml.safe_load_all(done.out)) == value


def test_one_long_name_does_not_widen_the_whole_table(cli: Cli) -> None:
    names = ["x" * 10_000, *(f"a{number}" for number in range(100))]
    items = [{"metadata": {"name": name}} for name in names]
    listed = {"kind": "ServiceMeshExtensionList", "apiVersion": "maistra.io/v1", "items": items}
    done = cli("migrate", "servicemeshextension", stdin=json.dumps(listed).encode())
    assert done.code == 3
    assert "REFUSED" in done.err.upper()
    assert len(done.err) < 20 * len(names[0])


def test_a_directory_is_not_left_by_a_link(cli: Cli, tmp_path: Path) -> None:
    """The credentials that one leads to became part of the output."""
    folder = tmp_path / "k8s"
    folder.mkdir()
    (tmp_path / "config.json").write_text('{"auths": {"quay.io": {"auth": "c2VjcmV0"}}}')
    (folder / "a.yaml").write_text(extension("quay.io/a/b:v1"))
    (folder / "b.yaml").symlink_to("a.yaml")
    inside = cli("migrate", "servicemeshextension", "k8s")
    assert inside.code == 3, "two of one name, the link being followed"
    (folder / "z.json").symlink_to("../config.json")
    for command in (["migrate", "servicemeshextension"], ["validate", "wasmplugin"]):
        done = cli(*command, "k8s")
        assert (done.code, done.out) == (2, "")
        assert "z.json: a link out of this directory" in done.err
        assert "c2VjcmV0" not in done.err
    (tmp_path / "linked").symlink_to("k8s")
    (folder / "z.json").unlink()
    (folder / "b.yaml").unlink()
    assert cli("migrate", "servicemeshextension", "linked").code == 0


def test_a_report_that_cannot_be_written_is_noticed_first(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(extension("quay.io/a/b:v1"))
    done = cli("migrate", "servicemeshextension", "a.yaml", "--report", "no/such/r.md")
    assert done.code == 4
    assert not done.out


def test_advice_for_the_release(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(extension("quay.io/a/b:v1"))
    on_the_old = cli("migrate", "servicemeshextension", "a.yaml", "--target", "ossm-2.2")
    assert on_the_old.code == 0
    assert "SME011" not in on_the_old.err, "there plugins see inbound traffic only anyway"
    assert "SME011" in cli("migrate", "servicemeshextension", "a.yaml").err
