"""Findings of a dry run for a proxy of a given release."""

from collections.abc import Iterator, Mapping, Sequence

from wasmpack.dry_run.result import Cause, DryRun, Outcome, Served, Step
from wasmpack.dry_run.start_up import StartUp
from wasmpack.findings import Problem, Rule, Severity
from wasmpack.module_rules.memory import EXPORT_MEMORY, MEMORY_CRASH
from wasmpack.module_rules.missing_input import (
    GIVE,
    LAST_LINES,
    NEEDS_CONFIGURATION,
    WITHOUT,
    Missing,
    may_come,
    missing_input,
)
from wasmpack.module_rules.start_code import forbidden_call
from wasmpack.processes import Bound
from wasmpack.proxy_abi import abi

START_SECTION_CRASH = Rule(
    code="STA001",
    title="the start section calls a host function that needs a context or memory",
    cause="it **crashes the whole proxy**",
    consumer="every proxy",
    example='(import "env" "proxy_log"\n'
    "  (func $log (param i32 i32 i32) (result i32)))\n"
    "(func $s (drop (call $log (i32.const 2) (i32.const 0) (i32.const 1))))\n"
    "(start $s)",
    fix="use `_initialize` or `_start` (AssemblyScript: `--exportStart _initialize`)",
)
START_TRAPPED = Rule(
    code="RUN001",
    title="instantiation or start code trapped in the dry run",
    consumer="every proxy",
    example='(func (export "_start") unreachable)',
    fix="fix the cause that the message quotes",
)
VM_START_REFUSED = Rule(
    code="RUN003",
    title="`proxy_on_vm_start` returned 0 or trapped",
    otherwise="warning if it read environment variables, and neither `--env` nor a resource gives "
    "them",
    consumer="`Failed to start base Wasm`",
    example='(func (export "proxy_on_vm_start") (param i32 i32) (result i32)\n  (i32.const 0))',
    fix="see the plugin's log, which the message quotes",
)
CONTEXT_REFUSED = Rule(
    code="RUN004",
    title="root context creation trapped",
    severity=Severity.WARNING,
    otherwise="error with `--plugin-config`, or if the plugin's log rejects the given root id",
    consumer="every proxy",
    example='(func (export "proxy_on_context_create") (param i32 i32)\n  unreachable)',
    fix="set the configuration or root id it needs (`--plugin-config`, `--root-id`)",
)
CONFIGURATION_REFUSED = Rule(
    code="RUN005",
    title="`proxy_on_configure` returned 0 or trapped",
    severity=Severity.WARNING,
    otherwise="error with `--plugin-config`, or if the plugin's log rejects the given root id",
    consumer="`Failed to configure base Wasm plugin`",
    example='(func (export "proxy_on_configure") (param i32 i32) (result i32)\n  (i32.const 0))',
    fix="correct the configuration, or the root id if the plugin's log names it",
)
INPUT_REFUSED = (VM_START_REFUSED, CONTEXT_REFUSED, CONFIGURATION_REFUSED)
"""Warnings where the plugin may lack nothing but an input that was not given."""
BEYOND_BOUNDS = Rule(
    code="RUN006",
    title="a step, or compiling, exceeds the dry run's bounds",
    cause="CPU time (10 s for each run and 1 s a MiB; for compiling 10 s and 4.5 s a MiB), memory "
    "touched (1 GiB; for modules over 4.5 MiB 512 MiB and 112 a MiB), asleep for 10 s with "
    "nothing to wait for, 1,000,000 host calls, or a limit of wasmtime that V8 does not have "
    "(100 tables or memories, names of 100,000 bytes, 100,000 element segments, 10,000 handlers of "
    "a `try_table`)",
    consumer="a proxy would hang, or be very slow, or need as much in each of its threads",
    example='(func (export "_start") (loop $l (br $l)))',
    fix="look for an endless loop or wait; for intended work, `--dry-run-timeout SECONDS`",
)
UNTRIABLE = Rule(
    code="RUN007",
    title="the start-up cannot be tried here, since wasmtime lacks a feature it needs",
    severity=Severity.WARNING,
    cause="the message names it",
    consumer="none: the rest of the start-up is not checked",
    example="the start-up cannot be tried here: a table of eqref cannot be\nprovided",
    fix="try a real Envoy (`--envoy`)",
)
HOST_CALL_CRASH = Rule(
    code="RUN008",
    title="a host call that **crashes the whole proxy**",
    cause="`proxy_continue_response`, `proxy_close_stream` or `proxy_send_local_response` at a "
    "point of a request where there is nothing to act on, a trap after `proxy_close_stream`, a "
    "gRPC call to an upstream that names no service, a foreign function for whose result the "
    "module allocates no memory",
    consumer="observed with Envoy 1.36.2 and 1.40.0",
    example='(import "env" "proxy_close_stream"\n'
    "  (func $close (param i32) (result i32)))\n"
    '(func (export "proxy_on_log") (param i32)\n'
    "  (drop (call $close (i32.const 0))))",
    fix="make the call in another callback, or with other arguments",
)
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
ENGINE_DIED = Rule(
    code="RUN011",
    title="the module crashed the dry run's engine",
    consumer="not established",
    example="the dry run's engine died in compile: SIGSEGV",
    fix="try a real Envoy (`--envoy`)",
)

