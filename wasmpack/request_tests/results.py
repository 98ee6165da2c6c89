"""Outcomes of tests: as JSON, and as JUnit's XML."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from wasmpack.envoy import LogLine
from wasmpack.findings.junit import Case, junit_document


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An expectation that does not hold."""

    what: str
    """The part: ``response header x-wat``."""
    expected: str
    got: str

    def as_json(self) -> dict[str, object]:
        """The JSON form."""
        return {"what": self.what, "expected": self.expected, "got": self.got}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one test."""

    file: str
    name: str
    where: str = ""
    """File and line."""
    failures: tuple[Failure, ...] = ()
    """None: it passed."""
    log: tuple[LogLine, ...] = ()
    """Lines of its plugins."""
    seconds: float = field(default=0.0, compare=False)

    @property
    def passed(self) -> bool:
        """Every expectation holds."""
        return not self.failures

    def as_json(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "file": self.file,
            "name": self.name,
            "where": self.where,
            "outcome": "passed" if self.passed else "failed",
            "seconds": round(self.seconds, 3),
            "failures": [failure.as_json() for failure in self.failures],
            "log": [line.as_json() for line in self.log],
        }


def as_json(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """The contract's shape of all outcomes."""
    failed = sum(not one.passed for one in outcomes)
    return {
        "schemaVersion": 1,
        "passed": len(outcomes) - failed,
        "failed": failed,
        "tests": [one.as_json() for one in outcomes],
    }


def junit(outcomes: Iterable[Outcome]) -> str:
    """The XML that CI systems read: a suite for each file."""
    return "\n".join(junit_document(map(_case, outcomes)))


def _case(outcome: Outcome) -> Case:
    failures = outcome.failures
    return Case(
        suite=outcome.file,
        name=outcome.name,
        fault="failure" if failures else "",
        message=f"{failures[0].what}: {failures[0].got}" if failures else "",
        lines=[f"{one.what}: expected {one.expected}, got {one.got}" for one in failures],
        output=[f"{line.level} {line.context}: {line.text}" for line in outcome.log],
        seconds=outcome.seconds,
    )
