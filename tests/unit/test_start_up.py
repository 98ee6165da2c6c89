"""What a dry run's steps mean: structured on their way from the worker, text only in findings."""

from __future__ import annotations

import json
import re
from dataclasses import asdict

import pytest
from support.plugins import wat

from wasmpack.dry_run.result import Cause, DryRun, Outcome, RunRequest, Served, Step
from wasmpack.dry_run.runs import compiled_plugin, dry_runs
from wasmpack.dry_run.start_up import StartUp
from wasmpack.findings import Severity
from wasmpack.module_rules.start_up import start_up_problems
from wasmpack.processes import Bound
from wasmpack.proxy_abi.abi import NEWEST

pytestmark = pytest.mark.dependencies

CONFIGURED = StartUp(plugin_config=b"")
ODD = 'a: "b": trap, which names no service\n'
STEPS = [
    Step(name=ODD, outcome=outcome, reason=ODD, call=ODD, cause=cause, bound=bound)
    for outcome in Outcome
    for cause in (None, *Cause)
    for bound in (None, *Bound)
]
LOG = '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))'
CLOSE = '(import "env" "proxy_close_stream" (func $close (param i32) (result i32)))'
GRPC = f'(import "env" "proxy_grpc_stream" (func $grpc (param {"i32 " * 9}) (result i32)))'


def test_a_run_survives_the_way_out_of_the_worker() -> None:
    for step in STEPS:
        run = DryRun(
            failed=step,
            served=Served(failed=step, status=503, log=("y",), called=("auth",)),
            start_calls=(("a", "b"),),
            log=("x",),
        )
        assert DryRun.from_json(json.loads(json.dumps(asdict(run)))) == run
    assert DryRun.from_json(json.loads(json.dumps(asdict(DryRun())))) == DryRun()


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (Cause.MEMORY, "calls f, which uses memory, but the proxy sees none: this"),
        (Cause.CONTEXT, "calls f: this CRASHES"),
        (Cause.ALLOCATOR, "calls f, for whose result the module's allocator gives"),
        (Cause.SERVICE, "calls f for an upstream that names no service: this"),
        (Cause.STREAM, "calls f, which has nothing to act on at this point"),
        (Cause.TRAP, "calls f and traps after it: this CRASHES"),
    ],
)
def test_a_crash_names_the_call_and_its_cause(cause: Cause, words: str) -> None:
    step = Step(name="proxy_on_log", outcome=Outcome.CRASH, call="f", cause=cause)
    for run in (DryRun(failed=step), DryRun(served=Served(failed=step))):
        (problem,) = start_up_problems(run, NEWEST, CONFIGURED)
        assert problem.message.startswith(f"proxy_on_log {words}")


def callback(name: str, body: str) -> str:
    """With a result that lets the request go on."""
    params = {"proxy_on_vm_start": 2, "proxy_on_request_headers": 3}[name]
    return (
        f'(func (export "{name}") (param {"i32 " * params}) (result i32) {body} '
        f"(i32.const {3 - params}))"
    )


@pytest.mark.parametrize(
    ("text", "imports", "step"),
    [
        ("(func $s (drop (call $log (i32.const 2) (i32.const 0) (i32.const 0)))) (start $s)", LOG,
         Step(name="instantiate", outcome=Outcome.CRASH, call="proxy_log", cause=Cause.CONTEXT)),
        (callback("proxy_on_vm_start", "(drop (call $grpc" + " (i32.const 0)" * 9 + "))"), GRPC,
         Step(name="proxy_on_vm_start", outcome=Outcome.CRASH, call="proxy_grpc_stream",
              cause=Cause.SERVICE)),
        (callback("proxy_on_request_headers", "(drop (call $close (i32.const 0))) (unreachable)"),
         CLOSE, Step(name="proxy_on_request_headers", outcome=Outcome.CRASH, cause=Cause.TRAP,
                     call="proxy_close_stream", reason="wasm `unreachable` instruction executed")),
        ('(func (export "_start") (unreachable))', "",
         Step(name="_start", outcome=Outcome.TRAP,
              reason="wasm `unreachable` instruction executed")),
    ],
    ids=["no context", "no service", "trap after the end", "trap"],
)  # fmt: skip
def test_a_step_tells_what_ended_it(text: str, imports: str, step: Step) -> None:
    request = RunRequest(abi_version="0.2.1")
    (run,) = dry_runs(compiled_plugin(wat(text, imports)), [request], 10.0)
    assert (run.failed or run.served.failed) == step


ENVIRONMENT = """(import "wasi_snapshot_preview1" "environ_sizes_get"
  (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))"""
COUNT = "(drop (call $sizes (i32.const 16) (i32.const 20)))"
VM_START = '(func (export "proxy_on_vm_start") (param i32 i32) (result i32) {})'
ASKS = VM_START.format(f"{COUNT} (i32.load (i32.const 16))")
"""Refuses where there are no variables."""
LOGS = """(func (export "_initialize") {count}
  (drop (call $log (i32.const 2) (i32.const 1024) (i32.const 60))))
  (data (i32.const 1024) "{text}")"""