_CRASH_RULES: Mapping[Cause | None, Rule] = {Cause.MEMORY: MEMORY_CRASH}
_CRASH_REASONS: Mapping[Cause | None, str] = {
    Cause.MEMORY: ", which uses memory, but the proxy sees none",
    Cause.ALLOCATOR: ", for whose result the module's allocator gives no memory",
    Cause.SERVICE: " for an upstream that names no service",
    Cause.TRAP: " and traps after it",
    Cause.STREAM: ", which has nothing to act on at this point of a request",
}
_CRASH_HINTS = {
    START_SECTION_CRASH: "call it from an exported _initialize or _start instead "
    "(AssemblyScript: --exportStart _initialize)",
    MEMORY_CRASH: EXPORT_MEMORY,
    HOST_CALL_CRASH: "make the call in another callback, or with other arguments",
}
TICK, _FAILED = "proxy_on_tick", 503
_OPENING = "proxy_on_new_connection"  # held later, a connection may go on with more bytes
_HELD = {
    False: ("request", "the client waits until it gives up; continue the request, or answer it"),
    True: ("connection", "the proxy reads nothing, and connects to no upstream"),
}
_LINE = 200
"""Characters of each line of the plugin's log that is quoted."""
_BEYOND_US = {Outcome.LIMIT, Outcome.ENGINE, Outcome.UNKNOWN}
"""Outcomes beyond the bounds, or not caused by the module."""
_PREPARING = {"validate", "compile"}
"""Steps of the engine, before any code of the module runs."""
_MORE_TIME = "--dry-run-timeout SECONDS gives it more CPU time"
_BOUND_HINTS = {
    Bound.CPU: "look for an endless loop: a proxy hangs meanwhile; for intended work, "
    + _MORE_TIME,
    Bound.MEMORY: "let the plugin allocate less: each thread of each proxy would need as much",
    Bound.BLOCKED: "nothing ever wakes it: a proxy hangs here",
}
_REFUSALS = {
    "instantiate": (START_TRAPPED, "Failed to create new Wasm instance"),
    "proxy_on_vm_start": (VM_START_REFUSED, "Failed to start base Wasm"),
    "proxy_on_configure": (CONFIGURATION_REFUSED, "Failed to configure base Wasm plugin"),
    "proxy_on_context_create": (CONTEXT_REFUSED, "Function: proxy_on_context_create failed"),
}
"""The rule of a step that fails, and the proxy's message."""


def start_up_problems(
    run: DryRun, host: abi.HostDate, given: StartUp, sdk: str = "unknown"
) -> Iterator[Problem]:
    """Findings of a start-up on a host of that date.

    :param sdk: made the module; chooses hints
    """
    for caller, name in run.start_calls:
        if not abi.start_up_allowed(name, host):
            yield forbidden_call(caller, name, sdk)
            return
    if run.failed:
        yield _failure(run.failed, run, given)
    else:
        yield from _request_problems(run.served, given)


