"""What a dry run means for a proxy of a given release."""

from collections.abc import Iterator

from wasmpack.findings import Problem, Severity
from wasmpack.module import abi
from wasmpack.module.run_result import DryRun, Outcome, Step

_WORDS = {
    "instantiate": "'Failed to create new Wasm instance'",
    "proxy_on_vm_start": "'Failed to start base Wasm'",
    "proxy_on_configure": "'Failed to configure base Wasm plugin'",
}
EXPORT_MEMORY = 'export the memory, for example (export "memory" (memory 0))'
_CRASH_CODES = {"memory": "MEM002"}
_CRASH_REASONS = {
    "memory": ", which uses memory, but the proxy sees none",
    "allocator": ", for whose result the module's allocator gives no memory",
    "service": " for an upstream that names no service",
    "trap": " and traps after it",
    "stream": ", which has nothing to act on at this point of a request",
}
_CRASH_HINTS = {
    "STA001": "call it from an exported _initialize or _start instead "
    "(AssemblyScript: --exportStart _initialize)",
    "MEM002": EXPORT_MEMORY,
    "RUN008": "make the call in another callback, or with other arguments",
}
_NEEDS_CONFIGURATION = {"proxy_on_context_create", "proxy_on_configure"}
_CODES = {
    "proxy_on_context_create": "RUN004",
    "proxy_on_vm_start": "RUN003",
    "proxy_on_configure": "RUN005",
}


def start_up_problems(run: DryRun, host: str, *, configured: bool) -> Iterator[Problem]:
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
    """Of the first request: only a crash is the proxy's affair, the rest is the plugin's."""
    if step.outcome is Outcome.CRASH:
        return _crash(step, at_request=True)
    ended = step.outcome is Outcome.TRAP
    how = "traps" if ended else "does not end within the dry run's bounds"
    return Problem(
        code="RUN010",
        severity=Severity.INFO if ended else Severity.WARNING,
        where=step.name,
        message=f"with a plain GET request, {step.name} {how}: {step.reason}",
        hint="the proxy answers such a request with 503"
        if ended
        else "look for an endless loop: the proxy's thread hangs with it",
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
    if step.outcome is Outcome.UNKNOWN:
        return _not_tried(step)
    if step.outcome is Outcome.CRASH:
        return _crash(step)
    softened = step.name in _NEEDS_CONFIGURATION and not configured
    said = f"; it logged: {run.log[-1][:200]!r}" if run.log else ""
    how = {
        Outcome.FALSE: "returned 0",
        Outcome.TRAP: f"trapped: {step.reason}",
        Outcome.LIMIT: f"did not end within the dry run's bounds: {step.reason}",
    }[step.outcome]
    words = _WORDS.get(step.name, f"'Function: {step.name} failed'")
    quoted = "" if step.outcome is Outcome.LIMIT else f": {words}"
    return Problem(
        code="RUN006" if step.outcome is Outcome.LIMIT else _CODES.get(step.name, "RUN001"),
        severity=Severity.WARNING if softened else Severity.ERROR,
        where=step.name,
        message=f"{step.name} {how}{quoted}{said}",
        hint=_hint(step, configured=configured),
    )


def _crash(step: Step, *, at_request: bool = False) -> Problem:
    """A call that ends the proxy; ``step.reason`` is ``host function: cause``."""
    name, _, cause = step.reason.partition(": ")
    when = " with the first request; validate mode does not see it" if at_request else ""
    code = "STA001" if step.name == "instantiate" else _CRASH_CODES.get(cause, "RUN008")
    where = "start section" if step.name == "instantiate" else step.name
    return Problem(
        code=code,
        severity=Severity.ERROR,
        where=where,
        message=f"{where} calls {name}{_CRASH_REASONS.get(cause, '')}: this CRASHES THE WHOLE "
        f"PROXY (signal 11){when}",
        hint=_CRASH_HINTS[code],
    )


def _not_tried(step: Step) -> Problem:
    return Problem(
        code="RUN007",
        severity=Severity.WARNING,
        where=step.name,
        message=f"the start-up could not be tried here: {step.reason}",
        hint="what the module does from there on is not checked",
    )


def _hint(step: Step, *, configured: bool) -> str:
    if step.name in _NEEDS_CONFIGURATION and not configured:
        return "many plugins need their configuration: try --plugin-config FILE"
    if step.name in _NEEDS_CONFIGURATION:
        return "compare the plugin's configuration with what it expects"
    if step.outcome is Outcome.LIMIT:
        return "look for an endless loop or much work at start-up: a proxy hangs meanwhile"
    return "the plugin's own code refuses here: its log and its configuration may say why"
