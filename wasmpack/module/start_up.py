"""What a dry run means for a proxy of a given release."""

from collections.abc import Iterator

from wasmpack.findings import Problem, Severity
from wasmpack.module import abi
from wasmpack.module.run_result import DryRun, Outcome, Step

_MAIN_VOID_SINCE = "2026-03-03"
"""Older hosts do not look ``__main_void`` up (proxy-wasm-cpp-host e55d150)."""
_WORDS = {
    "instantiate": "'Failed to create new Wasm instance'",
    "proxy_on_vm_start": "'Failed to start base Wasm'",
    "proxy_on_configure": "'Failed to configure base Wasm plugin'",
}
EXPORT_MEMORY = 'export the memory, for example (export "memory" (memory 0))'
SEEN_AT_LOAD = {"_initialize", "main", "__main_void", "_start", "proxy_on_vm_start",
                "proxy_on_configure"}  # fmt: skip
"""Calls that validate mode makes too."""
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
        if _looked_up(caller, host) and not abi.start_up_allowed(name, host):
            yield _restricted(name)
            return
    if run.failed and _looked_up(run.failed.name, host):
        yield _failure(run.failed, run, configured=configured)


def _looked_up(function: str, host: str) -> bool:
    return function != "__main_void" or host >= _MAIN_VOID_SINCE


def _restricted(name: str) -> Problem:
    return Problem(
        code="RUN002",
        severity=Severity.ERROR,
        where=f"start-up code, call of {name}",
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
    return Problem(
        code="RUN006" if step.outcome is Outcome.LIMIT else _CODES.get(step.name, "RUN001"),
        severity=Severity.WARNING if softened else Severity.ERROR,
        where=step.name,
        message=f"{step.name} {how}: {words}{said}",
        hint=_hint(step, configured=configured),
    )


def _crash(step: Step) -> Problem:
    if step.name == "instantiate":
        return Problem(
            code="STA001",
            severity=Severity.ERROR,
            where="start section",
            message=f"the start section calls {step.reason}: this CRASHES THE WHOLE PROXY "
            "(signal 11) while it loads the module",
            hint="call it from an exported _initialize or _start instead "
            "(AssemblyScript: --exportStart _initialize)",
        )
    if step.reason.startswith("proxy_grpc"):
        return Problem(
            code="RUN008",
            severity=Severity.ERROR,
            where=step.name,
            message=f"{step.reason} is called with an upstream that names no service: this "
            "CRASHES THE WHOLE PROXY (observed with Envoy 1.40.0)",
            hint="give the name of a cluster, or a GrpcService with envoy_grpc or google_grpc",
        )
    return Problem(
        code="MEM002",
        severity=Severity.ERROR,
        where=step.name,
        message=f"{step.name} calls {step.reason}, which uses memory, but the proxy sees none: "
        "this CRASHES THE WHOLE PROXY (signal 11)"
        + ("" if step.name in SEEN_AT_LOAD else ", with the first request"),
        hint=EXPORT_MEMORY,
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
    return "the proxy would refuse the plugin here; run it with the reason above in mind"
