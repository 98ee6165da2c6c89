"""A directory of resources, mirrored for a cluster that reaches one registry only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from conftest import Cli
from support.images import image_of, put_by_hand, stands_whole
from support.registries import RunningRegistry
from support.registries.client import call

from wasmpack.images.variants import BuiltImage
from wasmpack.stores.ports import attached_tags

ONE, TWO = image_of(1, 5_000), image_of(2, 5_000)
PLUGIN = """\
# keeps the order
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {{name: {name}, namespace: mesh}}
spec:
  url: {url}  # why
  pluginConfig: {{a: 1}}
"""
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"


def signed(registry: RunningRegistry, repository: str, image: BuiltImage) -> str:
    """A tag as cosign writes it."""
    tag = attached_tags(image.manifest.digest)[0]
    kind = {"Content-Type": image.manifest.media_type}
    path = f"{repository}/manifests/{tag}"
    raw = image.manifest.raw + b"\n"
    assert call("PUT", registry, path, data=raw, headers=kind).status_code == 201
    return tag


@pytest.fixture
def source(open_registry: RunningRegistry, request: pytest.FixtureRequest) -> str:
    repository = f"mirror/{request.node.name.replace('[', '-').strip(']')}"
    for name, image in {"one": ONE, "two": TWO}.items():
        put_by_hand(open_registry, f"{repository}/{name}", image)
    return repository


@pytest.fixture
def files(open_registry: RunningRegistry, source: str, tmp_path: Path) -> Path:
    folder = tmp_path / "plugins"
    folder.mkdir()
    host = f"oci://{open_registry.host}/{source}"
    texts = [PLUGIN.format(name=name, url=f"{host}/{name}:v1") for name in ("one", "two")]
    (folder / "one.yaml").write_text(f"{texts[0]}---\n{SECRET}")
    (folder / "two.yaml").write_text(texts[1])
    return folder


def url(registry: RunningRegistry, path: str, image: BuiltImage) -> str:
    return f"oci://{registry.host}/{path}:v1@{image.manifest.digest}"


def test_a_directory_is_mirrored(
    open_registry: RunningRegistry, source: str, files: Path, cli: Cli, tmp_path: Path
) -> None:
    tag = signed(open_registry, f"{source}/one", ONE)
    prefix = f"{source}/new"
    arguments = ("mirror", files, f"{open_registry.host}/{prefix}")
    done = cli(*arguments, "--report", "report.json")
    assert done.code == 0, done.err
    one, secret, two = yaml.safe_load_all(done.out)
    assert one["spec"]["url"] == url(open_registry, f"{prefix}/one", ONE)
    assert two["spec"]["url"] == url(open_registry, f"{prefix}/two", TWO)
    assert (one["spec"]["pluginConfig"], secret["kind"]) == ({"a": 1}, "Secret")
    assert done.out.startswith("# keeps the order")
    assert "# why" in done.out
    for name, image in {"one": ONE, "two": TWO}.items():
        assert stands_whole(open_registry, f"{prefix}/{name}", "v1", image)
    assert cli("digest", f"{open_registry.host}/{prefix}/one:{tag}").code == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert [row["status"] for row in report["images"]] == ["copied", "copied"]
    assert [row["status"] for row in report["resources"]] == ["mirrored", "mirrored"]
    again = cli(*arguments, "--report", "report.md")
    assert again.out == done.out
    assert "| exists |" in (tmp_path / "report.md").read_text()


def test_names_without_digests(
    open_registry: RunningRegistry, source: str, files: Path, cli: Cli
) -> None:
    prefix = f"{open_registry.host}/{source}/new"
    done = cli("mirror", files / "two.yaml", prefix, "--no-pin", "--no-referrers")
    assert yaml.safe_load(done.out)["spec"]["url"] == f"oci://{prefix}/two:v1"


def test_what_is_not_an_image_is_named(
    open_registry: RunningRegistry, source: str, files: Path, cli: Cli
) -> None:
    (files / "three.yaml").write_text(PLUGIN.format(name="three", url="https://example.com/x.wasm"))
    done = cli("mirror", files, f"{open_registry.host}/{source}/new")
    assert done.code == 0
    assert "three.yaml:2: names no image of a registry, left as it is" in done.err


def test_an_image_that_fails_leaves_its_resource_out(
    open_registry: RunningRegistry, source: str, files: Path, cli: Cli
) -> None:
    text = (files / "one.yaml").read_text().replace("/one:v1", "/absent:v1")
    (files / "one.yaml").write_text(text)
    done = cli("mirror", files, f"{open_registry.host}/{source}/new")
    assert done.code == 4
    assert [d["metadata"]["name"] for d in yaml.safe_load_all(done.out)] == ["s", "two"]
    assert "WasmPlugin mesh/one is left out" in done.err
    assert "/absent" in done.err


def test_images_are_mirrored(open_registry: RunningRegistry, source: str, cli: Cli) -> None:
    names = [f"{open_registry.host}/{source}/{name}:v1" for name in ("one", "two")]
    prefix = f"{open_registry.host}/{source}/new"
    done = cli("mirror", *names, f"{prefix}/")
    assert (done.code, done.out.splitlines()) == (
        0,
        [f"{prefix}/one:v1@{ONE.manifest.digest}", f"{prefix}/two:v1@{TWO.manifest.digest}"],
    ), done.err


def test_a_tag_of_another_set(
    open_registry: RunningRegistry, source: str, cli: Cli, tmp_path: Path
) -> None:
    put_by_hand(open_registry, f"{source}/other/one", TWO)
    here, prefix = f"{open_registry.host}/{source}", f"{open_registry.host}/{source}/new"
    first = cli("mirror", f"{here}/one:v1", prefix)
    again = cli("mirror", f"{here}/one:v1", prefix)
    assert "warning" not in first.err + again.err
    done = cli("mirror", f"{here}/other/one:v1", prefix, "--report", "report.json")
    assert done.code == 0
    warning = f"warning: {prefix}/one:v1: named {ONE.manifest.digest} before, which is replaced"
    assert done.err.count(warning) == 1
    (row,) = json.loads((tmp_path / "report.json").read_text())["images"]
    assert (row["replaced"], row["digest"]) == (str(ONE.manifest.digest), str(TWO.manifest.digest))
    together = cli("mirror", f"{here}/one:v1", f"{here}/other/one:v1", f"{prefix}/both")
    host = open_registry.host.replace(":", "-")
    assert [line.partition("@")[0] for line in together.out.splitlines()] == [
        f"{prefix}/both/{host}/{source}/{name}:v1" for name in ("one", "other/one")
    ]


WRONG = {
    "files and images": (["x.yaml", "q.io/x:v1", "r.io/p"], 2, "some of these are files"),
    "no prefix": (["x.yaml"], 2, "missing argument"),
    "no file": (["absent.yaml", "r.io/p"], 4, "absent.yaml"),
    "no image": (["secret.yaml", "r.io/p"], 3, "no image in it"),
    "not a registry": (["plugin.yaml", "http://r.io/p"], 2, "http://r.io/p"),
    "another report": (["plugin.yaml", "r.io/p", "--report", "x.txt"], 2, ".md or .json"),
}


@pytest.mark.parametrize(("arguments", "code", "message"), WRONG.values(), ids=WRONG)
def test_wrong_usage(
    arguments: list[str], code: int, message: str, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "secret.yaml").write_text(SECRET)
    (tmp_path / "plugin.yaml").write_text(PLUGIN.format(name="p", url="oci://q.io/x:v1"))
    done = cli("mirror", *arguments)
    assert (done.code, message in done.err) == (code, True), done.err
