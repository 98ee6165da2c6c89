"""Our verdict and the real Envoy's, on a module for every rule and on the real plugins."""

import json
from pathlib import Path

import pytest
from conftest import Cli
from support.hosts import envoy_of
from support.module_rules import RULES
from support.plugins import PLUGINS, module_bytes, wat

from wasmpack.dry_run.start_up import StartUp
from wasmpack.envoy import ask_envoy, envoy_version, find_envoy
from wasmpack.findings import Severity
from wasmpack.module_rules.check import examine, module_problems
from wasmpack.proxy_abi.module import PluginModule

pytestmark = pytest.mark.envoy

NEWEST = "2026-07-01"
NOT_SEEN = {"memory nobody sees, used by a request", "local response when all is over"}
"""What loading does not show; the rule is right."""
CRASHES = (["STA001"], ["ABI009"], ["ABI011"])
ENDLESS = {"start never ends"}


def refused(data: bytes) -> list[str]:
    facts = examine(PluginModule(data), StartUp(plugin_config=b""))
    return [
        p.code for p in module_problems(facts, envoy_of(NEWEST)) if p.severity is Severity.ERROR
    ]


@pytest.mark.parametrize("name", [row[0] for row in RULES if row[0] not in ENDLESS])
def test_a_module_for_every_rule(name: str) -> None:
    data = next(row[1] for row in RULES if row[0] == name)
    verdict = ask_envoy(data, StartUp(plugin_config=b""))
    if name in NOT_SEEN:
        assert verdict.accepts, "loading shows it now: drop the exception"
    else:
        assert verdict.accepts == (not refused(data)), verdict
        assert verdict.crashed == (refused(data)[:1] in CRASHES), verdict


def test_real_plugins(plugin: Path) -> None:
    data = module_bytes(plugin)
    assert refused(data) == []
    assert ask_envoy(data).accepts


@pytest.mark.parametrize(
    ("name", "code", "exit_code"),
    [
        ("good", "ENV003", 0),
        ("restricted call", "ENV003", 3),
        ("memory nobody sees, used by a request", "ENV002", 3),
    ],
)
def test_both_are_shown(name: str, code: str, exit_code: int, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "x.wasm").write_bytes(next(row[1] for row in RULES if row[0] == name))
    done = cli("validate", "module", "x.wasm", "--envoy", "--target", "envoy-1.40",
               "--format", "json")  # fmt: skip
    assert done.code == exit_code, done.err
    value = json.loads(done.out)
    (said,) = [f for f in value["findings"] if f["code"].startswith("ENV")]
    assert said["code"] == code
    assert said["where"] == f"Envoy {envoy_version(find_envoy())}"


def test_images_too(cli: Cli) -> None:
    cli("build", PLUGINS / "header-append-c.wasm", "-t", "app:v1")
    done = cli("validate", "image", "app:v1", "--envoy", "--format", "json")
    assert done.code == 0
    assert [f["code"] for f in json.loads(done.out)["findings"]] == ["ENV003"]


def test_without_an_envoy(cli: Cli) -> None:
    done = cli("validate", "module", PLUGINS / "header-append-c.wasm", "--envoy",
               env={"WASMPACK_ENVOY_PATH": "/no/such/envoy"})  # fmt: skip
    assert done.code == 4
    assert "no such file" in done.err


def test_naming_a_binary_asks_nothing_by_itself(cli: Cli) -> None:
    """The variable of the binary is not the variable of the option ``--envoy``."""
    plugin = PLUGINS / "header-append-c.wasm"
    named = {"WASMPACK_ENVOY_PATH": str(find_envoy())}
    assert "ENV003" not in cli("validate", "module", plugin, env=named).out
    assert "ENV003" in cli("validate", "module", plugin, env={"WASMPACK_ENVOY": "1"}).out


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "(drop (memory.grow (i32.const 16383))) (memory.fill (i32.const 0) (i32.const 1) "
            "(i32.const 1073741824))",
            "MiB of memory, more than the 1088 MiB allowed",
        ),
        ("(loop $l (br $l))", "s of CPU time, more than the"),
    ],
    ids=["memory", "loop"],
)
def test_envoy_has_the_bounds_of_the_dry_run(
    body: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wasmpack.dry_run.budget._RUNNING", 1.0)
    monkeypatch.setattr("wasmpack.dry_run.budget._COMPILING", 4.0)
    monkeypatch.setattr("wasmpack.envoy.process._ENVOY", 64 << 20)
    verdict = ask_envoy(wat(f'(func (export "_start") {body})'))
    assert (verdict.accepts, verdict.crashed) == (False, False)
    assert words in verdict.words[-1]
    assert len(verdict.words) == 1
