"""Findings of a dry run for a proxy of a given release."""

from collections.abc import Iterator

from wasmpack.dry_run.result import DryRun, Outcome, Step
from wasmpack.dry_run.start_up import StartUp
from wasmpack.findings import Problem, Rule, Severity
from wasmpack.module_rules.first_request import request_problems
from wasmpack.module_rules.missing_input import (
    NEEDS_CONFIGURATION,
    WITHOUT,
    give,
    may_come,
    missing_input,
)
from wasmpack.module_rules.start_code import forbidden_call
from wasmpack.module_rules.step_ends import BEYOND_US, crash, logged, not_finished, trap_reason
from wasmpack.proxy_abi import abi

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
        yield from request_problems(run.served, given)


def _failure(step: Step, run: DryRun, given: StartUp) -> Problem:
    if step.outcome in BEYOND_US:
        return not_finished(step)
    if step.outcome is Outcome.CRASH:
        return crash(step)
    missing = missing_input(step, run, given)
    how = "returned 0" if step.outcome is Outcome.FALSE else f"trapped: {trap_reason(step)}"
    rule, message = _REFUSALS.get(step.name, (START_TRAPPED, f"Function: {step.name} failed"))
    return rule.problem(
        step.name,
        f"{step.name} {how}{WITHOUT.get(missing, '')}: {message!r}{logged(run.log)}",
        give(missing, given) if missing else _hint(step),
        severity=Severity.WARNING if may_come(missing, given) else Severity.ERROR,
    )


def _hint(step: Step) -> str:
    if step.name in NEEDS_CONFIGURATION:
        return "compare the plugin's configuration with what it expects"
    return "the plugin's own code refuses here: see its log and its configuration"
