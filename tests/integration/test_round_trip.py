"""Each real plugin, in each variant, through a real registry and back, and into a real Envoy."""

import json
from pathlib import Path

import pytest
from conftest import Cli
from support.plugins import CONFIGURATION, module_bytes
from support.registries import RunningRegistry

from wasmpack.envoy import EnvoyRefused, Plugin, running_proxy

pytestmark = pytest.mark.envoy

EXPECTED = {"first-header": "some-value", "another-header": "another-value"}


@pytest.mark.parametrize("variant", ["oci", "compat", "docker"])
def test_build_push_inspect_pull_extract(
    plugin: Path, variant: str, open_registry: RunningRegistry, cli: Cli, tmp_path: Path
) -> None:
    name = f"{open_registry.host}/trip/{plugin.stem}-{variant}:v1"
    built = cli("build", plugin, "-t", name, "--variant", variant, "--no-git")
    assert built.code == 0, built.err
    reference = built.out.strip()
    assert reference.startswith(f"{name}@sha256:")
    digest = reference.partition("@")[2]

    pushed = cli("push", name, "--format", "json")
    assert pushed.code == 0, pushed.err
    assert json.loads(pushed.out)["digest"] == digest
    assert {blob["status"] for blob in json.loads(pushed.out)["pushed"]} == {"uploaded"}

    seen = json.loads(cli("inspect", "image", "--remote", name, "--format", "json").out)
    assert (seen["digest"], seen["variant"], seen["source"]) == (digest, variant, "registry")
    assert seen["module"]["abiVersion"] == "0.2.1"

    removed = cli("remove", name)
    assert removed.code == 0, removed.err
    pulled = cli("pull", name)
    assert pulled.out.strip() == reference, pulled.err
    extracted = cli("extract", name, "-o", tmp_path / "out")
    assert extracted.code == 0, extracted.err
    assert (tmp_path / "out" / "plugin.wasm").read_bytes() == module_bytes(plugin)
    config = json.loads((tmp_path / "out" / "runtime-config.json").read_bytes())
    assert config == {"abiVersions": ["v0.2.1"], "type": "envoy_proxy"}

    again = cli("build", plugin, "-t", name, "--variant", variant, "--no-git")
    assert again.out.strip() == reference, "a rebuilt image has the same digest"
    second = json.loads(cli("push", name, "--format", "json").out)
    assert {blob["status"] for blob in second["pushed"]} == {"exists"}, "nothing is sent again"


@pytest.mark.parametrize("variant", ["oci", "compat", "docker"])
def test_plugin_from_the_registry_works_in_envoy(
    plugin: Path, variant: str, open_registry: RunningRegistry, cli: Cli, tmp_path: Path
) -> None:
    name = f"{open_registry.host}/envoy/{plugin.stem}-{variant}:v1"
    assert cli("build", plugin, "-t", name, "--variant", variant, "--push").code == 0
    assert cli("extract", f"docker://{name}", "-o", tmp_path / "out").code == 0
    module = tmp_path / "out" / "plugin.wasm"
    wat = plugin.suffix == ".wat"
    configured = Plugin(module=module, configuration="some text" if wat else CONFIGURATION)
    with running_proxy([configured]) as proxy:
        found = proxy.get("/hello")
    expected = {"x-wat": "some text"} if wat else EXPECTED
    assert found.status == 200
    assert {key: found.header(key) for key in expected} == expected


def test_x_wat_says_hello_without_configuration(cli: Cli, tmp_path: Path) -> None:
    from support.plugins import PLUGINS

    (tmp_path / "plugin.wasm").write_bytes(module_bytes(PLUGINS / "x-wat.wat"))
    with running_proxy([Plugin(module=tmp_path / "plugin.wasm")]) as proxy:
        assert proxy.get().header("x-wat") == "hello"


@pytest.mark.parametrize("language", ["c", "as", "go"])
def test_envoy_and_the_dry_run_refuse_the_same_configuration(
    language: str, go_plugin: Path, cli: Cli, tmp_path: Path
) -> None:
    module = go_plugin.with_name(f"header-append-{language}.wasm")
    (tmp_path / "config").write_text("not json")
    judged = cli("validate", "module", module, "--plugin-config", tmp_path / "config",
                 "--target", "envoy-1.40", "--format", "json")  # fmt: skip
    assert judged.code == 3
    (finding,) = json.loads(judged.out)["findings"]
    assert (finding["code"], finding["severity"]) == ("RUN005", "error")
    with (
        pytest.raises(EnvoyRefused, match="Failed to configure base Wasm plugin"),
        running_proxy([Plugin(module=module, configuration="not json")]) as proxy,
    ):
        proxy.port()


def test_a_module_envoy_refuses_is_refused_here_in_its_words(cli: Cli, tmp_path: Path) -> None:
    from support.plugins import wat

    path = tmp_path / "bad.wasm"
    path.write_bytes(wat(imports='(import "env" "proxy_foo" (func))'))
    judged = cli("validate", "module", path, "--target", "envoy-1.40")
    assert judged.code == 3
    words = "Failed to load Wasm module due to a missing import: env.proxy_foo"
    assert words in " ".join(judged.out.split())
    with pytest.raises(EnvoyRefused, match=words), running_proxy([Plugin(module=path)]) as proxy:
        proxy.port()
