"""One instance of a module in wasmtime, started as a proxy starts it.

The calls and their order are the host's (proxy-wasm-cpp-host: ``WasmBase::initialize``,
``startVm``, ``ContextBase::onStart``, ``onConfigure``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from wasmpack.dry_run.budget import RunBudget
from wasmpack.dry_run.engine import first_line, trap_reason
from wasmpack.dry_run.guest import WasmtimeGuest
from wasmpack.dry_run.host.exchange import GET_REQUEST, Callback
from wasmpack.dry_run.host.memory import OverLimit, ProxyCrash, Refused, Restricted
from wasmpack.dry_run.host.request import RequestState
from wasmpack.dry_run.host.shared_state import SharedState
from wasmpack.dry_run.host.state import ROOT, Host, VmState
from wasmpack.dry_run.host.table import HOST_FUNCTIONS
from wasmpack.dry_run.result import Cause, Outcome, RunRequest, Served, Step
from wasmpack.processes import Bound
from wasmpack.proxy_abi.abi import NEWEST, since, start_up_allowed
from wasmpack.wasm import limits
from wasmpack.wasm.types import Import, Module

if TYPE_CHECKING:
    import wasmtime

    from wasmpack.dry_run.code_cache import Code

START_CODE = {"_initialize", "main", "__main_void", "_start"}
"""Functions that run with restricted host calls (wasm.cc, ``startVm``)."""
Plan = Sequence[tuple[str, tuple[int, ...]]]
"""Calls with their arguments, in order."""
Notice = Callable[[Mapping[str, object]], None]
"""Receives each step of a run: ``{"at": step, "request": True if part of the first request}``."""
_INSTANTIATE = "instantiate"
_DECIDING = {"proxy_on_vm_start", "proxy_on_configure"}
"""Callbacks that can refuse."""
_OUT_OF_MEMORY = "GC heap out of memory"
"""wasmtime's message when garbage-collected objects find no room (it is not a trap)."""
_MASK = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A module, and the input it is started with."""

    module: Module
    request: RunRequest
    exchange: Sequence[Callback] = GET_REQUEST
    """The callbacks of the first request and its answer."""
    shared: SharedState = field(default_factory=SharedState)


class Instance:
    """A module with its host functions; each method is one part of a proxy's work."""

    def __init__(
        self,
        plugin: Plugin,
        code: Code,
        budget: RunBudget,
        notice: Notice = lambda _: None,
    ) -> None:
        """:param notice: called before each step"""
        import wasmtime

        self._plugin = plugin
        self._notice = notice
        self._code = code
        self._budget = budget
        self._store = wasmtime.Store(code.engine)
        self._store.set_limits(
            memory_size=budget.memory, table_elements=limits.TABLE_ELEMENTS, instances=1
        )
        self._store.set_epoch_deadline(1)
        self._guest = WasmtimeGuest(self._store)
        self._vm = VmState(plugin.request)
        self._host = Host(self._guest, self._vm, plugin.shared)
        self._imported: wasmtime.Memory | None = None
        self._call = ""
        self._returned: object = None
        self.start_calls: dict[tuple[str, str], None] = {}

    @property
    def log(self) -> list[str]:
        """Lines that the module logged."""
        return self._vm.log

    def load(self) -> Step | None:
        """Instantiate, then start code; the step that failed, if one did."""
        return self._first_failed(self._load_steps())

    def configure(self) -> Step | None:
        """Root context, ``proxy_on_vm_start``, ``proxy_on_configure``."""
        size = len(self._plugin.request.config)
        return self._first_failed(
            [
                ("proxy_on_context_create", (ROOT, 0)),
                ("proxy_on_vm_start", (ROOT, len(self._plugin.request.vm_config))),
                ("proxy_on_configure", (ROOT, size)),
            ]
        )

    def serve(self) -> Served:
        """One request and its answer, and then a tick of the timer, if one was set."""
        before = len(self.log)
        self._vm.called.clear()
        network = self._plugin.request.network
        state = self._vm.request = RequestState(network=network)
        failed = self._callbacks(state)
        if failed is None and self._vm.tick_period:
            self._vm.request = None
            failed = self._first_failed([("proxy_on_tick", (ROOT,))])
        return Served(
            failed=failed,
            status=state.status,
            held=state.held,
            network=network,
            log=tuple(self.log[before:]),
            called=tuple(name.decode(errors="replace") for name in self._vm.called),
        )

    def _callbacks(self, state: RequestState) -> Step | None:
        """Make the callbacks of a request; return the step that failed, if one did."""
        for planned in self._plugin.exchange:
            callback = state.expected(planned)
            if callback is None:
                continue
            state.enter(callback)
            arguments = callback.arguments(self._plugin.request.abi_version)
            failed = self._first_failed([(callback.name, arguments)])
            if failed is not None:
                state.trapped(callback)
                return failed
            state.leave(callback, self._returned)
        return None

    def close(self) -> None:
        """Free the store's memory."""
        self._store.close()

    def _load_steps(self) -> Plan:
        exported = {e.name for e in self._plugin.module.exports if e.kind == "func"}
        if "_initialize" not in exported:
            return [(_INSTANTIATE, ()), ("_start", ())]
        steps: list[tuple[str, tuple[int, ...]]] = [(_INSTANTIATE, ()), ("_initialize", ())]
        if "main" in exported:
            steps.append(("main", (0, 0)))
        elif self._plugin.request.host >= since("mainVoid"):
            steps.append(("__main_void", ()))
        return steps

    def _first_failed(self, plan: Plan) -> Step | None:
        for name, arguments in plan:
            step = self._step(name, arguments)
            if step is not None and step.outcome is not Outcome.OK:
                return step
        return None

    def _step(self, name: str, arguments: tuple[int, ...]) -> Step | None:
        """Make one call; an absent export is skipped."""
        self._vm.callback = name
        if name == _INSTANTIATE:
            return self._guarded(name, self._instantiate)
        function = self._guest.function(name)
        self._returned = None
        if function is None:
            return None
        self._vm.environment_read = False
        step = self._guarded(name, lambda: function(self._store, *arguments))
        return replace(step, environment=self._vm.environment_read)

    def _guarded(self, name: str, call: Callable[[], object]) -> Step:
        """Run one step and return its end; only errors of wasmtime and our bounds are caught."""
        import wasmtime

        self._notice({"at": name, "request": self._vm.request is not None})
        try:
            result = self._returned = call()
        except wasmtime.Trap as trap:
            return self._trapped(name, trap)
        except wasmtime.WasmtimeError as error:
            return _unsupported(name, first_line(str(error)))
        except Restricted:
            return Step(name=name, outcome=Outcome.TRAP, call=self._call, cause=Cause.RESTRICTED)
        except OverLimit as error:
            return Step(name=name, outcome=Outcome.LIMIT, reason=str(error))
        except ProxyCrash as crash:
            return Step(name=name, outcome=Outcome.CRASH, call=self._call, cause=crash.cause)
        refused = name in _DECIDING and result == 0
        return Step(name=name, outcome=Outcome.FALSE if refused else Outcome.OK)

    def _trapped(self, name: str, trap: wasmtime.Trap) -> Step:
        import wasmtime

        if trap.trap_code is wasmtime.TrapCode.INTERRUPT:
            return Step(name=name, outcome=Outcome.LIMIT, reason=self._budget.too_long)
        reason = trap_reason(str(trap))
        if self._vm.request and self._vm.request.ended:
            return Step(
                name=name, outcome=Outcome.CRASH, reason=reason, call=self._call, cause=Cause.TRAP
            )
        return Step(name=name, outcome=Outcome.TRAP, reason=reason)

    def _instantiate(self) -> None:
        import wasmtime

        provided = list(self._provided())
        instance = wasmtime.Instance(self._store, self._code.module, provided)
        self._guest.attach(instance, self._plugin.module, self._imported)
        self._vm.has_context = True

    def _provided(self) -> Iterator[wasmtime.Func | wasmtime.Memory | wasmtime.Table]:
        import wasmtime

        for item, kind in zip(self._plugin.module.imports, self._code.module.imports, strict=True):
            if isinstance(kind.type, wasmtime.MemoryType):
                self._imported = wasmtime.Memory(self._store, kind.type)
                yield self._imported
            elif isinstance(kind.type, wasmtime.TableType):
                yield wasmtime.Table(self._store, kind.type, None)
            else:
                assert isinstance(kind.type, wasmtime.FuncType), "refused by the load rules"
                yield wasmtime.Func(self._store, kind.type, self._host_call(item, kind.type))

    def _host_call(self, item: Import, kind: wasmtime.FuncType) -> Callable[..., int | None]:
        """The host's answer; it reads 32-bit numbers as unsigned and 64-bit ones as signed."""
        name, answer = item.name, HOST_FUNCTIONS[item.module, item.name]
        masks = [_MASK if str(param) == "i32" else -1 for param in kind.params]

        def call(*arguments: int) -> int | None:
            self._budget.spend_call()
            self._call = name
            if self._guest.allocating and not start_up_allowed(name, NEWEST):
                raise Restricted
            if self._vm.callback in START_CODE:
                self.start_calls[self._vm.callback, name] = None
            try:
                numbers = (a & mask for a, mask in zip(arguments, masks, strict=True))
                status = answer(self._host, *numbers)
            except Refused as refused:
                status = refused.status
            return status or 0 if kind.results else None

        return call


def _unsupported(name: str, reason: str) -> Step:
    """A feature that our engine lacks, unless objects found no room, which the module causes."""
    if reason.startswith(_OUT_OF_MEMORY):
        return Step(name=name, outcome=Outcome.LIMIT, reason=reason, bound=Bound.MEMORY)
    return Step(name=name, outcome=Outcome.UNKNOWN, reason=reason)
