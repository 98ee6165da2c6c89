"""The report of a mirror, as a Markdown document."""

from collections.abc import Iterator

from wasmpack.actions.migration_report import cell, code
from wasmpack.actions.mirror import Mirror


def mirror_markdown(done: Mirror) -> str:
    """A table of all images, then one of the resources."""
    return "\n".join(_lines(done)) + "\n"


def _lines(done: Mirror) -> Iterator[str]:
    there = sum(1 for image in done.images if image.digest)
    yield "# Mirror of plugin images"
    yield ""
    yield f"{there} of {len(done.images)} images are at their new place."
    yield ""
    yield "| image | new name | digest | status | reason |"
    yield "|---|---|---|---|---|"
    for image in done.images:
        reason = image.reason or (image.replaced and f"replaces {image.replaced}")
        cells = (image.source, image.destination, image.digest, image.status.value, reason)
        yield f"| {' | '.join(map(cell, cells))} |"
    if not done.rows:
        return
    yield ""
    yield "| resource | from | status |"
    yield "|---|---|---|"
    for row in done.rows:
        status = "mirrored" if row.done else "**refused**"
        yield f"| {cell(row.name)} | {code(row.document.where())} | {status} |"
