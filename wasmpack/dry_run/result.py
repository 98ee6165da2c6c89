"""What was seen of a dry run, as values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from wasmpack.processes import Bound
from wasmpack.proxy_abi.abi import NEWEST


class Outcome(StrEnum):
    """How a step ended."""

    OK = "ok"
    FALSE = "false"
    """It returned 0, which refuses."""
    TRAP = "trap"
    LIMIT = "limit"
    """It did not end within our bounds."""
    CRASH = "crash"
    """It ended the whole proxy."""
    ENGINE = "engine"
    """It ended our own engine's process."""
    UNKNOWN = "unknown"
    """Our engine lacks what it needs, though a proxy may have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """With what a module is started, and as which host."""

    abi_version: str
    config: bytes = b""
    """The plugin configuration, verbatim."""
    root_id: str = ""
    host: str = NEWEST
    """Date of the host."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what :meth:`as_json` wrote."""
        return cls(**{**value, "config": bytes.fromhex(value["config"])})

    def as_json(self) -> dict[str, object]:
        """For the way into the process that runs it."""
        return {**asdict(self), "config": self.config.hex()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call into the module."""

    name: str
    outcome: Outcome
    reason: str = ""
    bound: Bound | None = None
    """Which one, if it is one of the process's that was exceeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What was seen of a start-up, up to the first step that failed."""

    failed: Step | None = None
    """The step that ended it, if one did."""
    request: Step | None = None
    """The step that ended the first request, if one did."""
    start_calls: tuple[tuple[str, str], ...] = ()
    """(function, host function it called) of start code: a proxy may forbid some calls there."""
    log: tuple[str, ...] = ()
    """Of the first instance."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what :meth:`as_json` wrote."""
        return cls(
            failed=_step(value["failed"]),
            request=_step(value["request"]),
            start_calls=tuple((caller, name) for caller, name in value["startCalls"]),
            log=tuple(value["log"]),
        )

    def as_json(self) -> dict[str, object]:
        """For the way out of the process that ran it."""
        return {
            "failed": self.failed and asdict(self.failed),
            "request": self.request and asdict(self.request),
            "startCalls": [list(call) for call in self.start_calls],
            "log": list(self.log),
        }


def _step(value: Mapping[str, Any] | None) -> Step | None:
    if value is None:
        return None
    bound = value["bound"] and Bound(value["bound"])
    return Step(
        name=value["name"], outcome=Outcome(value["outcome"]), reason=value["reason"], bound=bound
    )
