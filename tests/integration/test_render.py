"""``render wasmplugin`` writes what the mesh will take, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from conftest import Cli, Done
from support.plugins import PLUGINS, wat

C = PLUGINS / "header-append-c.wasm"
CONFIG = '{"first-header": "a", "another-header": "b"}'
MISSING = wat(imports='(import "env" "proxy_no_such" (func))')


@pytest.fixture
def good(cli: Cli) -> str:
    """An image of the local store whose module wants its configuration."""
    assert cli("build", C, "-t", "quay.io/me/good:v1").code == 0
    return "quay.io/me/good:v1"


def render(cli: Cli, *arguments: str | Path) -> Done:
    return cli("render", "wasmplugin", *arguments)


def test_a_module_that_no_mesh_loads_is_not_rendered(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "x.wasm").write_bytes(MISSING)
    assert cli("build", "x.wasm", "-t", "quay.io/me/bad:v1", "--no-validate").code == 0
    done = render(cli, "quay.io/me/bad:v1")
    assert (done.code, done.out) == (3, "")
    assert "ABI002" in done.err
    assert "hint: --no-validate writes it anyway" in done.err
    written = render(cli, "quay.io/me/bad:v1", "--no-validate")
    assert written.code == 0
    assert yaml.safe_load(written.out)["spec"]["url"] == "oci://quay.io/me/bad:v1"


@pytest.mark.parametrize("kind", ["WasmPlugin", "TrafficExtension", "EnvoyFilter"])
def test_a_configuration_that_the_plugin_refuses_is_not_rendered(
    kind: str, good: str, cli: Cli
) -> None:
    refused = render(cli, good, "--kind", kind, "--plugin-config", "a: 1")
    assert (refused.code, refused.out) == (3, "")
    assert "RUN005" in refused.err
    taken = render(cli, good, "--kind", kind, "--plugin-config", CONFIG)
    assert taken.code == 0, taken.err
    assert "RUN005" not in taken.err


def test_for_a_gateway_too(good: str, cli: Cli) -> None:
    to = ["--kind", "EnvoyExtensionPolicy", "--target-ref", "Gateway/g"]
    refused = render(cli, good, *to, "--plugin-config", "a: 1")
    assert (refused.code, refused.out) == (3, "")
    assert render(cli, good, *to, "--plugin-config", CONFIG).code == 0


def test_the_targets_asked_for_decide(cli: Cli, tmp_path: Path) -> None:
    """What some releases refuse is a warning, unless it is for one of them."""
    newer = wat(
        imports='(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))',
        body='(func (export "x") (result i32) (i32.const 0))',
    )
    (tmp_path / "x.wasm").write_bytes(newer)
    assert cli("build", "x.wasm", "-t", "quay.io/me/newer:v1").code == 0
    some = render(cli, "quay.io/me/newer:v1")
    assert some.code == 0, some.err
    assert "warning ABI002" in some.err
    assert "only: ossm-2.6" in some.err
    old = render(cli, "quay.io/me/newer:v1", "--target", "OSSM-3.0")
    assert (old.code, old.out) == (3, "")
    assert render(cli, "quay.io/me/newer:v1", "--target", "istio-1.31.3").code == 0


def test_into_a_file(good: str, cli: Cli, tmp_path: Path) -> None:
    done = render(cli, good, "--plugin-config", CONFIG, "-o", "plugin.yaml")
    assert (done.code, done.out) == (0, "")
    written = (tmp_path / "plugin.yaml").read_text()
    assert written == render(cli, good, "--plugin-config", CONFIG).out
    (tmp_path / "plugin.yaml").write_text("before")
    refused = render(cli, good, "--plugin-config", "a: 1", "-o", "plugin.yaml")
    assert refused.code == 3
    assert (tmp_path / "plugin.yaml").read_text() == "before"


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (["-o", "yaml"], 2, "did you mean --format yaml?"),
        (["-o", "json"], 2, "did you mean --format json?"),
        (["-o", "no/such/directory/x.yaml"], 2, ""),
    ],
)
def test_wrong_outputs(arguments: list[str], code: int, hint: str, good: str, cli: Cli) -> None:
    done = render(cli, good, "--plugin-config", CONFIG, *arguments)
    assert (done.code, done.out) == (code, "")
    assert hint in done.err


@pytest.mark.parametrize("name", ["filter.wasm", "./filter.wat"])
def test_a_module_is_not_an_image(name: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(C.read_bytes())
    done = render(cli, name)
    assert (done.code, done.out) == (2, "")
    assert f"hint: wasmpack build {name} -t REGISTRY/NAME:TAG --push" in done.err


@pytest.mark.parametrize(
    ("arguments", "labels"),
    [
        (["-l", "a=b,c=d"], {"a": "b", "c": "d"}),
        (["-l", "a=b", "-l", "c=d, e=f"], {"a": "b", "c": "d", "e": "f"}),
        (["-l", "a==b"], {"a": "b"}),
        (["-l", "a="], {"a": ""}),
        (["-l", "app.kubernetes.io/name=x"], {"app.kubernetes.io/name": "x"}),
    ],
)
def test_labels_as_kubectl_takes_them(
    arguments: list[str], labels: dict[str, str], cli: Cli
) -> None:
    done = render(cli, "quay.io/me/x:v1", "--no-image", *arguments)
    assert done.code == 0, done.err
    assert yaml.safe_load(done.out)["spec"]["selector"] == {"matchLabels": labels}


@pytest.mark.parametrize("text", ["a=b,", "a!=b", "a in (b)", "!a", "a", "=b", "a=b,a=c"])
def test_labels_that_a_resource_cannot_say(text: str, cli: Cli) -> None:
    done = render(cli, "quay.io/me/x:v1", "--no-image", "-l", text)
    assert (done.code, done.out) == (2, "")
    assert "--selector" in done.err


@pytest.mark.parametrize(
    "text",
    ["app=my web", "app=-x", "app=x/y", "my app=x", "a/b/c=x", "UP.example/x=y", "x" * 64 + "=y",
     "app=ä", "/x=y", "x/=y"],
)  # fmt: skip
def test_labels_that_no_pod_can_carry(text: str, cli: Cli, tmp_path: Path) -> None:
    done = render(cli, "quay.io/me/x:v1", "--no-image", "-l", text)
    assert (done.code, done.out) == (3, "")
    assert "no pod can carry" in " ".join(done.err.split())
    written = render(cli, "quay.io/me/x:v1", "--no-image", "-l", text, "--no-validate")
    (tmp_path / "p.yaml").write_text(written.out)
    judged = cli("validate", "wasmplugin", "p.yaml", "--no-image")
    assert judged.code == 3
    assert "WPL021" in judged.out


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("Service/s", {"group": "", "kind": "Service", "name": "s"}),
        ("service/s", {"group": "", "kind": "Service", "name": "s"}),
        ("ServiceEntry/s", {"group": "networking.istio.io", "kind": "ServiceEntry", "name": "s"}),
        ("gateway/g", {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "g"}),
    ],
)
def test_targets_with_their_groups(text: str, ref: dict[str, str], cli: Cli) -> None:
    done = render(
        cli, "quay.io/me/x:v1", "--no-image", "--target-ref", text, "--target", "istio-1.24"
    )
    assert done.code == 0, done.err
    assert yaml.safe_load(done.out)["spec"]["targetRefs"] == [ref]


@pytest.mark.parametrize(
    ("kind", "target", "code"),
    [
        ("Gateway", "istio-1.22", 0),
        ("Service", "istio-1.22", 0),
        ("ServiceEntry", "istio-1.23", 3),
        ("ServiceEntry", "istio-1.24", 0),
        ("GatewayClass", "istio-1.24", 3),
        ("GatewayClass", "istio-1.25", 0),
        ("GatewayClass", "ossm-3.0", 3),
        ("GatewayClass", "ossm-3.1", 0),
    ],
)
def test_what_a_release_can_be_attached_to(kind: str, target: str, code: int, cli: Cli) -> None:
    done = render(
        cli, "quay.io/me/x:v1", "--no-image", "--target-ref", f"{kind}/x", "--target", target
    )
    assert done.code == code, done.err
    assert bool(done.out) is (code == 0)


@pytest.mark.parametrize(
    ("target", "code"), [("istio-1.22", 0), ("istio-1.23", 3), ("ossm-3.0", 3), ("istio-1.25", 0)]
)
def test_a_service_without_its_group(target: str, code: int, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: x}\nspec:\n"
        "  url: oci://quay.io/me/x:v1\n  targetRefs: [{kind: Service, name: s}]\n"
    )
    done = cli("validate", "wasmplugin", "p.yaml", "--no-image", "--target", target)
    assert done.code == code, done.out
    assert ("no such key: group" in done.out) is (code == 3)
