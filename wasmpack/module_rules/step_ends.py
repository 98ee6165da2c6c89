"""How a step of a dry run ends, in words; and the rules of ends that any step can have."""

from collections.abc import Mapping, Sequence

from wasmpack.dry_run.result import Cause, Outcome, Step
from wasmpack.findings import Problem, Rule, Severity
from wasmpack.module_rules.memory import EXPORT_MEMORY, MEMORY_CRASH
from wasmpack.module_rules.missing_input import LAST_LINES
from wasmpack.processes import Bound

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
_LINE = 200
"""Characters of each line of the plugin's log that is quoted."""
BEYOND_US = {Outcome.LIMIT, Outcome.ENGINE, Outcome.UNKNOWN}
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


def crash(step: Step, *, at_request: bool = False) -> Problem:
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


def not_finished(step: Step, when: str = "") -> Problem:
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


def trap_reason(step: Step) -> str:
    """Why a step trapped."""
    if step.cause is Cause.RESTRICTED:
        return f"the allocator calls {step.call}: restricted_callback"
    return step.reason


def logged(log: Sequence[str]) -> str:
    """The last lines: the cause is often above the last one, which merely reports the end."""
    lines = [line[:_LINE] for line in log[-LAST_LINES:]]
    return f"; it logged: {', '.join(map(repr, lines))}" if lines else ""
