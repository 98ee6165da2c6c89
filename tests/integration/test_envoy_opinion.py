"""Our verdict and the real Envoy's, on a module for every rule and on the real plugins."""

import json
from pathlib import Path

import pytest
from conftest import Cli
from support.hosts import envoy_of
from support.limit_modules import LIMITS
from support.module_rules import RULES
from support.plugins import PLUGINS, module_bytes, wat

from wasmpack.dry_run.start_up import StartUp
from wasmpack.envoy import Ended, ask_envoy, envoy_version, find_envoy
from wasmpack.findings import Severity
from wasmpack.module_rules.check import examine, module_problems
from wasmpack.proxy_abi.module import PluginModule

pytestmark = pytest.mark.envoy

NEWEST = "2026-07-01"
CRASHES = (["STA001"], ["ABI009"], ["ABI011"], ["MEM002"], ["RUN008"])
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
    assert verdict.accepts == (not refused(data)), verdict
    assert verdict.crashed == (refused(data)[:1] in CRASHES), verdict


def test_real_plugins(plugin: Path) -> None:
    data = module_bytes(plugin)
    assert refused(data) == []
    verdict = ask_envoy(data)
    assert verdict.accepts
    assert verdict.ended == Ended(status=200)


@pytest.mark.parametrize(
    ("name", "code", "exit_code"),
    [
        ("good", "ENV003", 0),
        ("restricted call", "ENV003", 3),
        ("memory nobody sees, used by a request", "ENV003", 3),
        ("101 tables", "ENV002", 3),
    ],
)
def test_both_are_shown(name: str, code: str, exit_code: int, cli: Cli, tmp_path: Path) -> None:
    modules = {row[0]: row[1] for row in RULES} | {"101 tables": LIMITS["tables"].make(101)}
    (tmp_path / "x.wasm").write_bytes(modules[name])
    done = cli("validate", "module", "x.wasm", "--envoy", "--target", "envoy-1.40",
               "--format", "json")  # fmt: skip
    assert done.code == exit_code, done.err
    value = json.loads(done.out)
    (said,) = [f for f in value["findings"] if f["code"].startswith("ENV")]
    assert said["code"] == code
    assert said["where"] == f"Envoy {envoy_version(find_envoy())}"


ON_REQUEST = '(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) {})'
ON_CONNECTION = '(func (export "proxy_on_new_connection") (param i32) (result i32) {})'
LATER = """(global $stream (mut i32) (i32.const 0))
    (func (export "proxy_on_configure") (param i32 i32) (result i32)
      (drop (call $period (i32.const 100))) (i32.const 1))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (global.set $stream (local.get 0)) (i32.const 1))
    (func (export "proxy_on_tick") (param i32)
      (if (global.get $stream) (then
        (drop (call $choose (global.get $stream))) (drop (call $continue (i32.const 0)))
        (global.set $stream (i32.const 0)))))"""
TIMER = """(import "env" "proxy_set_tick_period_milliseconds"
      (func $period (param i32) (result i32)))
    (import "env" "proxy_set_effective_context" (func $choose (param i32) (result i32)))
    (import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))"""
REQUESTS = {
    "answered": (wat(), "ENV003", "accepts it too; a plain GET request is answered with 200, as in "
                                  "the dry run"),
    "trap": (wat(ON_REQUEST.format("unreachable")), "ENV003",
             "accepts it too; a plain GET request is answered with 503 (Function: "
             "proxy_on_request_headers failed: Uncaught RuntimeError: unreachable), as in the dry "
             "run"),
    "trap in the log": (wat('(func (export "proxy_on_log") (param i32) unreachable)'), "ENV003",
                        "answered with 200 (Function: proxy_on_log failed: "),
    "held": (wat(ON_REQUEST.format("(i32.const 1)")), "ENV003",
             "accepts it too; a plain GET request is held, as in the dry run"),
    "continued by a timer": (wat(LATER, TIMER), "ENV004",
                             "loads it too, but a plain GET request is answered with 200; in the "
                             "dry run it is held"),
    "connection": (wat(ON_CONNECTION.format("(i32.const 0)")), "ENV003",
                   "accepts it too; a connection gets its bytes back, as in the dry run"),
    "trap in a connection": (wat(ON_CONNECTION.format("unreachable")), "ENV003",
                             "a connection is closed early (Function: "),
    "held connection": (wat(ON_CONNECTION.format("(i32.const 1)")), "ENV003",
                        "accepts it too; a connection is held, as in the dry run"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "code", "words"), REQUESTS.values(), ids=REQUESTS)
def test_how_a_plain_request_ends_is_compared(
    data: bytes, code: str, words: str, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "x.wasm").write_bytes(data)
    done = cli("validate", "module", "x.wasm", "--envoy", "--format", "json")
    assert done.code == 0, done.out
    (said,) = [f for f in json.loads(done.out)["findings"] if f["code"].startswith("ENV")]
    assert said["code"] == code
    assert said["severity"] == ("warning" if code == "ENV004" else "info")
    assert words in said["message"]


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ([], "ENV003", "crashes with a first request too: "),
        (["--no-dry-run"], "ENV001", "crashes with a first request although no rule of ours does"),
    ],
    ids=["foreseen", "not tried"],
)
def test_a_crash_with_the_first_request(
    options: list[str], code: str, words: str, cli: Cli, tmp_path: Path
) -> None:
    data = next(row[1] for row in RULES if row[0] == "local response when all is over")
    (tmp_path / "x.wasm").write_bytes(data)
    done = cli("validate", "module", "x.wasm", "--envoy", "--target", "envoy-1.40",
               "--format", "json", *options)  # fmt: skip
    assert done.code == 3
    (said,) = [f for f in json.loads(done.out)["findings"] if f["code"].startswith("ENV")]
    assert said["code"] == code
    assert words in said["message"]


def test_a_request_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasmpack.envoy.process._REQUEST_CPU", 1.0)
    verdict = ask_envoy(wat(ON_REQUEST.format("(loop $l (br $l)) (i32.const 0)")))
    assert (verdict.accepts, verdict.crashed, verdict.at_request) == (False, False, True)
    assert "s of CPU time, more than the" in verdict.words[0]


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
