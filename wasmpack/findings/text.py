"""A report as text: what was found, what to do, and the matrix of targets."""

import textwrap
from collections.abc import Callable, Iterator, Sequence

from wasmpack.findings.report import Finding, Report, TargetVerdict, Verdict
from wasmpack.findings.rules import Severity
from wasmpack.redaction import plain_text

Style = Callable[[str, str], str]
"""``style(text, colour)``: the text, coloured if the stream takes it."""
WIDTH = 80
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_INDENT = 2


def unstyled(text: str, _colour: str) -> str:
    """A :data:`Style` without colours."""
    return text


def report_lines(report: Report, style: Style = unstyled) -> Iterator[str]:
    """The whole report, at most 80 columns wide but for what cannot be broken."""
    rejecting = [row.target for row in report.targets if row.verdict is Verdict.REJECT]
    some = report.verdict is Verdict.ACCEPT and rejecting
    but = f", but not by {', '.join(rejecting)}" if some else ""
    yield f"{plain_text(report.subject)}: {verdict_text(report.verdict, style)}{but}"
    for finding in report.findings:
        yield ""
        yield from finding_lines(finding, style, asked=len(report.targets))
    if report.targets:
        yield ""
        yield from matrix_lines(report.targets, style)


def findings_text(report: Report, style: Style) -> Iterator[str]:
    """The findings alone."""
    for finding in report.findings:
        yield from finding_lines(finding, style, asked=len(report.targets))


def finding_lines(finding: Finding, style: Style, *, asked: int) -> Iterator[str]:
    """One finding; its targets only where they are not all of those asked."""
    label = style(finding.severity.value, _COLOURS[finding.severity])
    yield f"{label} {style(finding.code, 'bold')} {plain_text(finding.where)}"
    yield from _wrapped(finding.message, "")
    if finding.hint:
        yield from _wrapped(finding.hint, "fix: ")
    if len(finding.targets) < asked:
        yield from _wrapped(", ".join(finding.targets), "only: ")


def matrix_lines(rows: Sequence[TargetVerdict], style: Style) -> Iterator[str]:
    """One line a target; whose code it ships, if it is another's."""
    width = max(len(row.target) for row in rows)
    for row in rows:
        more = f"  {style(f'({row.ships})', 'dim')}" if row.ships else ""
        yield f"  {row.target:<{width}}  {verdict_text(row.verdict, style)}{more}"


def verdict_text(verdict: Verdict, style: Style) -> str:
    """The verdict, green or red."""
    return style(verdict.value, "green" if verdict is Verdict.ACCEPT else "red")


def _wrapped(text: str, label: str) -> list[str]:
    return textwrap.wrap(
        label + plain_text(text),
        WIDTH,
        initial_indent=" " * _INDENT,
        subsequent_indent=" " * (_INDENT + len(label)),
        break_long_words=False,
        break_on_hyphens=False,
    )
