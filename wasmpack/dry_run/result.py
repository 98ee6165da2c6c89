"""Results of a dry run, as values that cross from the worker to its parent."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from wasmpack.dry_run.start_up import StartUp
from wasmpack.processes import Bound
from wasmpack.proxy_abi.abi import NEWEST, HostDate


class Outcome(StrEnum):
    """How a step ended."""

    OK = "ok"
    FALSE = "false"
    """It returned 0, which refuses."""
    TRAP = "trap"
    LIMIT = "limit"
    """It exceeded our bounds."""
    CRASH = "crash"
    """It ended the whole proxy."""
    ENGINE = "engine"
    """It ended our own engine's process."""
    UNKNOWN = "unknown"
    """Our engine lacks what it needs, though a proxy may have it."""


class Cause(StrEnum):
    """The reason why a host call ended a step."""

    MEMORY = "memory"
    """It uses memory, but the proxy sees no memory."""
    CONTEXT = "context"
    """The start section makes it, before there is a context."""
    ALLOCATOR = "allocator"
    """The module's allocator returns no memory for its result."""
    SERVICE = "service"
    """It names no upstream."""
    STREAM = "stream"
    """It has no stream to act on."""
    TRAP = "trap"
    """It ended the stream, and the module traps afterwards."""
    RESTRICTED = "restricted"
    """The module's allocator makes it: a trap, all others end the proxy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """The input a module is started with, and the host to act as."""

    abi_version: str
    start_up: StartUp = field(default_factory=StartUp)
    network: bool = False
    """It gets a connection, not a request."""
    host: HostDate = NEWEST

    @property
    def config(self) -> bytes:
        """The plugin configuration, or nothing."""
        return self.start_up.plugin_config or b""

    @property
    def vm_config(self) -> bytes:
        """The configuration of the VM, or nothing."""
        return self.start_up.vm_config or b""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what :meth:`as_json` wrote."""
        return cls(**{**value, "start_up": StartUp.from_json(value["start_up"])})

    def as_json(self) -> dict[str, object]:
        """The value to send to the worker."""
        return {**asdict(self), "start_up": self.start_up.as_json()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call into the module, and how it ended."""

    name: str
    outcome: Outcome
    reason: str = ""
    """The engine's message on a trap, or the exceeded bound."""
    call: str = ""
    """The host function that ended it, if one did."""
    cause: Cause | None = None
    """The reason why that function did."""
    bound: Bound | None = None
    """The exceeded bound, if it is one of the process."""
    environment: bool = False
    """It read environment variables."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what :func:`dataclasses.asdict` made of it."""
        kinds = {"outcome": Outcome, "cause": Cause, "bound": Bound}
        known = {key: kind(value[key]) for key, kind in kinds.items() if value[key] is not None}
        return cls(**{**value, **known})


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The outcome of the first request, if it was sent."""

    failed: Step | None = None
    """The step that ended the plugin, if one did."""
    status: int | None = None
    """The status sent to the client; None without a complete response."""
    held: str = ""
    """The callback that holds the request forever, if one does."""
    network: bool = False
    """It was a connection."""
    log: tuple[str, ...] = ()
    """Lines logged meanwhile."""
    called: tuple[str, ...] = ()
    """Names of other services that it called; the dry run has none of them."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what :func:`dataclasses.asdict` made of it."""
        failed = value["failed"] and Step.from_json(value["failed"])
        lists = {key: tuple(value[key]) for key in ("log", "called")}
        return cls(**{**value, "failed": failed, **lists})


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """The course of a start-up, up to the first step that failed."""

    failed: Step | None = None
    """The step that ended it, if one did."""
    served: Served = field(default_factory=Served)
    """The outcome of the first request."""
    start_calls: tuple[tuple[str, str], ...] = ()
    """(function, host function it called) of start code: a proxy may forbid some calls there."""
    log: tuple[str, ...] = ()
    """Lines of the first instance."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what :func:`dataclasses.asdict` made of it."""
        return cls(
            failed=value["failed"] and Step.from_json(value["failed"]),
            served=Served.from_json(value["served"]),
            start_calls=tuple((caller, name) for caller, name in value["start_calls"]),
            log=tuple(value["log"]),
        )
