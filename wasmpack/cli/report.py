"""What validating and writing images came to, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from wasmpack.cli.console import Console
from wasmpack.cli.results import REJECTED, Result, show_results
from wasmpack.findings import Report, Verdict
from wasmpack.findings.report import findings_text, report_lines
from wasmpack.redaction import plain_text

if TYPE_CHECKING:
    from wasmpack.actions.subjects import Failure
    from wasmpack.images.transfer import Moved
    from wasmpack.images.writing import Written


def show_report(report: Report, console: Console) -> int:
    """What every ``validate`` prints; the exit code."""
    console.show(report, report_lines(report, console.out_style))
    return REJECTED if report.verdict is Verdict.REJECT else 0


def show_reports(outcomes: Iterator[Report | Failure], count: int, console: Console) -> int:
    """Print the report on each subject; return the worst exit code."""
    return show_results(map(_result, outcomes), count, console, judged=True)


def _result(outcome: Report | Failure) -> Result | Failure:
    if not isinstance(outcome, Report):
        return outcome
    rejected = outcome.verdict is Verdict.REJECT
    return Result(
        value=outcome, lines=partial(report_lines, outcome), code=REJECTED if rejected else 0
    )


def show_written(done: Written, console: Console, *, planned: bool = False) -> None:
    """``NAME@DIGEST`` or JSON on stdout; findings and details on stderr.

    :param planned: nothing was written, and what would be is shown too
    """
    for line in _plan(done.moved) if planned else ():
        console.status(line)
    if done.report is not None:
        show_findings(done.report, console)
    for blob in done.moved:
        console.detail(f"{blob.status.value:<8} {blob.descriptor.digest} {blob.descriptor.size}")
    console.show(done, [plain_text(done.named)])


def show_findings(report: Report, console: Console) -> None:
    """Findings on stderr, next to a result."""
    for line in findings_text(report, console.err_style):
        console.status(line)


def _plan(moved: Sequence[Moved]) -> Iterator[str]:
    """What a push would send, line by line, and last in a sentence."""
    from wasmpack.cli.image_text import size_text
    from wasmpack.stores.ports import BlobStatus

    if not moved:
        yield "dry run: nothing was written"
        return

    for row in moved:
        what = "would send" if row.status is BlobStatus.MISSING else "is there"
        yield f"{what:<10}  {row.descriptor.digest}  {size_text(row.descriptor.size)}"
    size = sum(row.descriptor.size for row in moved if row.status is BlobStatus.MISSING)
    yield f"dry run: nothing was sent, {size_text(size)} would be"
