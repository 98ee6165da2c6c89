"""All findings of a module's bytes: examined once, validated for each host.

>>> from wasmpack.targets import target
>>> facts = examine(PluginModule(b"\\0asm\\1\\0\\0\\0"))
>>> [problem.code for problem in module_problems(facts, target("envoy-1.40"))]
['ABI001']
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

from wasmpack.dry_run.engine import Validity
from wasmpack.dry_run.result import DryRun, RunRequest
from wasmpack.dry_run.sandbox import RunResult, Sandbox
from wasmpack.dry_run.start_up import StartUp
from wasmpack.findings import Problem, Rule, Severity
from wasmpack.module_rules.legacy_exceptions import uses_legacy_exceptions
from wasmpack.module_rules.load import load_problems
from wasmpack.module_rules.memory import (
    EXPORT_MEMORY,
    MEMORY_CRASH,
    UNSEEN_MEMORY,
    memory_unseen,
)
from wasmpack.module_rules.plugin_type import is_network, type_problems
from wasmpack.module_rules.start_up import start_up_problems
from wasmpack.module_rules.validity import (
    WHOLE_FILE,
    beyond_limits,
    invalid,
    legacy_exceptions,
    malformed,
    newer_features,
)
from wasmpack.proxy_abi import abi
from wasmpack.proxy_abi.host_scan import HostScan
from wasmpack.proxy_abi.module import PluginModule, sdk_of
from wasmpack.targets import Target
from wasmpack.wasm.code import check_code
from wasmpack.wasm.cursor import MAGIC, MalformedModule
from wasmpack.wasm.types import Module

NOT_STARTED = Rule(
    code="RUN009",
    title="`--no-dry-run`: the start-up was not tried",
    severity=Severity.INFO,
    consumer="none",
    example="wasmpack validate module plugin.wasm --no-dry-run",
    fix="leave the option out",
)
VM_CONFIG_UNSEEN = Rule(
    code="RUN012",
    title="`--vm-config`: no resource of this consumer can set one, so it is ignored",
    severity=Severity.INFO,
    consumer="meshes: WasmPlugin and related resources have no field for it",
    example="wasmpack validate module plugin.wasm --vm-config vm.json",
    fix="use the plugin configuration, or an EnvoyFilter",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleFacts:
    """Facts of a module that hold for every target."""

    module: Module | None
    """The part that the engine sees; None if it cannot be read."""
    scan: HostScan
    """The host's scan before it compiles."""
    unreadable: Problem | None = None
    """The reason why no engine compiles it as a core module."""
    unchecked: bool = False
    """It uses instructions that V8 has and wasmtime has not."""
    newer: str | None = None
    """A feature that older engines may lack, as wasmtime names it."""
    runs: tuple[tuple[RunRequest, DryRun], ...] = ()
    """The dry run of hosts from each request's date up to the next; oldest first."""
    start_up: StartUp = field(default_factory=StartUp)

    def run_of(self, target: Target) -> DryRun | None:
        """The dry run as that target; None if it was not run."""
        given = self.start_up.vm_config_of(settable=target.vm_config)
        fitting = [
            run
            for request, run in self.runs
            if request.host <= target.host and request.start_up.vm_config == given
        ]
        return fitting[-1] if fitting else None


class Runner(Protocol):
    """A place to validate and start a module."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def feed(self, module: PluginModule, *, compiled: bool) -> None: ...
    def run(
        self, module: PluginModule, requests: Sequence[RunRequest], seconds: float | None
    ) -> RunResult: ...


def examine(
    subject: PluginModule,
    start_up: StartUp | None = None,
    *,
    runner: Callable[[], Runner] = Sandbox,
) -> ModuleFacts:
    """Read, validate and dry-run a module; every fault becomes a fact, not an exception."""
    start_up = start_up or StartUp()
    if subject.data[:4] != MAGIC:
        return _read(subject, start_up)
    with runner() as process:
        process.feed(subject.compiled, compiled=start_up.dry_run)
        facts = _read(subject, start_up)
        if facts.module is None:
            return facts
        requests = _requests(facts)
        ran = process.run(subject.compiled, requests, start_up.seconds)
    facts = _validated(facts, subject, ran.validity)
    if facts.unreadable or facts.unchecked:
        return facts
    # without requests there is a run only if validation itself was stopped
    requested = requests or [RunRequest(abi_version="", host=abi.EPOCH)]
    return replace(facts, runs=tuple(zip(requested, ran.runs, strict=bool(requests))))


def _read(subject: PluginModule, start_up: StartUp) -> ModuleFacts:
    try:
        module = subject.compiled.declarations
        check_code(subject.compiled.data, module)
    except MalformedModule as error:
        unreadable = malformed(subject.scan, error)
        return ModuleFacts(module=None, scan=subject.scan, unreadable=unreadable, start_up=start_up)
    return ModuleFacts(module=module, scan=subject.scan, start_up=start_up)


def _validated(facts: ModuleFacts, subject: PluginModule, found: Validity | None) -> ModuleFacts:
    """Add the engine's validation, if it finished."""
    if facts.module is None or found is None:
        return facts
    if found.error and uses_legacy_exceptions(subject.compiled.data, facts.module, found.error):
        return replace(facts, unchecked=True)
    if found.error and found.limited:
        return replace(facts, unreadable=beyond_limits(found.error))
    if found.error:
        return replace(facts, unreadable=invalid(facts.scan, found.error))
    return replace(facts, newer=found.newer)


