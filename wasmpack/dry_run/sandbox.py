"""The dry run in a separate process, which a hostile module may fill, hang or end.

Compiling cannot be bounded by wasmtime: a few hundred kilobytes can cost half a minute and
gigabytes. So a worker does it, within a budget of CPU time and memory that this side watches
(:mod:`wasmpack.processes`). It is started before it is known to be needed, so that its imports
run while this side reads.

The worker reads a JSON line, the module's bytes, and another JSON line with the runs to make.
It answers with JSON lines: the validity of the module, each step before it is made, each run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from wasmpack.dry_run.budget import Budget, text_limits
from wasmpack.dry_run.code_cache import cache_file
from wasmpack.dry_run.engine import Validity
from wasmpack.dry_run.result import DryRun, Outcome, RunRequest, Served, Step
from wasmpack.dry_run.spawn import Worker, any_worker, spawn_worker
from wasmpack.errors import BadArtifact, WasmpackError
from wasmpack.processes import Exceeded
from wasmpack.proxy_abi.host_scan import without_bulk
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.redaction import note

_MOST_RUNS = 8
_UNWATCHED = 10.0
"""Seconds of CPU time beyond the budget after which the kernel ends an unwatched worker."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """The findings of a worker."""

    runs: tuple[DryRun, ...]
    """One for each request; and one if validation itself was stopped."""
    validity: Validity | None = None
    """None if validation was stopped."""


class Sandbox:
    """A worker for one module; leave the ``with`` block to end it."""

    def __init__(self) -> None:
        """:raises WasmpackError: no process can be started"""
        self._process = Worker(any_worker())
        self._fed: PluginModule | None = None
        self._whole = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.close()

    def feed(self, module: PluginModule, *, compiled: bool = True, whole: bool = False) -> None:
        """Let the worker validate and compile, while this side reads the module too.

        It takes one module; later ones are not looked at until they are run.

        :param compiled: False for its validity alone
        :param whole: with the custom sections, which an engine ignores
        """
        if self._fed is not None:
            return
        self._fed, data = module, module.data
        parts: Sequence[bytes | memoryview] = [data] if whole else without_bulk(data)
        self._whole = len(parts) == 1
        budget, cached = Budget.of(module.size), cache_file(module)
        head = {
            "size": sum(map(len, parts)),
            "cpu": budget.to_run(budget.compiling, _MOST_RUNS).cpu + _UNWATCHED,
            "compile": compiled,
            "cache": str(cached or ""),
        }
        if compiled and cached is not None:
            note(f"compiled code of {module.name}: {'' if cached.exists() else 'not '}cached")
        self._process.limit(budget.to_compile)
        self._process.feed(head, parts)

    def run(
        self, module: PluginModule, requests: Sequence[RunRequest], seconds: float | None = None
    ) -> RunResult:
        """Validate, compile once, start once a request; misbehaviour of the module is a result.

        :param requests: empty for the validity alone
        :param seconds: raises the budget of CPU time
        :raises WasmpackError: our own code failed, or the system did not let it run
        """
        if self._fed is not None and self._fed.data is not module.data:  # without what hosts skip
            with Sandbox() as other:
                return other.run(module, requests, seconds)
        if self._fed is None:
            self.feed(module, compiled=bool(requests))
        budget = Budget.of(module.size, seconds)
        self._process.limit(budget.to_compile)
        note(f"starting {module.name} in the dry run")
        question = {"requests": [one.as_json() for one in requests], "seconds": budget.running}
        self._process.ask(question)
        found = self._collect(len(requests), budget)
        if found.validity and found.validity.error and not self._whole:
            with Sandbox() as other:  # the places in parts are not those of the file
                other.feed(module, compiled=False, whole=True)
                return other.run(module, requests, seconds)
        return found

    def _collect(self, wanted: int, budget: Budget) -> RunResult:
        runs: list[DryRun] = []
        valid: Validity | None = None
        at: Mapping[str, Any] = {"at": "validate"}
        for answer in self._process.answers():
            if "validity" in answer:
                valid = Validity(**answer["validity"])
                if valid.error or not wanted:
                    return RunResult((), valid)
                at = {"at": "compile"}
            elif "run" in answer:
                runs.append(DryRun.from_json(answer["run"]))
                note(
                    f"dry run {len(runs)} of {wanted}: {self._process.cpu:.2f} s of CPU time so far"
                )
            elif "compiled" in answer:
                self._process.limit(budget.to_run(self._process.cpu, wanted))
            else:
                at = answer
        exceeded = self._process.end()
        left = max(wanted, 1) - len(runs)
        return RunResult((*runs, *[self._unfinished(at, exceeded)] * left), valid)

    def _unfinished(self, at: Mapping[str, Any], exceeded: Exceeded | None) -> DryRun:
        """The run in which the worker ended; later ones would end in the same way."""
        name = at["at"]
        if exceeded is not None:
            reason, bound = str(exceeded), exceeded.bound
            step = Step(name=name, outcome=Outcome.LIMIT, reason=reason, bound=bound)
        else:
            reason = self._process.died_of or "no reason given"
            step = Step(name=name, outcome=Outcome.ENGINE, reason=reason)
        return DryRun(served=Served(failed=step)) if at.get("request") else DryRun(failed=step)


def compile_text(text: bytes, name: str) -> bytes:
    """Compile WebAssembly text (``.wat``) in a separate process.

    :param name: names the file in errors
    :raises BadArtifact: with line and column
    """
    limits = text_limits(len(text))
    process = Worker(spawn_worker("assemble"))
    try:
        process.limit(limits)
        head = {"size": len(text), "name": name, "cpu": limits.cpu + _UNWATCHED}
        process.feed(head, [text])
        answer = next(process.answers(), {})
        binary = process.read(answer.get("size", 0))
        exceeded = process.end()
    finally:
        process.close()
    if "refused" in answer:
        raise BadArtifact(answer["refused"])
    if exceeded is not None:
        raise BadArtifact(f"{name}: compiling the text took {exceeded}")
    if "size" not in answer or len(binary) != answer["size"]:
        raise WasmpackError(f"{name}: compiling the text failed: {process.died_of}")
    return binary
