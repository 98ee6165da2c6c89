"""A report as text: what was found, what to do, and the matrix of targets."""

import textwrap
from collections.abc import Iterator, Sequence

from wasmpack.cli.console import WIDTH, Style
from wasmpack.findings import Finding, Report, Severity, TargetVerdict, Verdict

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_INDENT = 2


def report_lines(report: Report, style: Style) -> Iterator[str]:
    """The whole report, at most 80 columns wide but for what cannot be broken."""
    yield f"{report.subject}: {verdict_text(report.verdict, style)}"
    for finding in report.findings:
        yield ""
        yield from finding_lines(finding, style, asked=len(report.targets))
    if report.targets:
        yield ""
        yield from matrix_lines(report.targets, style)


def finding_lines(finding: Finding, style: Style, *, asked: int) -> Iterator[str]:
    """One finding; its targets only where they are not all of those asked."""
    label = style(finding.severity.value, _COLOURS[finding.severity])
    yield f"{label} {style(finding.code, 'bold')} {finding.where}"
    yield from _wrapped(finding.message, "")
    if finding.hint:
        yield from _wrapped(finding.hint, "fix: ")
    if len(finding.targets) < asked:
        yield from _wrapped(", ".join(finding.targets), "only: ")


def matrix_lines(rows: Sequence[TargetVerdict], style: Style) -> Iterator[str]:
    """One line a target."""
    width = max(len(row.target) for row in rows)
    for row in rows:
        yield f"  {row.target:<{width}}  {verdict_text(row.verdict, style)}"


def verdict_text(verdict: Verdict, style: Style) -> str:
    """The verdict, green or red."""
    return style(verdict.value, "green" if verdict is Verdict.ACCEPT else "red")


def _wrapped(text: str, label: str) -> list[str]:
    return textwrap.wrap(
        label + text,
        WIDTH,
        initial_indent=" " * _INDENT,
        subsequent_indent=" " * (_INDENT + len(label)),
        break_long_words=False,
        break_on_hyphens=False,
    )
