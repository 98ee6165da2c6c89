"""Our verdict on modules, for comparison with a proxy of a known release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from support.hosts import envoy_of

from wasmpack.dry_run.budget import Budget
from wasmpack.dry_run.engine import validity
from wasmpack.dry_run.result import Outcome, RunRequest, Served
from wasmpack.dry_run.runs import compiled_plugin, dry_runs
from wasmpack.dry_run.sandbox import RunResult
from wasmpack.dry_run.start_up import StartUp
from wasmpack.findings import Problem, Severity
from wasmpack.module_rules.check import examine, module_problems
from wasmpack.proxy_abi.abi import HostDate
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.targets import Target, target


@dataclass(frozen=True)
class Ours:
    """What we say."""

    accepts: bool | None
    codes: tuple[str, ...]
    messages: tuple[str, ...]
    served: Served | None = None
    """What became of a first request; None if it was not tried to its end."""


class InThisProcess:
    """A runner without a process of its own: for thousands of small modules."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def feed(self, module: PluginModule, *, compiled: bool) -> None:
        """Nothing works beside this process."""

    def run(
        self, module: PluginModule, requests: Sequence[RunRequest], seconds: float | None = None
    ) -> RunResult:
        valid = validity(module.data)
        if valid.error or not requests:
            return RunResult((), valid)
        budget = Budget.of(module.size, seconds)
        return RunResult(
            tuple(dry_runs(compiled_plugin(module.data), requests, budget.running)), valid
        )


def envoy_target(version: str) -> Target:
    """The target of a binary's version."""
    return target("envoy-" + ".".join(version.split(".")[:2]))


def refuses(problem: Problem) -> bool:
    """Variables that were not given are none of Envoy's excuses."""
    return problem.severity is Severity.ERROR or problem.code == "RUN003"


def our_verdicts(batch: Sequence[bytes], configuration: bytes | None, host: HostDate) -> list[Ours]:
    """In order; a module that makes the code raise gets that as its code."""
    return [our_verdict(data, configuration, host) for data in batch]


def our_verdict(
    data: bytes, configuration: bytes | None, host: HostDate, root_id: str = ""
) -> Ours:
    """One module's."""
    try:
        start_up = StartUp(plugin_config=configuration, root_id=root_id)
        facts = examine(PluginModule(data), start_up, runner=InThisProcess)
        problems = module_problems(facts, envoy_of(host))
    except Exception as error:  # noqa: BLE001 - nothing may be raised: that is what is tested
        return Ours(None, (f"RAISED {type(error).__name__}",), (str(error),))
    errors = [problem for problem in problems if refuses(problem)]
    doubts = [problem for problem in problems if problem.severity is Severity.WARNING]
    shown = errors or doubts
    run = None if errors else facts.run_of(envoy_of(host))
    served = run.served if run and run.failed is None else None
    if served and served.failed and served.failed.outcome is not Outcome.TRAP:
        served = None
    return Ours(not errors, tuple(p.code for p in shown), tuple(p.message for p in shown), served)
