"""A report as text: what was found, what to do, and the matrix of targets."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from wasmpack.cli.console import Console
from wasmpack.findings import Report, Severity, Verdict
from wasmpack.findings.report import findings_text, report_lines
from wasmpack.redaction import plain_text

if TYPE_CHECKING:
    from wasmpack.images.transfer import Moved
    from wasmpack.images.writing import Written

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_INDENT = 2
_REJECTED = 3


def show_report(report: Report, shape: str, console: Console) -> int:
    """What every ``validate`` prints; the exit code."""
    if shape == "json":
        console.json(report.as_json())
    else:
        for line in report_lines(report, console.out_style):
            console.result(line)
    return _REJECTED if report.verdict is Verdict.REJECT else 0


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
        console.result(plain_text(done.named))


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
