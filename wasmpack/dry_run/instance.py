"""One instance of a module in wasmtime, started as a proxy starts it.

The calls and their order are the host's (proxy-wasm-cpp-host: ``WasmBase::initialize``,
``startVm``, ``ContextBase::onStart``, ``onConfigure``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wasmpack.dry_run.engine import engine, first_line
from wasmpack.dry_run.guest import WasmtimeGuest
from wasmpack.dry_run.host.header_maps import REQUEST_HEADERS, RESPONSE_HEADERS
from wasmpack.dry_run.host.shared_state import SharedState
from wasmpack.dry_run.host.start_up import StartUpHost
from wasmpack.dry_run.host.wasi import OverLimit, ProxyCrash, Restricted
from wasmpack.dry_run.result import Outcome, RunRequest, Step
from wasmpack.processes import Bound
from wasmpack.proxy_abi.abi import MAIN_VOID_SINCE, NEWEST, start_up_allowed
from wasmpack.wasm.types import Import, Module

if TYPE_CHECKING:
    import wasmtime

START_CODE = {"_initialize", "main", "__main_void", "_start"}
"""Functions that run with restricted host calls (wasm.cc, ``startVm``)."""
Plan = Sequence[tuple[str, tuple[int, ...]]]
"""Calls with their arguments, in order."""
Notice = Callable[[Mapping[str, object]], None]
"""Told where a run is: ``{"at": step, "request": whether it belongs to the first request}``."""
_INSTANTIATE = "instantiate"
_ROOT, _STREAM = 1, 2
"""Ids of the first root context and of the first stream's (context.h, ``allocContextId``)."""
_HEADERS_GO_ON, _BODY_GOES_ON = (None, 0, 2), (None, 0)
"""What callbacks answer that do not hold the request (observed); None if there is none."""
_REQUEST = (
    (b":authority", b"localhost"), (b":path", b"/"), (b":method", b"GET"), (b":scheme", b"http"),
    (b"x-forwarded-proto", b"http"), (b"x-request-id", b"00000000-0000-4000-8000-000000000000"),
)  # fmt: skip
_BODY = b"hello\n"
_RESPONSE = ((b":status", b"200"), (b"content-length", b"6"), (b"content-type", b"text/plain"))
_OUT_OF_MEMORY = "GC heap out of memory"
"""How wasmtime begins when garbage-collected objects find no room (it is no trap)."""
_MASK = 0xFFFFFFFF
_TABLE = 10_000_000
"""Elements of a table: what V8 takes at most (kV8MaxWasmTableSize)."""


