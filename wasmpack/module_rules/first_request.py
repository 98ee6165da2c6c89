"""Findings of the first request of a dry run, or of the first connection."""

from collections.abc import Iterator

from wasmpack.dry_run.result import Outcome, Served, Step
from wasmpack.dry_run.start_up import StartUp
from wasmpack.findings import Problem, Rule, Severity
from wasmpack.module_rules.step_ends import BEYOND_US, crash, logged, not_finished, trap_reason
from wasmpack.redaction import shown

REQUEST_TRAPPED = Rule(
    code="RUN010",
    title="with a plain GET request a callback traps",
    severity=Severity.INFO,
    otherwise="warning with `--plugin-config`",
    cause="the plugin's VM has then failed",
    consumer="a proxy answers this request with 503 unless its response headers are sent, and each "
    "one after it",
    example='(func (export "proxy_on_request_headers") (param i32 i32 i32)\n'
    "  (result i32) unreachable)",
    fix="fix the cause that the message quotes",
)
REQUEST_HELD = Rule(
    code="RUN013",
    title="a plain GET request or a new connection is held forever",
    severity=Severity.INFO,
    otherwise="warning with `--plugin-config`",
    cause="a callback pauses it, and nothing continues it; a plugin that waits for the answer of "
    "another service, which the dry run does not have, may do so on purpose",
    consumer="the client gives up; `tcp_proxy` reads nothing before it is connected (tcp_proxy.cc)",
    example='(func (export "proxy_on_request_headers") (param i32 i32 i32)\n'
    "  (result i32) (i32.const 1))",
    fix="continue the request, or answer it",
)
TICK, _FAILED = "proxy_on_tick", 503
_EACH_AFTER = ", and each one after it"
_LINE = 100
"""Characters of the name of a service."""
_OPENING = "proxy_on_new_connection"  # held later, a connection may go on with more bytes
_HELD = {
    False: ("request", "the client waits until it gives up; continue the request, or answer it"),
    True: ("connection", "return Continue: before that the proxy reads and connects nothing"),
}


def request_problems(served: Served, given: StartUp) -> Iterator[Problem]:
    """Findings of the first request: no response is an outage, if the plugin was configured."""
    severity = Severity.WARNING if given.configured else Severity.INFO
    when = "with a connection" if served.network else "with a plain GET request"
    seen = f"{_called(served)}{logged(served.log)}"
    step = served.failed
    if step is not None and step.outcome is Outcome.CRASH:
        yield crash(step, at_request=True)
    elif step is not None and step.outcome in BEYOND_US:
        yield not_finished(step, f"{when}, ")
    elif step is not None:
        yield REQUEST_TRAPPED.problem(
            step.name,
            f"{when}, {step.name} traps: {trap_reason(step)}{seen}",
            _answered(step, served, given) + _stand_in(served),
            severity=severity,
        )
    if served.held == _OPENING or (served.held and not served.network):
        what, hint = _HELD[served.network]
        message = f"{when}, {served.held} holds the {what}, and nothing continues it{seen}"
        hint += _stand_in(served)
        yield REQUEST_HELD.problem(served.held, message, hint, severity=severity)


def _answered(step: Step, served: Served, given: StartUp) -> str:
    """The responses of a proxy whose plugin has failed."""
    if served.network:
        later = "; FAIL_OPEN: each one after it goes on without the plugin"
        return f"the proxy closes this connection{later if given.fail_open else _EACH_AFTER}"
    later = "the proxy answers each request after it with 503"
    if given.fail_open:
        later = "each request after it goes on without the plugin (FAIL_OPEN)"
    if step.name == TICK or (served.status is not None and served.status != _FAILED):
        return later
    return f"the client gets {served.status or 'a part of the response'}, and {later}"


def _called(served: Served) -> str:
    """The services without which it ended so; a mesh may have them."""
    names = ", ".join(repr(shown(name, _LINE)) for name in served.called)
    return f"; it had called {names}, which the dry run does not have" if names else ""


def _stand_in(served: Served) -> str:
    return (
        "; wasmpack test answers its calls (services in docs/testing.md)" if served.called else ""
    )
