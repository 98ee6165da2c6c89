"""Starts a module in wasmtime as a proxy would, without a proxy.

A proxy makes at least three instances of a module before it serves: one that is only loaded, one
that is configured to see whether that works, and one for each of its threads (proxy-wasm-cpp-host,
``createWasm``, ``WasmHandleBase::canary``, ``getOrCreateThreadLocalPlugin``). They share data and
queues, so the second may find what the first left behind. All of it is bounded in instructions,
host calls, memory, tables, time and kept log, so that a hostile module ends in a result too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wasmpack.module.code_cache import compiled_module
from wasmpack.module.engine import engine, first_line
from wasmpack.module.instance import Budget, Instance, Plugin
from wasmpack.module.rules import memory_unseen
from wasmpack.module.run_result import DryRun, Outcome, Step
from wasmpack.module.types import Import, Module

if TYPE_CHECKING:
    import wasmtime

FUEL = 2_000_000_000
"""Instructions, about: one to two seconds."""
SECONDS = 5.0
"""Wall time of the whole start-up, for what costs much time and little fuel."""
HOST_CALLS = 200_000
MEMORY = 1 << 30
"""Bytes a memory may grow to: the host's own limit."""
_PAGE = 65536


def dry_run(
    data: bytes, module: Module, abi_version: str, plugin_config: bytes, root_id: str = ""
) -> DryRun:
    """Start the module and configure it, as often as a proxy does.

    :param data: a valid module all of whose imports the newest host provides
    :param plugin_config: the plugin configuration, verbatim
    """
    import wasmtime

    if odd := [i for i in module.imports if _has_no_python_type(i)]:
        return _unknown("instantiate", f"a table of {odd[0].type.split()[0]} cannot be provided")
    try:
        compiled = compiled_module(data)
    except wasmtime.WasmtimeError as error:
        return _unknown("compile", first_line(str(error)))
    largest = max([MEMORY, *(memory.minimum * _PAGE for memory in module.memories)])
    budget = Budget(fuel=FUEL, host_calls=HOST_CALLS, memory=largest, seconds=SECONDS)
    plugin = Plugin(module=module, abi_version=abi_version, config=plugin_config, root_id=root_id)
    with _alarm(budget):
        return _three_instances(plugin, compiled, budget)


def _three_instances(plugin: Plugin, compiled: wasmtime.Module, budget: Budget) -> DryRun:
    base = Instance(plugin, compiled, budget)
    failed = base.load()
    base.close()
    log, calls = base.log, base.start_calls
    asked = False
    for thread in (False, True):
        if failed is not None:
            break
        instance = Instance(plugin, compiled, budget)
        failed = instance.load() or instance.configure()
        log = log + instance.log if not thread else log
        calls |= instance.start_calls
        if thread and failed is None and memory_unseen(plugin.module):
            asked = True
            step = instance.ask()
            failed = step if step and step.outcome is Outcome.CRASH else None
        instance.close()
    return DryRun(failed=failed, start_calls=tuple(calls), log=tuple(log), asked=asked)


@contextmanager
def _alarm(budget: Budget) -> Iterator[None]:
    """Interrupt what runs past the deadline without calling the host."""
    budget.deadline = time.monotonic() + budget.seconds
    alarm = threading.Timer(budget.seconds, engine(fuel=True).increment_epoch)
    alarm.daemon = True
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()


def _unknown(name: str, reason: str) -> DryRun:
    return DryRun(failed=Step(name=name, outcome=Outcome.UNKNOWN, reason=reason))


def _has_no_python_type(item: Import) -> bool:
    """wasmtime-py ends the whole process on tables of other references than these two."""
    return item.kind == "table" and not item.type.startswith(("funcref ", "externref "))