@dataclass(slots=True, kw_only=True)
class Budget:
    """What all instances of a dry run may use together."""

    host_calls: int
    memory: int
    """Bytes a memory may grow to."""
    seconds: float
    """Of this process's CPU time."""
    until: float = 0.0
    """What ``time.process_time`` says then; set when the first instance starts."""

    @property
    def too_long(self) -> str:
        """The reason of what ran longer."""
        return f"more than the {self.seconds:g} s of CPU time allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """What is started, and with what."""

    module: Module
    request: RunRequest
    shared: SharedState = field(default_factory=SharedState)


class Instance:
    """A module with its host functions; each method is one part of a proxy's work."""

    def __init__(
        self,
        plugin: Plugin,
        compiled: wasmtime.Module,
        budget: Budget,
        notice: Notice = lambda _: None,
    ) -> None:
        """:param notice: told of each step before it is taken"""
        import wasmtime

        self._plugin = plugin
        self._notice = notice
        self._compiled = compiled
        self._budget = budget
        self._store = wasmtime.Store(engine(bounded=True))
        self._store.set_limits(memory_size=budget.memory, table_elements=_TABLE, instances=1)
        self._store.set_epoch_deadline(1)
        self._guest = WasmtimeGuest(self._store)
        self._host = StartUpHost(self._guest, plugin.request, plugin.shared)
        self._imported: wasmtime.Memory | None = None
        self._call = ""
        self._returned: object = None
        self.start_calls: dict[tuple[str, str], None] = {}

    @property
    def log(self) -> list[str]:
        """What the module logged."""
        return self._host.log

    def load(self) -> Step | None:
        """Instantiate, then start code; the step that failed, if one did."""
        return self._first_failed(self._load_steps())

    def configure(self) -> Step | None:
        """Root context, ``proxy_on_vm_start``, ``proxy_on_configure``."""
        size = len(self._plugin.request.config)
        return self._first_failed(
            [
                ("proxy_on_context_create", (_ROOT, 0)),
                ("proxy_on_vm_start", (_ROOT, 0)),
                ("proxy_on_configure", (_ROOT, size)),
            ]
        )

    def ask(self) -> Step | None:
        """One GET request and its answer; the step that failed, if one did."""
        self._host.in_stream = True
        pair = (_STREAM, len(_REQUEST))
        old = self._plugin.request.abi_version == "0.1.0"
        failed = self._first_failed([("proxy_on_context_create", (_STREAM, _ROOT))])
        self._host.maps[REQUEST_HEADERS] = list(_REQUEST)
        failed = failed or self._first_failed(
            [("proxy_on_request_headers", pair if old else (*pair, 1))]
        )
        if failed or self._returned not in _HEADERS_GO_ON:
            return failed
        self._host.maps[RESPONSE_HEADERS] = list(_RESPONSE)
        pair = (_STREAM, len(_RESPONSE))
        failed = self._first_failed([("proxy_on_response_headers", pair if old else (*pair, 0))])
        if failed or self._returned not in _HEADERS_GO_ON:
            return failed
        failed = self._first_failed([("proxy_on_response_body", (_STREAM, len(_BODY), 1))])
        if failed or self._returned not in _BODY_GOES_ON:
            return failed
        return self._first_failed(
            [
                ("proxy_on_done", (_STREAM,)),
                ("proxy_on_log", (_STREAM,)),
                ("proxy_on_delete", (_STREAM,)),
            ]
        )

    def close(self) -> None:
        """The store's memory is free again."""
        self._store.close()

    def _load_steps(self) -> Plan:
        exported = {e.name for e in self._plugin.module.exports if e.kind == "func"}
        if "_initialize" not in exported:
            return [(_INSTANTIATE, ()), ("_start", ())]
        steps: list[tuple[str, tuple[int, ...]]] = [(_INSTANTIATE, ()), ("_initialize", ())]
        if "main" in exported:
            steps.append(("main", (0, 0)))
        elif self._plugin.request.host >= MAIN_VOID_SINCE:
            steps.append(("__main_void", ()))
        return steps

    def _first_failed(self, plan: Plan) -> Step | None:
        for name, arguments in plan:
            step = self._step(name, arguments)
            if step is not None and step.outcome is not Outcome.OK:
                return step
        return None

    def _step(self, name: str, arguments: tuple[int, ...]) -> Step | None:
        """One call; an export that is absent is passed over."""
        self._host.begin(name)
        self._host.bodies = {1: _BODY} if name == "proxy_on_response_body" else {}
        if name == _INSTANTIATE:
            return self._guarded(name, self._instantiate)
        function = self._guest.function(name)
        self._returned = None
        if function is None:
            return None
        return self._guarded(name, lambda: function(self._store, *arguments))

    def _guarded(self, name: str, call: Callable[[], object]) -> Step:
        """Run one step and say how it ended; only what wasmtime and our bounds raise is caught."""
        import wasmtime

        self._notice({"at": name, "request": self._host.in_stream})
        try:
            result = self._returned = call()
        except wasmtime.Trap as trap:
            if trap.trap_code is wasmtime.TrapCode.INTERRUPT:
                return Step(name=name, outcome=Outcome.LIMIT, reason=self._budget.too_long)
            if self._host.over:
                return Step(name=name, outcome=Outcome.CRASH, reason=f"{self._call}: trap")
            return Step(name=name, outcome=Outcome.TRAP, reason=_trap_reason(str(trap)))
        except wasmtime.WasmtimeError as error:
            reason = first_line(str(error))
            if reason.startswith(
                _OUT_OF_MEMORY
            ):  # not what our engine lacks: what it was asked for
                return Step(name=name, outcome=Outcome.LIMIT, reason=reason, bound=Bound.MEMORY)
            return Step(name=name, outcome=Outcome.UNKNOWN, reason=reason)
        except Restricted as error:
            return Step(name=name, outcome=Outcome.TRAP, reason=str(error))
        except OverLimit as error:
            return Step(name=name, outcome=Outcome.LIMIT, reason=str(error))
        except ProxyCrash as crash:
            return Step(name=name, outcome=Outcome.CRASH, reason=f"{self._call}: {crash}")
        decides = name in {"proxy_on_vm_start", "proxy_on_configure"}
        refused = decides and result == 0
        return Step(name=name, outcome=Outcome.FALSE if refused else Outcome.OK)

    def _instantiate(self) -> None:
        import wasmtime

        provided = list(self._provided())
        self._guest.instance = wasmtime.Instance(self._store, self._compiled, provided)
        self._guest.find_memory(self._plugin.module, self._imported)
        self._host.has_context = True

    def _provided(self) -> Iterator[wasmtime.Func | wasmtime.Memory | wasmtime.Table]:
        import wasmtime

        for item, kind in zip(self._plugin.module.imports, self._compiled.imports, strict=True):
            if isinstance(kind.type, wasmtime.MemoryType):
                self._imported = wasmtime.Memory(self._store, kind.type)
                yield self._imported
            elif isinstance(kind.type, wasmtime.TableType):
                yield wasmtime.Table(self._store, kind.type, None)
            else:
                assert isinstance(kind.type, wasmtime.FuncType), "refused by the load rules"
                yield wasmtime.Func(self._store, kind.type, self._host_call(item, kind.type))

    def _host_call(self, item: Import, kind: wasmtime.FuncType) -> Callable[..., int | None]:
        """The host's answer; it takes 32-bit numbers as unsigned and 64-bit ones as signed."""
        name, answer = item.name, self._host.function(item.name)
        masks = [_MASK if str(param) == "i32" else -1 for param in kind.params]

        def call(*arguments: int) -> int | None:
            self._spend()
            if self._guest.allocating and not start_up_allowed(name, NEWEST):
                raise Restricted(f"the allocator calls {name}: restricted_callback")
            self._call = name
            if self._host.step in START_CODE:
                self.start_calls[self._host.step, name] = None
            return answer(*(a & mask for a, mask in zip(arguments, masks, strict=True)))

        return call

    def _spend(self) -> None:
        """Count a host call: each costs more time than instructions."""
        self._budget.host_calls -= 1
        if time.process_time() > self._budget.until:
            raise OverLimit(self._budget.too_long)
        if self._budget.host_calls < 0:
            raise OverLimit("too many calls into the host")


def _trap_reason(text: str) -> str:
    """The cause alone: backtraces name our engine's addresses, not the proxy's."""
    reason = text.rpartition("wasm trap:")[2] if "wasm trap:" in text else first_line(text)
    return reason.strip().splitlines()[0]
