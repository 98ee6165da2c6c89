"""Results of validating and writing."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from wasmpack.cli.console import Console
from wasmpack.cli.results import Result, show_results
from wasmpack.errors import WasmpackError, WrongUsage
from wasmpack.findings import Report, Verdict
from wasmpack.findings.report import findings_text, report_lines
from wasmpack.redaction import plain_text

if TYPE_CHECKING:
    from wasmpack.actions.several import Failure
    from wasmpack.images.transfer import Moved
    from wasmpack.images.writing import Written
    from wasmpack.oci.place import Place


REJECTED = 3
"""Exit code of a command that found that something cannot work."""


def show_report(report: Report, console: Console) -> int:
    """Print the report of any ``validate`` command and return the exit code."""
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


def show_all_written(
    outcomes: Iterator[Written | Failure],
    count: int,
    console: Console,
    done: str,
    *,
    planned: bool = False,
) -> int:
    """As :func:`show_written`, of each; return the worst exit code.

    :param done: past participle, for the summary
    """
    results = (_written(outcome, console, planned=planned) for outcome in outcomes)
    return show_results(results, count, console, apart=False, summary=done)


def _written(outcome: Written | Failure, console: Console, *, planned: bool) -> Result | Failure:
    from wasmpack.actions.several import Failure

    if isinstance(outcome, Failure):
        return outcome
    _show_details(outcome, console, planned=planned)
    return Result(value=outcome, lines=lambda _style: [plain_text(outcome.named)])


def show_rejection(error: WasmpackError, console: Console) -> None:
    """Show the findings before the error that reports the rejection."""
    from wasmpack.actions.rejected import RejectedArtifact

    if isinstance(error, RejectedArtifact):
        console.failure(report_lines(error.report, console.err_style))


def show_written(done: Written, console: Console, *, planned: bool = False) -> None:
    """``NAME@DIGEST`` or JSON on stdout; findings and details on stderr.

    :param planned: nothing was written, and what would be is shown too
    """
    _show_details(done, console, planned=planned)
    console.show(done, [plain_text(done.named)])


def _show_details(done: Written, console: Console, *, planned: bool) -> None:
    for line in _plan(done.moved) if planned else ():
        console.status(line)
    if done.report is not None:
        show_findings(done.report, console)
    for blob in done.moved:
        console.detail(f"{blob.status.value:<8} {blob.descriptor.digest} {blob.descriptor.size}")
    for place in done.others:
        console.status(f"also {plain_text(place)}")


def show_findings(report: Report, console: Console) -> None:
    """Findings on stderr, next to a result."""
    for line in findings_text(report, console.err_style):
        console.status(line)


def _plan(moved: Sequence[Moved]) -> Iterator[str]:
    """List what a push would send, followed by a summary."""
    from wasmpack.stores.ports import BlobStatus
    from wasmpack.text import size_text

    if not moved:
        yield "dry run: nothing was written"
        return

    for row in moved:
        what = "would send" if row.status is BlobStatus.MISSING else "is there"
        yield f"{what:<10}  {row.descriptor.digest}  {size_text(row.descriptor.size)}"
    size = sum(row.descriptor.size for row in moved if row.status is BlobStatus.MISSING)
    yield f"dry run: nothing was sent, {size_text(size)} would be"


def clear_of(destination: Place | None, console: Console) -> Console:
    """The console of a command that writes an image, maybe as an archive to standard output.

    :raises WrongUsage: the archive would go to a terminal
    """
    from wasmpack.images.writing import goes_to_stdout

    if not goes_to_stdout(destination):
        return console
    if sys.stdout is not None and sys.stdout.isatty():
        raise WrongUsage(
            f"{destination}: an archive is not written to a terminal",
            hint="send standard output to a file or a pipe, or name a file",
        )
    return replace(console, stdout_taken=True)
