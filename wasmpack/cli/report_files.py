"""``--report FILE``: what was done, as Markdown or JSON."""

from collections.abc import Callable
from pathlib import Path

from wasmpack.cli.console import Console, Shown
from wasmpack.errors import NotFound, WrongUsage
from wasmpack.files.outputs import check_named

REPORT = "Write what was done to FILE.md or FILE.json."
"""Help of the option."""


def check_report(path: Path | None) -> None:
    """Refuse early what could not be written later.

    :raises WrongUsage: another suffix
    :raises NotFound: no such directory
    """
    if path is None:
        return
    if path.suffix not in {".md", ".json"}:
        raise WrongUsage(
            f"--report {path}: expected a name that ends in .md or .json",
            hint="--report report.md for people, report.json for programs",
        )
    if not path.parent.is_dir():
        raise NotFound(f"--report {path}: no such directory")
    check_named(path)


def write_report(done: Shown, markdown: Callable[[], str], path: Path, console: Console) -> None:
    """Write a report in the form that the name says."""
    if path.suffix == ".json":
        console.with_json().save(path, done, ())
    else:
        console.write(path, markdown())
