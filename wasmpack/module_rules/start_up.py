"""What a dry run means for a proxy of a given release."""

from collections.abc import Iterator, Mapping

from wasmpack.dry_run.result import Cause, DryRun, Outcome, Step
from wasmpack.findings import Problem, Severity
from wasmpack.processes import Bound
from wasmpack.proxy_abi import abi

_WORDS = {
    "instantiate": "'Failed to create new Wasm instance'",
    "proxy_on_vm_start": "'Failed to start base Wasm'",
    "proxy_on_configure": "'Failed to configure base Wasm plugin'",
}
EXPORT_MEMORY = 'export the memory, for example (export "memory" (memory 0))'
_CRASH_CODES: Mapping[Cause | None, str] = {Cause.MEMORY: "MEM002"}
_CRASH_REASONS: Mapping[Cause | None, str] = {
    Cause.MEMORY: ", which uses memory, but the proxy sees none",
    Cause.ALLOCATOR: ", for whose result the module's allocator gives no memory",
    Cause.SERVICE: " for an upstream that names no service",
    Cause.TRAP: " and traps after it",
    Cause.STREAM: ", which has nothing to act on at this point of a request",
}
_CRASH_HINTS = {
    "STA001": "call it from an exported _initialize or _start instead "
    "(AssemblyScript: --exportStart _initialize)",
    "MEM002": EXPORT_MEMORY,
    "RUN008": "make the call in another callback, or with other arguments",
}
_NEEDS_CONFIGURATION = {"proxy_on_context_create", "proxy_on_configure"}
_BEYOND_US = {Outcome.LIMIT, Outcome.ENGINE, Outcome.UNKNOWN}
"""How a step ends that is not the module's own doing, or not within the bounds."""
_PREPARING = {"validate", "compile"}
"""Steps of the engine, before any code of the module runs."""
_MORE_TIME = "--dry-run-timeout SECONDS gives it more CPU time"
_BOUND_HINTS = {
    Bound.CPU: "look for an endless loop: a proxy hangs meanwhile; for work that is meant, "
    + _MORE_TIME,
    Bound.MEMORY: "let the plugin allocate less: each thread of each proxy would need so much",
    Bound.BLOCKED: "nothing ever wakes it: a proxy hangs here",
}
_CODES = {
    "proxy_on_context_create": "RUN004",
    "proxy_on_vm_start": "RUN003",
    "proxy_on_configure": "RUN005",
}


def start_up_problems(run: DryRun, host: abi.HostDate, *, configured: bool) -> Iterator[Problem]:
    """Findings of a start-up on a host of that date.

    :param configured: the user gave a plugin configuration: then its refusal is an error
    """
    for caller, name in run.start_calls:
        if not abi.start_up_allowed(name, host):
            yield _restricted(caller, name)
            return
    if run.failed:
        yield _failure(run.failed, run, configured=configured)
    elif run.request:
        yield _request_problem(run.request)


def _request_problem(step: Step) -> Problem:
    """Of the first request: a trap is the plugin's own affair."""
    if step.outcome is Outcome.CRASH:
        return _crash(step, at_request=True)
    if step.outcome in _BEYOND_US:
        return _not_finished(step, "with a plain GET request, ")
    return Problem(
        code="RUN010",
        severity=Severity.INFO,
        where=step.name,
        message=f"with a plain GET request, {step.name} traps: {_trap_reason(step)}",
        hint="the proxy answers such a request with 503",
    )


def _restricted(caller: str, name: str) -> Problem:
    return Problem(
        code="RUN002",
        severity=Severity.ERROR,
        where=f"{caller}, call of {name}",
        message="the proxy forbids this call in _initialize, main and _start: "
        "'Uncaught Error: restricted_callback'",
        hint="call it from proxy_on_vm_start or later; global constructors run too early",
    )


def _failure(step: Step, run: DryRun, *, configured: bool) -> Problem:
    if step.outcome in _BEYOND_US:
        return _not_finished(step)
    if step.outcome is Outcome.CRASH:
        return _crash(step)
    softened = step.name in _NEEDS_CONFIGURATION and not configured
    said = f"; it logged: {run.log[-1][:200]!r}" if run.log else ""
    how = "returned 0" if step.outcome is Outcome.FALSE else f"trapped: {_trap_reason(step)}"
    words = _WORDS.get(step.name, f"'Function: {step.name} failed'")
    return Problem(
        code=_CODES.get(step.name, "RUN001"),
        severity=Severity.WARNING if softened else Severity.ERROR,
        where=step.name,
        message=f"{step.name} {how}: {words}{said}",
        hint=_hint(step, configured=configured),
    )


def _crash(step: Step, *, at_request: bool = False) -> Problem:
    """A call that ends the proxy."""
    why = _CRASH_REASONS.get(step.cause, "")
    when = " with the first request; validate mode does not see it" if at_request else ""
    code = "STA001" if step.name == "instantiate" else _CRASH_CODES.get(step.cause, "RUN008")
    where = "start section" if step.name == "instantiate" else step.name
    return Problem(
        code=code,
        severity=Severity.ERROR,
        where=where,
        message=f"{where} calls {step.call}{why}: this CRASHES THE WHOLE PROXY (signal 11){when}",
        hint=_CRASH_HINTS[code],
    )


def _trap_reason(step: Step) -> str:
    if step.cause is Cause.RESTRICTED:
        return f"the allocator calls {step.call}: restricted_callback"
    return step.reason


def _not_finished(step: Step, when: str = "") -> Problem:
    """What the dry run could not see the end of: only what our engine lacks leaves it open."""
    if step.outcome is Outcome.UNKNOWN:
        return Problem(
            code="RUN007",
            severity=Severity.WARNING,
            where=step.name,
            message=f"{when}the start-up cannot be tried here: {step.reason}",
            hint="what the module does from there on is not checked; ask a real Envoy: --envoy",
        )
    if step.outcome is Outcome.ENGINE:
        return Problem(
            code="RUN011",
            severity=Severity.ERROR,
            where=step.name,
            message=f"{when}the dry run's engine died in {step.name}: {step.reason}",
            hint="ask a real Envoy with --envoy; --no-dry-run judges without starting the module",
        )
    hint = _BOUND_HINTS[step.bound or Bound.CPU]
    if step.name in _PREPARING:
        hint = "make the module smaller (wasm-opt), or ask a real Envoy: --envoy"
        hint += f"; {_MORE_TIME}" if step.bound is Bound.CPU else ""
    return Problem(
        code="RUN006",
        severity=Severity.ERROR,
        where=step.name,
        message=f"{when}{step.name} was stopped by the dry run's bounds: {step.reason}",
        hint=hint,
    )


def _hint(step: Step, *, configured: bool) -> str:
    if step.name in _NEEDS_CONFIGURATION and not configured:
        return "many plugins need their configuration: try --plugin-config FILE"
    if step.name in _NEEDS_CONFIGURATION:
        return "compare the plugin's configuration with what it expects"
    return "the plugin's own code refuses here: its log and its configuration may say why"