def _request_problems(served: Served, given: StartUp) -> Iterator[Problem]:
    """Findings of the first request: no response is an outage, if the plugin was configured."""
    severity = Severity.WARNING if given.configured else Severity.INFO
    when = "with a connection" if served.network else "with a plain GET request"
    logged = _logged(served.log)
    step = served.failed
    if step is not None and step.outcome is Outcome.CRASH:
        yield _crash(step, at_request=True)
    elif step is not None and step.outcome in _BEYOND_US:
        yield _not_finished(step, f"{when}, ")
    elif step is not None:
        yield REQUEST_TRAPPED.problem(
            step.name,
            f"{when}, {step.name} traps: {_trap_reason(step)}{logged}",
            _answered(step, served),
            severity=severity,
        )
    if served.held == _OPENING or (served.held and not served.network):
        what, hint = _HELD[served.network]
        message = f"{when}, {served.held} holds the {what}, and nothing continues it{logged}"
        yield REQUEST_HELD.problem(served.held, message, hint, severity=severity)


def _answered(step: Step, served: Served) -> str:
    """The responses of a proxy whose plugin has failed."""
    if served.network:
        return "the proxy closes this connection, and each one after it"
    later = "the proxy answers each request after it with 503"
    if step.name == TICK or (served.status is not None and served.status != _FAILED):
        return later
    return f"the client gets {served.status or 'a part of the response'}, and {later}"


def _failure(step: Step, run: DryRun, given: StartUp) -> Problem:
    if step.outcome in _BEYOND_US:
        return _not_finished(step)
    if step.outcome is Outcome.CRASH:
        return _crash(step)
    missing = missing_input(step, run, given)
    how = "returned 0" if step.outcome is Outcome.FALSE else f"trapped: {_trap_reason(step)}"
    rule, message = _REFUSALS.get(step.name, (START_TRAPPED, f"Function: {step.name} failed"))
    return rule.problem(
        step.name,
        f"{step.name} {how}{WITHOUT.get(missing, '')}: {message!r}{_logged(run.log)}",
        _hint(step, missing),
        severity=Severity.WARNING if may_come(missing, given) else Severity.ERROR,
    )


def _logged(log: Sequence[str]) -> str:
    """The last lines: the cause is often above the last one, which merely reports the end."""
    lines = [line[:_LINE] for line in log[-LAST_LINES:]]
    return f"; it logged: {', '.join(map(repr, lines))}" if lines else ""


def _crash(step: Step, *, at_request: bool = False) -> Problem:
    """A call that ends the proxy."""
    why = _CRASH_REASONS.get(step.cause, "")
    when = " with the first request; Envoy's validate mode does not see it" if at_request else ""
    rule, where = _CRASH_RULES.get(step.cause, HOST_CALL_CRASH), step.name
    if step.name == "instantiate":
        rule, where = START_SECTION_CRASH, "start section"
    return rule.problem(
        where,
        f"{where} calls {step.call}{why}: this CRASHES THE WHOLE PROXY (signal 11){when}",
        _CRASH_HINTS[rule],
    )


def _trap_reason(step: Step) -> str:
    if step.cause is Cause.RESTRICTED:
        return f"the allocator calls {step.call}: restricted_callback"
    return step.reason


def _not_finished(step: Step, when: str = "") -> Problem:
    """An unfinished dry run: only features that our engine lacks leave the verdict open."""
    if step.outcome is Outcome.UNKNOWN:
        return UNTRIABLE.problem(
            step.name,
            f"{when}the start-up cannot be tried here: {step.reason}",
            "the rest of the start-up is not checked; try a real Envoy: --envoy",
        )
    if step.outcome is Outcome.ENGINE:
        return ENGINE_DIED.problem(
            step.name,
            f"{when}the dry run's engine died in {step.name}: {step.reason}",
            "try a real Envoy: --envoy; --no-dry-run validates without starting the module",
        )
    hint = _BOUND_HINTS[step.bound or Bound.CPU]
    if step.name in _PREPARING:
        hint = "make the module smaller (wasm-opt), or try a real Envoy: --envoy"
        hint += f"; {_MORE_TIME}" if step.bound is Bound.CPU else ""
    return BEYOND_BOUNDS.problem(
        step.name,
        f"{when}{step.name} was stopped by the dry run's bounds: {step.reason}",
        hint,
    )


def _hint(step: Step, missing: Missing | None) -> str:
    if missing is not None:
        return GIVE[missing]
    if step.name in NEEDS_CONFIGURATION:
        return "compare the plugin's configuration with what it expects"
    return "the plugin's own code refuses here: see its log and its configuration"
