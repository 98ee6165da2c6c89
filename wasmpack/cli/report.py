"""Results of validating and writing, on one subject or on several: as text, or as one object."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import click

from wasmpack.cli.console import Console, Shown
from wasmpack.errors import WasmpackError, WrongUsage
from wasmpack.findings import Report, Verdict
from wasmpack.findings.report import findings_text, report_lines
from wasmpack.redaction import plain_text

if TYPE_CHECKING:
    from wasmpack.actions.several import Failure
    from wasmpack.findings.text import Style
    from wasmpack.images.transfer import Moved
    from wasmpack.images.writing import Written
    from wasmpack.oci.place import Place


Lines = Callable[["Style"], Iterable[str]]
REJECTED = 3
"""Exit code of a command that found that something cannot work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result on one subject."""

    value: Shown
    lines: Lines
    """The same for people."""
    code: int = 0
    """Exit code of a command that has this result alone."""


def show_results(
    results: Iterator[Result | Failure],
    count: int,
    console: Console,
    *,
    judged: bool = False,
    apart: bool = True,
    summary: str = "",
) -> int:
    """Print each result, and a summary if there are several; return the worst exit code.

    :param count: how many there are
    :param judged: the results are verdicts
    :param apart: an empty line goes between them
    :param summary: past participle for a summary of those that succeeded, on stderr
    :raises WasmpackError: there is one subject, and this is its failure
    """
    if count > 1:
        several = Several(results, console, judged=judged, apart=apart)
        console.show(several, several.lines())
        if summary:
            console.status(several.tally(summary))
        return max(several.codes)
    alone = next(results)
    if not isinstance(alone, Result):
        raise alone.error
    console.show(alone.value, alone.lines(console.out_style))
    return alone.code


class Several:
    """The results, made as they are asked for."""

    def __init__(
        self, results: Iterator[Result | Failure], console: Console, *, judged: bool, apart: bool
    ) -> None:
        self._results = results
        self._console = console
        self._judged = judged
        self._between = [""] if apart else []
        self._accepted = self._failed = 0
        self.codes: list[int] = []
        """Exit codes of those that were shown."""

    def lines(self) -> Iterator[str]:
        """The results, and a summary of verdicts."""
        between: list[str] = []
        for result in self._each():
            if isinstance(result, Result):
                yield from between
                yield from result.lines(self._console.out_style)
                between = self._between
        if self._judged:
            yield from (*between, self._summary())

    def values(self) -> list[Shown]:
        """The value of each result, or the reason of its failure."""
        return [r.value if isinstance(r, Result) else r for r in self._each()]

    def as_json(self) -> object:
        """The contract's shape of several results."""
        values = self.values()
        verdict = {"verdict": "reject" if any(self.codes) else "accept"} if self._judged else {}
        return {"schemaVersion": 1, **verdict, "results": [value.as_json() for value in values]}

    def _each(self) -> Iterator[Result | Failure]:
        for result in self._results:
            if isinstance(result, Result):
                self.codes.append(result.code)
                self._accepted += not result.code
            else:
                self.codes.append(result.error.exit_code)
                self._failed += 1
                show_rejection(result.error, self._console)
                self._console.error(result.error.message, result.error.hint)
            yield result

    def tally(self, done: str) -> str:
        """How many succeeded, and how many did not."""
        failed = f", {self._failed} failed" if self._failed else ""
        return f"{len(self.codes)} images: {self._accepted} {done}{failed}"

    def _summary(self) -> str:
        rejected = len(self.codes) - self._accepted - self._failed
        more = f", {self._failed} not validated" if self._failed else ""
        return f"{len(self.codes)} subjects: {self._accepted} accepted, {rejected} rejected{more}"


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
        for line in report_lines(error.report, console.err_style):
            click.echo(line, err=True)


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
