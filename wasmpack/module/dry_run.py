"""Starts a module in wasmtime as a proxy would, without a proxy.

The steps are the host's (proxy-wasm-cpp-host: ``WasmBase::initialize``, ``startVm``,
``ContextBase::onStart``, ``onConfigure``): instantiate, start code, root context,
``proxy_on_vm_start``, ``proxy_on_configure``. Bounded in instructions, host calls, memory, tables
and kept log, so that a hostile module ends in a result too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from wasmpack.module.engine import engine, first_line
from wasmpack.module.guest import WasmtimeGuest
from wasmpack.module.start_up_host import StartUpHost
from wasmpack.module.types import Import, Module
from wasmpack.module.wasi_host import OverLimit

if TYPE_CHECKING:
    import wasmtime

FUEL = 2_000_000_000
"""Instructions, about: one to two seconds."""
SECONDS = 5.0
"""Wall time of the whole start-up, for what costs much time and little fuel."""
HOST_CALLS = 200_000
MEMORY = 256 * 1024 * 1024
"""Bytes a memory may grow to; more only if it starts with more."""
_PAGE = 65536
TABLE = 1_000_000
START_CODE = {"_initialize", "main", "__main_void", "_start"}
"""Functions that run with restricted host calls (wasm.cc, ``startVm``)."""
_ROOT = 1
"""Id of the first root context (context.h, ``allocContextId``)."""


class Outcome(StrEnum):
    """How a step ended."""

    OK = "ok"
    FALSE = "false"
    """It returned 0, which refuses."""
    TRAP = "trap"
    LIMIT = "limit"
    """It did not end within our bounds."""
    UNKNOWN = "unknown"
    """It could not be tried here, though a proxy might."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call into the module."""

    name: str
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What was seen of a start-up, up to the first step that failed."""

    steps: tuple[Step, ...]
    start_calls: tuple[tuple[str, str], ...] = ()
    """(function, host function it called) of start code: a proxy may forbid some calls there."""
    start_section_calls: tuple[str, ...] = ()
    """Host functions that the start section called: each crashes a proxy."""
    log: tuple[str, ...] = ()

    @property
    def failed(self) -> Step | None:
        """The step that ended it, if any did."""
        last = self.steps[-1] if self.steps else None
        return last if last and last.outcome is not Outcome.OK else None


def dry_run(
    data: bytes, module: Module, abi_version: str, plugin_config: bytes, root_id: str = ""
) -> DryRun:
    """Start the module and configure it.

    :param data: a valid module all of whose imports the newest host provides
    :param plugin_config: the plugin configuration, verbatim
    """
    return _Run(data, module, abi_version, plugin_config, root_id).all_steps()


class _Run:
    def __init__(
        self, data: bytes, module: Module, version: str, plugin_config: bytes, root_id: str
    ) -> None:
        import wasmtime

        self._data = data
        self._module = module
        self._version = version
        self._config_size = len(plugin_config)
        self._store = wasmtime.Store(engine(fuel=True))
        self._store.set_limits(
            memory_size=max([MEMORY, *(memory.minimum * _PAGE for memory in module.memories)]),
            table_elements=TABLE,
            instances=1,
            tables=8,
            memories=4,
        )
        self._store.set_fuel(FUEL)
        self._store.set_epoch_deadline(1)
        self._guest = WasmtimeGuest(self._store)
        self._host = StartUpHost(self._guest, plugin_config, root_id)
        self._now = "instantiate"
        self._section_calls: dict[str, None] = {}
        self._start_calls: dict[tuple[str, str], None] = {}
        self._deadline = 0.0
        self._left = HOST_CALLS

    def all_steps(self) -> DryRun:
        import wasmtime

        if odd := [i for i in self._module.imports if _has_no_python_type(i)]:
            reason = f"a table of {odd[0].type.split()[0]} cannot be provided"
            return DryRun(steps=(Step(name="instantiate", outcome=Outcome.UNKNOWN, reason=reason),))
        try:
            self._compiled = wasmtime.Module(self._store.engine, self._data)
        except wasmtime.WasmtimeError as error:
            reason = first_line(str(error))
            return DryRun(steps=(Step(name="compile", outcome=Outcome.UNKNOWN, reason=reason),))
        self._deadline = time.monotonic() + SECONDS
        alarm = threading.Timer(SECONDS, self._store.engine.increment_epoch)
        alarm.daemon = True
        alarm.start()
        try:
            steps = tuple(self._steps())
        finally:
            alarm.cancel()
        return DryRun(
            steps=steps,
            start_calls=tuple(self._start_calls),
            start_section_calls=tuple(self._section_calls),
            log=tuple(self._host.log),
        )

    def _steps(self) -> Iterator[Step]:
        for name, arguments in self._plan():
            self._now = name
            step = self._step(name, arguments)
            if step is not None:
                yield step
                if step.outcome is not Outcome.OK:
                    return

    def _plan(self) -> list[tuple[str, tuple[int, ...]]]:
        """Calls in the host's order; an export that is absent is passed over."""
        exported = {export.name for export in self._module.exports if export.kind == "func"}
        if "_initialize" in exported:
            main = "main" if "main" in exported else "__main_void"
            start = [("_initialize", ()), (main, (0, 0) if main == "main" else ())]
        else:
            start = [("_start", ())]
        return [
            ("instantiate", ()),
            *start,
            ("proxy_on_context_create", (_ROOT, 0)),
            ("proxy_on_vm_start", (_ROOT, 0)),
            ("proxy_on_configure", (_ROOT, self._config_size)),
        ]

    def _step(self, name: str, arguments: tuple[int, ...]) -> Step | None:
        if name == "instantiate":
            return self._guarded(name, self._instantiate)
        function = self._guest.function(name)
        if function is None:
            return None
        return self._guarded(name, lambda: function(self._store, *arguments))

    def _guarded(self, name: str, call: Callable[[], object]) -> Step:
        """Run one step and say how it ended; only what wasmtime and our bounds raise is caught."""
        import wasmtime

        try:
            result = call()
        except wasmtime.Trap as trap:
            over = {wasmtime.TrapCode.OUT_OF_FUEL, wasmtime.TrapCode.INTERRUPT}
            outcome = Outcome.LIMIT if trap.trap_code in over else Outcome.TRAP
            return Step(name=name, outcome=outcome, reason=_trap_reason(str(trap)))
        except wasmtime.WasmtimeError as error:
            return Step(name=name, outcome=Outcome.UNKNOWN, reason=first_line(str(error)))
        except OverLimit as error:
            return Step(name=name, outcome=Outcome.LIMIT, reason=str(error))
        decides = name in {"proxy_on_vm_start", "proxy_on_configure"}
        refused = decides and result == 0
        return Step(name=name, outcome=Outcome.FALSE if refused else Outcome.OK)

    def _instantiate(self) -> None:
        import wasmtime

        provided = [
            self._provide(item, kind.type)
            for item, kind in zip(self._module.imports, self._compiled.imports, strict=True)
        ]
        self._guest.instance = wasmtime.Instance(self._store, self._compiled, provided)
        self._guest.find_memory(self._module)

    def _provide(self, item: Import, kind: object) -> wasmtime.Func | wasmtime.Memory:
        import wasmtime

        if isinstance(kind, wasmtime.MemoryType):
            memory = wasmtime.Memory(self._store, kind)
            self._guest.memory = self._guest.memory or memory
            return memory
        if isinstance(kind, wasmtime.TableType):
            return wasmtime.Table(self._store, kind, None)  # type: ignore[return-value]
        assert isinstance(kind, wasmtime.FuncType), f"{item} was refused by the load rules"
        return wasmtime.Func(self._store, kind, self._host_call(item.name))

    def _host_call(self, name: str) -> Callable[..., int | None]:
        answer = self._host.function(name)
        mask = 0xFFFFFFFF

        def call(*arguments: int) -> int | None:
            if self._now == "instantiate":
                self._section_calls[name] = None
            elif self._now in START_CODE:
                self._start_calls[self._now, name] = None
            self._left -= 1
            if time.monotonic() > self._deadline:
                raise OverLimit(f"more than {SECONDS:g} seconds")
            if self._left < 0:
                raise OverLimit(f"more than {HOST_CALLS} calls into the host")
            return answer(*(a & mask if -(1 << 31) <= a < 0 else a for a in arguments))

        return call


def _has_no_python_type(item: Import) -> bool:
    """wasmtime-py ends the whole process on tables of other references than these two."""
    return item.kind == "table" and not item.type.startswith(("funcref ", "externref "))


def _trap_reason(text: str) -> str:
    """The cause alone: backtraces name our engine's addresses, not the proxy's."""
    reason = text.rpartition("wasm trap:")[2] if "wasm trap:" in text else first_line(text)
    return reason.strip().splitlines()[0]
