"""What the first request of a dry run means, or the first connection."""

from __future__ import annotations

import pytest
from support.plugins import wat

from wasmpack.dry_run.result import DryRun, Outcome, RunRequest, Served, Step
from wasmpack.dry_run.runs import compiled_plugin, dry_runs
from wasmpack.dry_run.start_up import StartUp
from wasmpack.module_rules.start_up import start_up_problems
from wasmpack.proxy_abi.abi import NEWEST

pytestmark = pytest.mark.dependencies

CONFIGURED = StartUp(plugin_config=b"")
TICK = '(import "env" "proxy_set_tick_period_milliseconds" (func $tick (param i32) (result i32)))'
TRAP = Step(name="proxy_on_log", outcome=Outcome.TRAP, reason="unreachable")
STAND_IN = "wasmpack test answers its calls (services in docs/testing.md)"
GOOD = "the proxy answers each request after it with 503"


@pytest.mark.parametrize(
    ("served", "code", "hint"),
    [
        pytest.param(Served(failed=TRAP, status=200), "RUN010", GOOD, id="after the answer"),
        pytest.param(
            Served(failed=TRAP, status=503), "RUN010", f"the client gets 503, and {GOOD}",
            id="before the answer",
        ),
        pytest.param(
            Served(failed=TRAP), "RUN010", f"the client gets a part of the response, and {GOOD}",
            id="in the body",
        ),
        pytest.param(
            Served(failed=TRAP, network=True), "RUN010",
            "the proxy closes this connection, and each one after it", id="in a connection",
        ),
        pytest.param(
            Served(held="proxy_on_request_headers"), "RUN013",
            "the client waits until it gives up; continue the request, or answer it", id="held",
        ),
        pytest.param(
            Served(failed=TRAP, status=503, called=("auth",)), "RUN010",
            f"the client gets 503, and {GOOD}; {STAND_IN}", id="after a call",
        ),
        pytest.param(
            Served(held="proxy_on_new_connection", network=True), "RUN013",
            "return Continue: before that the proxy reads and connects nothing",
            id="a connection held",
        ),
    ],
)  # fmt: skip
def test_a_request_without_a_good_answer(served: Served, code: str, hint: str) -> None:
    """An outage where the plugin was configured; else it may want its configuration."""
    for given, severity in ((CONFIGURED, "warning"), (StartUp(), "info")):
        (problem,) = start_up_problems(DryRun(served=served), NEWEST, given)
        assert (problem.code, problem.severity.value) == (code, severity)
        assert str(problem.hint) == hint


CALL = """(import "env" "proxy_{call}" (func $call (param {params}) (result i32)))"""
CALLING = """(data (i32.const 16) "{service}")
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (if (call $call (i32.const 16) (i32.const {size}) {rest}) (then (unreachable)))
    (i32.const 1))"""


@pytest.mark.parametrize(
    ("call", "arguments", "service", "size"),
    [
        ("http_call", 10, "auth", 4),
        ("grpc_call", 12, r"\0a\06\0a\04auth", 8),
        ("grpc_stream", 9, r"\0a\06\0a\04auth", 8),
        ("grpc_call", 12, "auth", 4),
    ],
)
def test_services_that_it_called(call: str, arguments: int, service: str, size: int) -> None:
    """A mesh may have them; the dry run does not."""
    rest = " ".join(["(i32.const 0)"] * (arguments - 3))
    body = CALLING.format(service=service, size=size, rest=f"{rest} (i32.const 2048)")
    imports = CALL.format(call=call, params="i32 " * arguments)
    (run,) = dry_runs(compiled_plugin(wat(body, imports)), [RunRequest(abi_version="0.2.1")], 10.0)
    assert run.served.called == ("auth",)
    (problem,) = start_up_problems(run, NEWEST, CONFIGURED)
    assert "; it had called 'auth', which the dry run does not have" in problem.message


@pytest.mark.parametrize("network", [False, True])
def test_a_proxy_that_goes_on_without_the_plugin(network: bool) -> None:
    served = Served(failed=TRAP, status=None if network else 503, network=network)
    given = StartUp(plugin_config=b"", fail_open=True)
    (problem,) = start_up_problems(DryRun(served=served), NEWEST, given)
    assert "goes on without the plugin" in str(problem.hint)
    assert "each request after it with 503" not in str(problem.hint)


def test_a_connection_that_waits_for_more_bytes() -> None:
    served = Served(held="proxy_on_downstream_data", network=True)
    assert list(start_up_problems(DryRun(served=served), NEWEST, CONFIGURED)) == []


def test_a_timer_that_traps() -> None:
    """It ticks once, after the request."""
    tick = """(func (export "proxy_on_tick") (param i32) (unreachable))"""
    start = """(func (export "proxy_on_vm_start") (param i32 i32) (result i32)
      (drop (call $tick (i32.const 1000))) (i32.const 1))"""
    plugin = compiled_plugin(wat(tick + start, TICK))
    (run,) = dry_runs(plugin, [RunRequest(abi_version="0.2.1")], 10.0)
    assert (run.served.status, run.served.failed and run.served.failed.name) == (
        200, "proxy_on_tick"
    )  # fmt: skip
    (problem,) = start_up_problems(run, NEWEST, CONFIGURED)
    assert str(problem.hint) == GOOD
