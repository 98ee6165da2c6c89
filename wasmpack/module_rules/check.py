"""Everything there is to say about a module's bytes: examined once, judged for each host.

>>> facts = examine(PluginModule(b"\\0asm\\1\\0\\0\\0"))
>>> [problem.code for problem in module_problems(facts, "2026-04-06")]
['ABI001']
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

from wasmpack.dry_run.engine import Validity
from wasmpack.dry_run.result import DryRun, RunRequest
from wasmpack.dry_run.sandbox import IsolatedRunner, RunResult
from wasmpack.findings import Problem, Rule, Severity
from wasmpack.module_rules.legacy_exceptions import uses_legacy_exceptions
from wasmpack.module_rules.load import load_problems
from wasmpack.module_rules.memory import (
    EXPORT_MEMORY,
    MEMORY_CRASH,
    UNSEEN_MEMORY,
    memory_unseen,
)
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
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.wasm.cursor import MalformedModule
from wasmpack.wasm.reader import MAGIC
from wasmpack.wasm.types import Module

_NEWER_SINCE = "2024-12-19"
"""Host of the oldest Envoy (1.36) with which the newer features were seen working."""
NOT_STARTED = Rule(
    code="RUN009",
    title="`--no-dry-run`: the start-up was not tried",
    severity=Severity.INFO,
    consumer="none",
    fix="leave the option out",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartUp:
    """With what the dry run configures the plugin."""

    plugin_config: bytes | None = None
    """Handed over verbatim; None if the user gave none."""
    root_id: str = ""
    """Empty for none."""
    dry_run: bool = True
    """False: the module is not started, and what that would show is not judged."""
    seconds: float | None = None
    """Raises the budget of CPU time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleFacts:
    """What was learned of a module, independent of any target."""

    module: Module | None
    """What the engine gets to see of it; None if it cannot be read."""
    scan: HostScan
    """What the host finds before it compiles."""
    unreadable: Problem | None = None
    """Why it is no core module that an engine compiles."""
    unchecked: bool = False
    """It uses instructions that V8 has and wasmtime has not."""
    newer: str | None = None
    """Which of its features older engines may lack, in wasmtime's words."""
    runs: tuple[tuple[abi.HostDate, DryRun], ...] = ()
    """(date, what hosts from that date on see, up to the next), oldest first."""
    start_up: StartUp = field(default_factory=StartUp)

    def run_of(self, host: abi.HostDate) -> DryRun | None:
        """The dry run as a host of that date; None if there was none."""
        return next((run for since, run in reversed(self.runs) if since <= host), None)


class Runner(Protocol):
    """Where a module is validated and started."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def run(
        self, module: PluginModule, requests: Sequence[RunRequest], seconds: float | None
    ) -> RunResult: ...


def examine(
    subject: PluginModule,
    start_up: StartUp | None = None,
    *,
    runner: Callable[[], Runner] = IsolatedRunner,
) -> ModuleFacts:
    """Read, validate and dry-run a module; every fault becomes a fact, none is raised."""
    start_up = start_up or StartUp()
    if subject.data[:4] != MAGIC:
        return _read(subject, start_up)
    with runner() as process:
        facts = _read(subject, start_up)
        if facts.module is None:
            return facts
        requests = _requests(facts)
        ran = process.run(subject.compiled, requests, start_up.seconds)
    facts = _validated(facts, subject, ran.validity)
    if facts.unreadable or facts.unchecked:
        return facts
    # without requests there is a run only where even validating came to no end
    hosts = [request.host for request in requests] or [abi.EPOCH]
    return replace(facts, runs=tuple(zip(hosts, ran.runs, strict=bool(requests))))


def _read(subject: PluginModule, start_up: StartUp) -> ModuleFacts:
    try:
        module = subject.compiled.declarations
    except MalformedModule as error:
        unreadable = malformed(subject.scan, error)
        return ModuleFacts(module=None, scan=subject.scan, unreadable=unreadable, start_up=start_up)
    return ModuleFacts(module=module, scan=subject.scan, start_up=start_up)


def _validated(facts: ModuleFacts, subject: PluginModule, found: Validity | None) -> ModuleFacts:
    """With what the engine says, if it came to an end."""
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
    """One for each age of hosts that could start this module in another way; none if none can."""
    module, version, start_up = facts.module, facts.scan.abi, facts.start_up
    if not start_up.dry_run or module is None or version is None:
        return []
    if _has_error(load_problems(module, facts.scan, abi.NEWEST)):
        return []
    names = {export.name for export in module.exports if export.kind == "func"}
    main_void = {"_initialize", "__main_void"} <= names and "main" not in names
    imported = {item.name for item in module.imports}
    ages = {abi.EPOCH}
    if main_void:
        ages.add(abi.MAIN_VOID_SINCE)
    if "poll_oneoff" in imported:
        ages.add(abi.POLL_SINCE)
    return [
        RunRequest(
            abi_version=version,
            config=start_up.plugin_config or b"",
            root_id=start_up.root_id,
            host=age,
        )
        for age in sorted(ages)
    ]


def module_problems(
    facts: ModuleFacts, host: abi.HostDate, own_functions: frozenset[str] = frozenset()
) -> list[Problem]:
    """What a host of that date would say, in its order: scan, engine, imports, exports, start.

    :param own_functions: what this consumer provides and no other does
    """
    if facts.module is None or facts.unreadable:
        assert facts.unreadable
        return [facts.unreadable]
    found = list(load_problems(facts.module, facts.scan, host, own_functions))
    if facts.newer and host < _NEWER_SINCE:
        found.append(newer_features(facts.newer))
    if facts.unchecked:
        found.append(legacy_exceptions())
    run = facts.run_of(host)
    if run is not None and not _has_error(found):
        configured = facts.start_up.plugin_config is not None
        found += start_up_problems(run, host, configured=configured)
    if not facts.start_up.dry_run and not _has_error(found):
        found.append(_not_started())
    if memory_unseen(facts.module) and not _has_error(found):
        found.append(_unseen_memory(run))
    return found


def _unseen_memory(run: DryRun | None) -> Problem:
    """No crash was seen; without a dry run it is too likely for a doubt."""
    seen = "" if run is None else "; none was seen at start-up and in a plain request"
    if run is not None and (run.failed or run.request):
        seen = "; none was seen as far as the dry run came"
    rule = MEMORY_CRASH if run is None else UNSEEN_MEMORY
    return rule.problem(
        "memory",
        "no memory is exported or imported, but host functions that use memory are imported: the "
        f"first such call CRASHES THE WHOLE PROXY (signal 11){seen}",
        EXPORT_MEMORY,
    )


def _not_started() -> Problem:
    return NOT_STARTED.problem(
        WHOLE_FILE, "the start-up was not tried, as you asked: what it would show is not judged"
    )


def _has_error(problems: Iterable[Problem]) -> bool:
    return any(problem.severity is Severity.ERROR for problem in problems)
