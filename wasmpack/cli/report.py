"""A report as text: what was found, what to do, and the matrix of targets."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from wasmpack.cli.console import WIDTH, Console, Style, plain_text
from wasmpack.errors import WrongUsage
from wasmpack.findings import Finding, Report, Severity, TargetVerdict, Verdict
from wasmpack.targets import target

if TYPE_CHECKING:
    from wasmpack.images.transfer import Moved
    from wasmpack.images.writing import Written

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_INDENT = 2
_REJECTED = 3


def report_lines(report: Report, style: Style) -> Iterator[str]:
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


def show_report(report: Report, shape: str, console: Console) -> int:
    """What every ``validate`` prints; the exit code."""
    if shape == "json":
        console.json(report.as_json())
    else:
        for line in report_lines(report, console.out_style):
            console.result(line)
    return _REJECTED if report.verdict is Verdict.REJECT else 0


def findings_text(report: Report, style: Style) -> Iterator[str]:
    """The findings alone."""
    for finding in report.findings:
        yield from finding_lines(finding, style, asked=len(report.targets))


def show_written(done: Written, shape: str, console: Console) -> None:
    """``NAME@DIGEST`` or JSON on stdout; findings and details on stderr."""
    if done.report is not None:
        for line in findings_text(done.report, console.err_style):
            console.status(line)
    for blob in done.moved:
        console.detail(f"{blob.status.value:<8} {blob.descriptor.digest} {blob.descriptor.size}")
    if shape == "json":
        console.json(done.as_json())
    else:
        console.result(done.named)


@contextlib.contextmanager
def shown_if_rejected(shape: str, console: Console) -> Iterator[None]:
    """With ``--format json`` a rejected artifact gives its report on stdout too."""
    from wasmpack.actions.rejected import RejectedArtifact

    try:
        yield
    except RejectedArtifact as rejected:
        if shape == "json":
            console.json(rejected.report.as_json())
        raise


def plan_lines(moved: Sequence[Moved]) -> Iterator[str]:
    """What a push would send, line by line, and last in a sentence."""
    from wasmpack.cli.image_text import size_text
    from wasmpack.stores.ports import BlobStatus

    for row in moved:
        what = "would send" if row.status is BlobStatus.MISSING else "is there"
        yield f"{what:<10}  {row.descriptor.digest}  {size_text(row.descriptor.size)}"
    size = sum(row.descriptor.size for row in moved if row.status is BlobStatus.MISSING)
    yield f"dry run: nothing was sent, {size_text(size)} would be"


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
        ships = _ships(row.target)
        more = f"  {style(f'({ships})', 'dim')}" if ships else ""
        yield f"  {row.target:<{width}}  {verdict_text(row.verdict, style)}{more}"


def _ships(name: str) -> str:
    with contextlib.suppress(WrongUsage):  # an Envoy of the user's may be one we do not know
        found = target(name)
        return ", ".join(text for text in (found.ships, found.remark) if text)
    return ""


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
