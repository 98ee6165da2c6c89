"""The report of a migration, as a Markdown document."""

from collections.abc import Iterator

from wasmpack.actions.migrate import Migration, MigrationRow
from wasmpack.findings import Finding


def markdown(migration: Migration) -> str:
    """A table of all resources, then the findings of each."""
    return "\n".join(_lines(migration)) + "\n"


def _lines(migration: Migration) -> Iterator[str]:
    done = sum(row.done for row in migration.rows)
    yield "# Migration of ServiceMeshExtensions"
    yield ""
    yield f"{done} of {len(migration.rows)} became a WasmPlugin."
    yield ""
    yield "| namespace | name | status | image | errors | warnings |"
    yield "|---|---|---|---|---|---|"
    for row in migration.rows:
        extension = row.migrated.extension
        image = row.image.destination if row.image else extension.image
        errors, warnings = _count(row, "error"), _count(row, "warning")
        cells = (
            extension.metadata.get("namespace") or "",
            extension.name,
            "migrated" if row.done else "refused",
            image,
            errors,
            warnings,
        )
        yield f"| {' | '.join(cell(str(value)) for value in cells)} |"
    for row in migration.rows:
        yield from _section(row)


def _section(row: MigrationRow) -> Iterator[str]:
    extension = row.migrated.extension
    namespace = extension.metadata.get("namespace")
    yield ""
    yield f"## {cell(f'{namespace}/{extension.name}' if namespace else extension.name or '?')}"
    yield ""
    yield f"From {code(extension.document.where())}: {'migrated' if row.done else '**refused**'}."
    if row.image:
        digest = f" (`{row.image.digest}`)" if row.image.digest else ""
        yield ""
        yield (
            f"Image {code(row.image.source)} → {code(row.image.destination)}{digest}: "
            f"{row.image.status.value}."
        )
    if row.report.findings:
        yield ""
    for finding in row.report.findings:
        yield _item(finding, asked=len(row.report.targets))


def _item(finding: Finding, *, asked: int) -> str:
    fix = f" Fix: {finding.hint}." if finding.hint else ""
    only = f" Only {', '.join(finding.targets)}." if len(finding.targets) < asked else ""
    head = f"- **{finding.severity.value}** {finding.code} {code(finding.where)}: "
    return head + cell(f"{finding.message}.{fix}{only}")


def _count(row: MigrationRow, severity: str) -> int:
    return sum(finding.severity.value == severity for finding in row.report.findings)


def cell(text: str) -> str:
    """Text escaped for Markdown: no control characters, no foreign markup."""
    plain = "".join(char if char.isprintable() else " " for char in text)
    return plain.replace("<", "&lt;").replace("|", "\\|")


def code(text: str) -> str:
    """Between backticks, which it may not hold itself."""
    return f"`{cell(text).replace('`', chr(39))}`"
