"""Start a module in wasmtime as a proxy would, without a proxy.

A proxy makes at least three instances of a module before it serves: one that is only loaded, one
that is configured to see whether that works, and one for each of its threads (proxy-wasm-cpp-host,
``createWasm``, ``WasmHandleBase::canary``, ``getOrCreateThreadLocalPlugin``). They share data and
queues, so the second may find what the first left behind. All of it is bounded in CPU time, host
calls, memory, tables and kept log, so that a hostile module ends in a result too; what cannot be
bounded from inside (compiling, a wait that never ends) is bounded by the parent process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wasmpack.dry_run.budget import RunBudget
from wasmpack.dry_run.code_cache import Code, compiled_module
from wasmpack.dry_run.engine import first_line
from wasmpack.dry_run.host.exchange import CONNECTION, GET_REQUEST, Callback
from wasmpack.dry_run.instance import Instance, Notice, Plugin
from wasmpack.dry_run.result import DryRun, Outcome, RunRequest, Served, Step
from wasmpack.processes import Bound, Exceeded
from wasmpack.wasm.code import heaviest_body
from wasmpack.wasm.reader import read_module
from wasmpack.wasm.types import Import, Module

if TYPE_CHECKING:
    import wasmtime

HOST_CALLS = 1_000_000
MEMORY = 1 << 30
"""Bytes a memory may grow to: the host's own limit."""
_AGAIN = 0.05
"""Seconds by the clock, at the least, between two looks at the CPU time."""
_PAGE = 65536
_ELEMENT = 8
"""Bytes of a table's element, which V8 fills in at once and wasmtime when it is used."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A module ready to be started, or the reason why it is not."""

    module: Module
    code: Code | None
    refused: DryRun | None = None


def compiled_plugin(data: bytes, cache: Path | None = None) -> Compiled:
    """Compile; this has no bound except the process's.

    :param data: a valid module
    :param cache: the directory of compiled code, if enabled
    """
    import wasmtime

    module = read_module(data)
    if odd := [i for i in module.imports if _has_no_python_type(i)]:
        reason = f"a table of {odd[0].type.split()[0]} cannot be provided"
        return Compiled(module, None, _unknown("instantiate", reason))
    try:
        return Compiled(module, compiled_module(data, cache, heaviest_body(data, module)))
    except wasmtime.WasmtimeError as error:
        return Compiled(module, None, _unknown("compile", first_line(str(error))))


def dry_runs(
    plugin: Compiled,
    requests: Sequence[RunRequest],
    seconds: float,
    *,
    exchange: Sequence[Callback] | None = None,
    notice: Notice = lambda _: None,
) -> Iterator[DryRun]:
    """Start the module and configure it, as often as a proxy does, and send one request through.

    :param plugin: all of whose imports the newest host provides
    :param seconds: of CPU time, for each run
    :param exchange: the callbacks of the request and its answer; by default a plain one, or a
        connection for a network plugin
    """
    for request in requests:
        if plugin.code is None:
            assert plugin.refused
            yield plugin.refused
        else:
            usual = CONNECTION if request.network else GET_REQUEST
            started = Plugin(module=plugin.module, request=request, exchange=exchange or usual)
            yield _dry_run(started, plugin.code, seconds, notice)


def _dry_run(plugin: Plugin, code: Code, seconds: float, notice: Notice) -> DryRun:
    largest = max([MEMORY, *(memory.minimum * _PAGE for memory in plugin.module.memories)])
    budget = RunBudget(host_calls=HOST_CALLS, memory=largest, seconds=seconds)
    if (tables := plugin.module.table_elements * _ELEMENT) > MEMORY:
        return DryRun(failed=_over_memory(tables))
    with _alarm(budget, code.engine):
        return _three_instances(plugin, code, budget, notice)


def _three_instances(plugin: Plugin, code: Code, budget: RunBudget, notice: Notice) -> DryRun:
    """Three instances: one only loaded, one configured, and a thread's, which gets a request."""
    log: list[str] = []
    calls: dict[tuple[str, str], None] = {}
    failed, served = None, Served()
    for part in ("base", "canary", "thread"):
        with closing(Instance(plugin, code, budget, notice)) as instance:
            failed = instance.load()
            if part != "base":
                failed = failed or instance.configure()
            if part == "thread" and failed is None:
                served = instance.serve()
            calls |= instance.start_calls
            log += instance.log if part != "thread" else []
        if failed is not None:
            break
    return DryRun(
        failed=failed,
        served=served,
        start_calls=tuple(calls),
        log=tuple(log),
    )


@contextmanager
def _alarm(budget: RunBudget, engine: wasmtime.Engine) -> Iterator[None]:
    """Interrupt a run that has used its CPU time without calling the host; for each instance."""
    budget.until = time.process_time() + budget.seconds
    over = threading.Event()

    def ring() -> None:
        left = budget.seconds
        while not over.wait(max(left, _AGAIN)):
            left = budget.until - time.process_time()
            if left <= 0:
                engine.increment_epoch()

    threading.Thread(target=ring, daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _over_memory(tables: int) -> Step:
    reason = f"{Exceeded(bound=Bound.MEMORY, used=tables, allowed=MEMORY)} (initial tables)"
    return Step(name="instantiate", outcome=Outcome.LIMIT, reason=reason, bound=Bound.MEMORY)


def _unknown(name: str, reason: str) -> DryRun:
    return DryRun(failed=Step(name=name, outcome=Outcome.UNKNOWN, reason=reason))


def _has_no_python_type(item: Import) -> bool:
    """wasmtime-py ends the whole process on tables of other references than these two."""
    return item.kind == "table" and not item.type.startswith(("funcref ", "externref "))
