"""A report: all findings on one subject, and the verdict of each target over them.

The JSON form is a contract (``docs/json.md``): keys are only ever added.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from wasmpack.findings.rules import Rule, Severity


class Verdict(StrEnum):
    """Would this target load and run it?"""

    ACCEPT = "accept"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A problem together with the targets that make it, in the order they were asked."""

    rule: Rule
    severity: Severity
    where: str
    message: str
    hint: str
    targets: tuple[str, ...]

    @property
    def code(self) -> str:
        """The rule's."""
        return self.rule.code

    def as_json(self) -> dict[str, object]:
        """The contract's shape of one finding."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "where": self.where,
            "message": self.message,
            "hint": self.hint,
            "targets": list(self.targets),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetVerdict:
    """What one target says of the subject as a whole."""

    target: str
    verdict: Verdict
    ships: str = ""
    """Whose code it is, if it is another's (``Istio 1.24.6``)."""

    def as_json(self) -> dict[str, object]:
        """The contract's shape of one row of the matrix."""
        ships = {"ships": self.ships} if self.ships else {}
        return {"target": self.target, "verdict": self.verdict.value, **ships}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All findings on one subject (a module, a configuration or an image)."""

    subject: str
    kind: str
    verdict: Verdict
    targets: tuple[TargetVerdict, ...]
    findings: tuple[Finding, ...]
    complete: bool = True
    """Nothing was left out and every byte was read and verified: the next time it says the same."""

    @property
    def accepted(self) -> bool:
        """The verdict is ``accept``."""
        return self.verdict is Verdict.ACCEPT

    def __str__(self) -> str:
        """What the command line prints."""
        from wasmpack.findings.text import report_lines

        return "\n".join(report_lines(self))

    @classmethod
    def from_json(cls, value: Mapping[str, Any], rule_of: Callable[[str], Rule]) -> Self:
        """Read what :meth:`as_json` wrote.

        :param rule_of: the rule of a code; KeyError if there is none
        :raises KeyError, ValueError, TypeError: it is something else
        """
        return cls(
            subject=value["subject"],
            kind=value["kind"],
            verdict=Verdict(value["verdict"]),
            targets=tuple(
                TargetVerdict(
                    target=row["target"],
                    verdict=Verdict(row["verdict"]),
                    ships=str(row.get("ships", "")),
                )
                for row in value["targets"]
            ),
            findings=tuple(
                Finding(
                    rule=rule_of(row["code"]),
                    severity=Severity(row["severity"]),
                    where=row["where"],
                    message=row["message"],
                    hint=row["hint"],
                    targets=tuple(row["targets"]),
                )
                for row in value["findings"]
            ),
        )

    def as_json(self) -> dict[str, object]:
        """The contract's shape of ``validate --format json``."""
        return {
            "schemaVersion": 1,
            "subject": self.subject,
            "kind": self.kind,
            "verdict": self.verdict.value,
            "targets": [row.as_json() for row in self.targets],
            "findings": [finding.as_json() for finding in self.findings],
        }