def _requests(facts: ModuleFacts) -> list[RunRequest]:
    """One for each generation of hosts that could start the module differently, if any can."""
    module, version, start_up = facts.module, facts.scan.abi, facts.start_up
    if not start_up.dry_run or module is None or version is None:
        return []
    if _has_error(load_problems(module, facts.scan, abi.NEWEST)):
        return []
    exported = module.functions.keys()
    ages = {abi.EPOCH}
    if exported >= {b"_initialize", b"__main_void"} and b"main" not in exported:
        ages.add(abi.since("mainVoid"))
    if any(item.raw_name == b"poll_oneoff" for item in module.imports):
        ages.add(abi.since("poll"))
    network = is_network(module) if start_up.network is None else start_up.network
    given = [start_up]
    if start_up.vm_config is not None and not start_up.vm_config_in_resource:
        given.append(replace(start_up, vm_config=None))
    return [
        RunRequest(abi_version=version, start_up=each, network=network, host=age)
        for each in given
        for age in sorted(ages)
    ]


def module_problems(facts: ModuleFacts, target: Target) -> list[Problem]:
    """Findings of one target's proxy, in its own order: scan, engine, imports, exports, start."""
    if facts.module is None or facts.unreadable:
        assert facts.unreadable
        return [facts.unreadable]
    found = list(load_problems(facts.module, facts.scan, target.host, target.own_functions))
    if facts.newer and target.host < abi.since("newerFeatures"):
        found.append(newer_features(facts.newer))
    if facts.unchecked:
        found.append(legacy_exceptions())
    run = facts.run_of(target)
    if run is not None and not _has_error(found):
        found += start_up_problems(run, target.host, facts.start_up, sdk_of(facts.module))
        given = facts.start_up.vm_config
        if given != facts.start_up.vm_config_of(settable=target.vm_config):
            found.append(_vm_config_unseen())
    if not facts.start_up.dry_run and not _has_error(found):
        message = "the start-up was skipped, as requested: its errors are not reported"
        found.append(NOT_STARTED.problem(WHOLE_FILE, message))
    if memory_unseen(facts.module) and not _has_error(found):
        found.append(_unseen_memory(run))
    if facts.start_up.network is not None or not _has_error(found):
        found += type_problems(facts.module, network=facts.start_up.network)
    return found


def _unseen_memory(run: DryRun | None) -> Problem:
    """No crash was seen; without a dry run, a crash is likely enough to be an error."""
    seen = "" if run is None else "; none was seen at start-up and in a plain request"
    if run is not None and (run.failed or run.served.failed):
        seen = "; none was seen before the dry run ended"
    rule = MEMORY_CRASH if run is None else UNSEEN_MEMORY
    return rule.problem(
        "memory",
        "no memory is exported or imported, but host functions that use memory are imported: the "
        f"first such call CRASHES THE WHOLE PROXY (signal 11){seen}",
        EXPORT_MEMORY,
    )


def _vm_config_unseen() -> Problem:
    return VM_CONFIG_UNSEEN.problem(
        "--vm-config",
        "no resource of this consumer can set a VM configuration: it is ignored here",
        "move its contents into the plugin configuration, or write an EnvoyFilter",
    )


def _has_error(problems: Iterable[Problem]) -> bool:
    return any(problem.severity is Severity.ERROR for problem in problems)