NAMED = LOGS.format(count=COUNT, text="panic: environment variable TRUST_DOMAIN is not set")
UNNAMED = LOGS.format(count=COUNT, text="panic: no configuration")
NEVER_READ = LOGS.format(count="", text="panic: environment variable TRUST_DOMAIN is not set")
REFUSES = VM_START.format("(i32.const 0)")
ONE = (("TRUST_DOMAIN", "cluster.local"),)


@pytest.mark.parametrize(
    ("text", "given", "severity"),
    [
        pytest.param(ASKS, StartUp(), "warning", id="asks, and none were given"),
        pytest.param(ASKS, StartUp(env=ONE), None, id="asks, and gets it"),
        pytest.param(
            ASKS, StartUp(host_env=("TRUST_DOMAIN",)), "warning", id="depends on the proxy"
        ),
        pytest.param(REFUSES, StartUp(), "error", id="does not ask"),
        pytest.param(NAMED + REFUSES, StartUp(), "warning", id="start code asks, the log names it"),
        pytest.param(NAMED + REFUSES, StartUp(env=ONE), "error", id="refuses with variables too"),
        pytest.param(UNNAMED + REFUSES, StartUp(), "error", id="start code asks for all programs"),
        pytest.param(NEVER_READ + REFUSES, StartUp(), "error", id="a log that names any variable"),
    ],
)
def test_a_plugin_that_needs_variables(text: str, given: StartUp, severity: str | None) -> None:
    """Only the call that asks for the environment can fail for want of it."""
    request = RunRequest(abi_version="0.2.1", start_up=given)
    (run,) = dry_runs(compiled_plugin(wat(text, LOG + ENVIRONMENT)), [request], 10.0)
    found = list(start_up_problems(run, NEWEST, given))
    assert [problem.severity.value for problem in found] == ([severity] if severity else [])
    if severity == "warning":
        assert re.search("--env (NAME|TRUST_DOMAIN)=VALUE", str(found[0].hint))


def test_variables_are_handed_over_as_c_has_them() -> None:
    """Their number and size, then pointers and texts."""
    text = VM_START.format(
        f"""{COUNT} (drop (call $environ (i32.const 32) (i32.const 2048)))
        (i32.and (i32.eq (i32.load (i32.const 16)) (i32.const 2))
          (i32.and (i32.eq (i32.load (i32.const 20)) (i32.const 9))
            (i32.and (i32.eq (i32.load (i32.load (i32.const 32))) (i32.const 0x00623d61))
              (i32.eq (i32.load (i32.load (i32.const 36))) (i32.const 0x65643d63)))))"""
    )
    given = StartUp(env=(("a", "b"), ("c", "de")))
    request = RunRequest(abi_version="0.2.1", start_up=given)
    (run,) = dry_runs(compiled_plugin(wat(text, ENVIRONMENT)), [request], 10.0)
    assert run.failed is None


def test_the_last_lines_of_the_log_are_quoted() -> None:
    """The cause often stands above the line that merely says how it ended."""
    step = Step(name="proxy_on_vm_start", outcome=Outcome.TRAP, reason="unreachable")
    run = DryRun(failed=step, log=("one", "panic: no table", "stack trace", "exit"))
    (problem,) = start_up_problems(run, NEWEST, CONFIGURED)
    assert problem.message.endswith("it logged: 'panic: no table', 'stack trace', 'exit'")


def test_an_allocator_that_makes_a_forbidden_call_traps() -> None:
    """A trap that is told by its cause, not by the engine's text."""
    step = Step(name="proxy_on_configure", outcome=Outcome.TRAP, call="f", cause=Cause.RESTRICTED)
    (problem,) = start_up_problems(DryRun(failed=step), NEWEST, CONFIGURED)
    assert "trapped: the allocator calls f: restricted_callback" in problem.message
    (problem,) = start_up_problems(DryRun(served=Served(failed=step)), NEWEST, CONFIGURED)
    assert "traps: the allocator calls f: restricted_callback" in problem.message


NO_CONTEXT = "no context factory for root_id 'x'"


@pytest.mark.parametrize(
    ("log", "given", "severity", "hint"),
    [
        (NO_CONTEXT, StartUp(), Severity.WARNING, "--root-id"),
        (NO_CONTEXT, StartUp(root_id="x"), Severity.ERROR, "spec.pluginName"),
        (NO_CONTEXT, CONFIGURED, Severity.ERROR, "--root-id"),
        ("Root context not found", StartUp(), Severity.WARNING, "--root-id"),
        ("root context: invalid configuration", StartUp(), Severity.WARNING, "--plugin-config"),
        ("root context 1 created", StartUp(), Severity.WARNING, "--plugin-config"),
        ("", CONFIGURED, Severity.ERROR, "compare the plugin's configuration"),
    ],
)
@pytest.mark.parametrize("name", ["proxy_on_context_create", "proxy_on_configure"])
def test_a_wrong_root_id_is_not_blamed_on_the_configuration(
    name: str, log: str, given: StartUp, severity: Severity, hint: str
) -> None:
    step = Step(name=name, outcome=Outcome.TRAP, reason="unreachable")
    (found,) = start_up_problems(DryRun(failed=step, log=(log, "abort")), NEWEST, given)
    assert (found.severity, hint in str(found.hint)) == (severity, True)
    assert ("no plugin configuration was given" in found.message) == (
        "config" in hint and not given.configured
    )
