"""Everything there is to say about a module's bytes: examined once, judged for each host.

>>> facts = examine(b"\\0asm\\1\\0\\0\\0")
>>> [problem.code for problem in module_problems(facts, "2026-04-06")]
['ABI001']
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wasmpack.findings import Problem, Severity
from wasmpack.module.cursor import MalformedModule
from wasmpack.module.framing import HostScan, host_scan
from wasmpack.module.reader import read_module
from wasmpack.module.rules import load_problems, memory_unseen
from wasmpack.module.start_up import EXPORT_MEMORY, start_up_problems
from wasmpack.module.types import Module

if TYPE_CHECKING:
    from wasmpack.module.run_result import DryRun

_NEWEST = "9999-12-31"
_NEWER_SINCE = "2024-12-19"
"""Host of the oldest Envoy (1.36) with which the newer features were seen working."""
_FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartUp:
    """With what the dry run configures the plugin."""

    plugin_config: bytes | None = None
    """Handed over verbatim; None if the user gave none."""
    root_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleFacts:
    """What was learned of a module, independent of any target."""

    module: Module | None
    scan: HostScan
    unreadable: Problem | None = None
    """Why it is no core module that an engine compiles."""
    newer: str | None = None
    """Which of its features older engines may lack, in wasmtime's words."""
    run: DryRun | None = None
    start_up: StartUp = field(default_factory=StartUp)


def examine(data: bytes, start_up: StartUp | None = None, *, dry_run: bool = True) -> ModuleFacts:
    """Read, validate and dry-run a module; every fault becomes a fact, none is raised."""
    start_up = start_up or StartUp()
    scan = host_scan(data)
    try:
        module = read_module(data)
    except MalformedModule as error:
        return ModuleFacts(module=None, scan=scan, unreadable=_malformed(scan, error))
    if invalid := _invalid(data, scan):
        return ModuleFacts(module=module, scan=scan, unreadable=invalid)
    run = None
    if dry_run and scan.abi and not _has_error(load_problems(module, scan, _NEWEST)):
        from wasmpack.module.dry_run import dry_run as start

        run = start(data, module, scan.abi, start_up.plugin_config or b"", start_up.root_id)
    from wasmpack.module.engine import newer_features

    newer = newer_features(data)
    return ModuleFacts(module=module, scan=scan, newer=newer, run=run, start_up=start_up)


def module_problems(facts: ModuleFacts, host: str) -> list[Problem]:
    """What a host of that date would say, in its order: scan, engine, imports, exports, start."""
    if facts.module is None or facts.unreadable:
        assert facts.unreadable
        return [facts.unreadable]
    found = list(load_problems(facts.module, facts.scan, host))
    if facts.newer and host < _NEWER_SINCE:
        found.append(_newer_features(facts.newer))
    if facts.run is not None and not _has_error(found):
        configured = facts.start_up.plugin_config is not None
        found += start_up_problems(facts.run, host, configured=configured)
    if memory_unseen(facts.module) and not _has_error(found):
        found.append(_unseen_memory(tried=facts.run is not None and facts.run.asked))
    return found


def _unseen_memory(*, tried: bool) -> Problem:
    """No crash was seen: a doubt if the first request was tried, and too likely otherwise."""
    return Problem(
        code="MEM004" if tried else "MEM002",
        severity=Severity.WARNING if tried else Severity.ERROR,
        where="memory",
        message="no memory is exported or imported, but host functions that use memory are "
        "imported: the first such call CRASHES THE WHOLE PROXY (signal 11)"
        + ("; none was seen at start-up and in a plain request" if tried else ""),
        hint=EXPORT_MEMORY,
    )


def _malformed(scan: HostScan, error: MalformedModule) -> Problem:
    words = scan.refusal or "Failed to load Wasm bytecode"
    return Problem(
        code="MOD001",
        severity=Severity.ERROR,
        where=f"{_FILE}, offset {error.offset:#x}",
        message=f"{error.message}: {words!r}",
        hint=error.hint or "build the module again; the file may be cut off or damaged",
    )


def _newer_features(reason: str) -> Problem:
    return Problem(
        code="MOD004",
        severity=Severity.WARNING,
        where=_FILE,
        message=f"uses a feature newer than WebAssembly 2.0 ({reason}); it is not established "
        "that this proxy's engine has it",
        hint="compile without it, or try the plugin on that release",
    )


def _invalid(data: bytes, scan: HostScan) -> Problem | None:
    from wasmpack.module.engine import validity_error

    reason = validity_error(data)
    if reason is None:
        return None
    words = scan.refusal or "Failed to load Wasm bytecode"
    return Problem(
        code="MOD003",
        severity=Severity.ERROR,
        where=_FILE,
        message=f"not a valid WebAssembly module: {reason}: {words!r}",
        hint="build the module again; the file may be cut off or damaged",
    )


def _has_error(problems: Iterable[Problem]) -> bool:
    return any(problem.severity is Severity.ERROR for problem in problems)
