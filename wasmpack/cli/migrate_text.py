"""A migration on the terminal: the resources on stdout, what was done on stderr."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from wasmpack.cli.console import Console
from wasmpack.findings import Severity
from wasmpack.findings.report import finding_lines, said_once
from wasmpack.redaction import plain_text
from wasmpack.text import table

if TYPE_CHECKING:
    from wasmpack.actions.image_moves import ImageOutcome
    from wasmpack.actions.migrate import Migration, MigrationRow
    from wasmpack.kubeyaml.documents import Document

_COLOURS = {"packed": "green", "copied": "green", "exists": "green", "failed": "red"}
_HEAD = ("NAMESPACE", "NAME", "STATUS", "FINDINGS")


def show_image(outcome: ImageOutcome, console: Console) -> None:
    """One image that is done."""
    status = console.err_style(f"{outcome.status.value:<6}", _COLOURS[outcome.status.value])
    console.status(f"{status} {plain_text(outcome.source)} -> {plain_text(outcome.destination)}")


def show_migration(done: Migration, console: Console) -> None:
    """The new resources, the findings, a table."""
    from wasmpack.kubeyaml.writer import Rendered

    asked = max((len(row.report.targets) for row in done.rows), default=0)
    for finding, others in said_once(f for row in done.rows for f in row.report.findings):
        say = console.detail if finding.severity is Severity.INFO else console.status
        for line in finding_lines(finding, console.err_style, asked=asked, others=others):
            say(line)
    if len(done.rows) > 1:
        for line in table(_cells(done.rows), console.err_style, head=_HEAD):
            console.status(line)
    console.show(Rendered(documents=done.outputs), resource_lines(done.outputs))


def resource_lines(outputs: Sequence[Document]) -> Iterator[str]:
    """New resources as one stream of YAML; documents that stay, as they were written."""
    from wasmpack.actions.migrate import documents_text
    from wasmpack.kubeyaml.writer import join_documents

    texts = documents_text(outputs)
    if texts:
        yield join_documents(texts).rstrip("\n")


def _cells(rows: Sequence[MigrationRow]) -> list[tuple[str, ...]]:
    return [
        (
            plain_text(str(row.migrated.extension.metadata.get("namespace") or "-")),
            plain_text(row.migrated.extension.name or "?"),
            "migrated" if row.done else "refused",
            _counted(row),
        )
        for row in rows
    ]


def _counted(row: MigrationRow) -> str:
    parts = []
    for severity in Severity:
        count = sum(finding.severity is severity for finding in row.report.findings)
        if count:
            plural = "s" if count > 1 and severity is not Severity.INFO else ""
            parts.append(f"{count} {severity.value}{plural}")
    return ", ".join(parts) or "none"
