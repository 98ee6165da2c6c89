"""A report: all findings on one subject, and the verdict of each target over them.

The JSON form is a contract (``docs/json.md``): keys are only ever added.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from wasmpack.findings.rules import Rule, Severity
from wasmpack.redaction import plain_text
from wasmpack.text import PLAIN, Style, table, wrapped


class Verdict(StrEnum):
    """Would this target load and run it?"""

    ACCEPT = "accept"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A problem and the targets that have it, in the order they were checked."""

    rule: Rule
    """The kind of finding."""
    severity: Severity
    """How bad it is for the targets together."""
    where: str
    """The place: ``import env.proxy_foo``, ``a.yaml:3 spec.url``."""
    message: str
    """The reason, in one sentence without a period."""
    hint: str
    """The next step; empty if there is none."""
    targets: tuple[str, ...]
    """Names of the targets that have it; empty if no target was checked."""

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
            "url": self.rule.url,
            "targets": list(self.targets),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetVerdict:
    """One target's verdict on the subject as a whole."""

    target: str
    """Name of the release: ``istio-1.29``."""
    verdict: Verdict
    """The verdict of this release alone."""
    ships: str = ""
    """The product and release whose code it ships, if another's (``Istio 1.24.6``)."""

    def as_json(self) -> dict[str, object]:
        """The contract's shape of one row of the matrix."""
        ships = {"ships": self.ships} if self.ships else {}
        return {"target": self.target, "verdict": self.verdict.value, **ships}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All findings on one subject (a module, a configuration or an image)."""

    subject: str
    """The file or the image, as it was given."""
    kind: str
    """``module``, ``config``, ``image`` or ``wasmplugin``."""
    verdict: Verdict
    """The verdict over all targets."""
    targets: tuple[TargetVerdict, ...]
    """One row for each target, in the order they were checked; empty for ``config``."""
    findings: tuple[Finding, ...]
    """The most severe first."""
    complete: bool = True
    """Nothing was left out and every byte was verified, so that the report can be reused."""

    @property
    def accepted(self) -> bool:
        """The verdict is ``accept``."""
        return self.verdict is Verdict.ACCEPT

    def __str__(self) -> str:
        """The text that the command line prints."""
        return "\n".join(report_lines(self))

    @classmethod
    def from_json(cls, value: Mapping[str, Any], rule_of: Callable[[str], Rule]) -> Self:
        """Read what :meth:`as_json` wrote.

        :param rule_of: the rule of a code; KeyError if there is none
        :raises KeyError, ValueError, TypeError: not a report
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


_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_PLACES = 20
"""Further places of a finding that are listed."""


def report_lines(report: Report, style: Style = PLAIN) -> Iterator[str]:
    """The whole report, as wide as the terminal but for what cannot be broken."""
    rejecting = [row.target for row in report.targets if row.verdict is Verdict.REJECT]
    some = report.verdict is Verdict.ACCEPT and rejecting
    but = f", but not by {', '.join(rejecting)}" if some else ""
    yield f"{plain_text(report.subject)}: {verdict_text(report.verdict, style)}{but}"
    for finding, others in said_once(report.findings):
        yield ""
        yield from finding_lines(finding, style, asked=len(report.targets), others=others)
    if report.targets:
        yield ""
        yield from matrix_lines(report.targets, style)


def findings_text(report: Report, style: Style) -> Iterator[str]:
    """The findings alone."""
    for finding, others in said_once(report.findings):
        yield from finding_lines(finding, style, asked=len(report.targets), others=others)


def said_once(findings: Iterable[Finding]) -> list[tuple[Finding, list[str]]]:
    """Findings that differ in nothing but the place, as the first of them and the other places."""
    found: dict[Finding, tuple[Finding, list[str]]] = {}
    for finding in findings:
        _, others = found.setdefault(replace(finding, where=""), (finding, []))
        others.append(finding.where)
    return [(finding, places[1:]) for finding, places in found.values()]


def finding_lines(
    finding: Finding, style: Style, *, asked: int, others: Sequence[str] = ()
) -> Iterator[str]:
    """One finding; with its targets unless all of those checked have it.

    :param others: further places of the same
    """
    label = style(finding.severity.value, _COLOURS[finding.severity])
    yield f"{label} {style(finding.code, 'bold')} {plain_text(finding.where)}"
    yield from wrapped(plain_text(finding.message), style)
    if finding.hint:
        yield from wrapped(plain_text(finding.hint), style, "fix: ")
    if others:
        more = len(others) - _PLACES
        places = ", ".join(others[:_PLACES])
        places += f" and {more} more" if more > 0 else ""
        yield from wrapped(plain_text(places), style, "also: ")
    if len(finding.targets) < asked:
        yield from wrapped(", ".join(finding.targets), style, "only: ")
    if style.detail:
        yield from wrapped(finding.rule.url, style, "see: ")


def matrix_lines(rows: Sequence[TargetVerdict], style: Style) -> Iterator[str]:
    """One line if they agree; else one per target, with the product whose code it ships."""
    verdicts = {row.verdict for row in rows}
    if len(rows) > 1 and len(verdicts) == 1 and not style.detail:
        yield f"  {_all_of(rows, style)}"
        return
    cells = [
        (row.target, verdict_text(row.verdict, style), f"({row.ships})" if row.ships else "")
        for row in rows
    ]
    yield from table(cells, style, colours=["", "", "dim"], indent="  ")


def _all_of(rows: Sequence[TargetVerdict], style: Style) -> str:
    """Targets that agree: their names if they fit on one line, else their number."""
    verdict = rows[0].verdict
    names = ", ".join(row.target for row in rows)
    shown = verdict_text(verdict, style)
    if len(f"  {names}: {verdict.value}") <= style.width:
        return f"{names}: {shown}"
    return f"all {len(rows)} targets: {shown} (-v lists them)"


def verdict_text(verdict: Verdict, style: Style) -> str:
    """The verdict, green or red."""
    return style(verdict.value, "green" if verdict is Verdict.ACCEPT else "red")
