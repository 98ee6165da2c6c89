"""What was seen of a dry run, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self


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

    failed: Step | None = None
    """The step that ended it, if one did."""
    start_calls: tuple[tuple[str, str], ...] = ()
    """(function, host function it called) of start code: a proxy may forbid some calls there."""
    log: tuple[str, ...] = ()
    """Of the first instance."""
    asked: bool = False
    """The first request was tried too."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what :meth:`as_json` wrote."""
        failed = value["failed"]
        return cls(
            failed=Step(**{**failed, "outcome": Outcome(failed["outcome"])}) if failed else None,
            start_calls=tuple((caller, name) for caller, name in value["startCalls"]),
            log=tuple(value["log"]),
            asked=value["asked"],
        )

    def as_json(self) -> dict[str, object]:
        """For the way out of the process that ran it."""
        failed = self.failed
        return {
            "failed": failed
            and {"name": failed.name, "outcome": failed.outcome.value, "reason": failed.reason},
            "startCalls": [list(call) for call in self.start_calls],
            "log": list(self.log),
            "asked": self.asked,
        }
