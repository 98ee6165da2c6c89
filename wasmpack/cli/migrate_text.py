"""A migration on the terminal: the resources on stdout, what was done on stderr."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wasmpack.cli.console import Console, column, json_text
from wasmpack.findings.report import finding_lines
from wasmpack.redaction import plain_text

if TYPE_CHECKING:
    from wasmpack.actions.migrate import Migration, MigrationRow
    from wasmpack.actions.migrate_images import ImageOutcome

_COLOURS = {"packed": "green", "exists": "green", "failed": "red"}


def show_image(outcome: ImageOutcome, console: Console) -> None:
    """One image that is done."""
    status = console.err_style(f"{outcome.status.value:<6}", _COLOURS[outcome.status.value])
    console.status(f"{status} {plain_text(outcome.source)} -> {plain_text(outcome.destination)}")


def show_migration(done: Migration, shape: str, report: Path | None, console: Console) -> None:
    """The new resources, the findings, a table; and the report where it is wanted."""
    from wasmpack.actions.migrate import documents_text
    from wasmpack.actions.migration_report import markdown
    from wasmpack.files.outputs import write_named
    from wasmpack.kubeyaml.reader import read_documents
    from wasmpack.kubeyaml.writer import join_documents, resources_json

    if report is not None:
        as_json = report.suffix == ".json"
        text = json_text(done.as_json()) + "\n" if as_json else markdown(done)
        write_named(report, [text.encode(errors="backslashreplace")], console.notice)
    for row in done.rows:
        for finding in row.report.findings:
            say = console.detail if finding.severity == "info" else console.status
            for line in finding_lines(finding, console.err_style, asked=len(row.report.targets)):
                say(line)
    if len(done.rows) > 1:
        for line in _table(done.rows, console):
            console.status(line)
    texts = documents_text(done.outputs)
    if shape == "yaml":
        if texts:
            console.result(join_documents(texts).rstrip("\n"))
        return
    values = [d.value for text in texts for d in read_documents(text.encode(), "output")]
    console.result(resources_json(values).rstrip("\n"))


def _table(rows: tuple[MigrationRow, ...], console: Console) -> list[str]:
    cells = [
        (
            plain_text(str(row.migrated.extension.metadata.get("namespace") or "-")),
            plain_text(row.migrated.extension.name or "?"),
            "migrated" if row.done else "refused",
            _counted(row),
        )
        for row in rows
    ]
    head = ("NAMESPACE", "NAME", "STATUS", "FINDINGS")
    widths = [column(texts) for texts in zip(head, *cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in (head, *cells)
    ]
    return [console.err_style(lines[0].rstrip(), "bold"), *(line.rstrip() for line in lines[1:])]


def _counted(row: MigrationRow) -> str:
    parts = []
    for severity in ("error", "warning", "info"):
        count = sum(finding.severity.value == severity for finding in row.report.findings)
        if count:
            plural = "s" if count > 1 and severity != "info" else ""
            parts.append(f"{count} {severity}{plural}")
    return ", ".join(parts) or "none"
