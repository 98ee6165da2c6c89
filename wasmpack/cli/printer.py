"""The shape of a result, chosen once for a whole run: text for people, or JSON.

A result is a value with ``as_json()``, and the lines that show it; which of the two is printed is
known here alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import click

from wasmpack.cli.console import Console, current_run
from wasmpack.oci.canonical import indented_json

if TYPE_CHECKING:
    from wasmpack.findings import Report
    from wasmpack.findings.report import Style
    from wasmpack.oci.place import Place
    from wasmpack.stores.session import Session

F = TypeVar("F", bound=Callable[..., Any])


class Shown(Protocol):
    """A result."""

    def as_json(self) -> object:
        """The contract's shape of it."""


class Facts:
    """A result that is a few facts, by their names in JSON."""

    def __init__(self, **facts: object) -> None:
        self._facts = facts

    def as_json(self) -> object:
        """The contract's shape of them."""
        return {"schemaVersion": 1, **self._facts}


@dataclass(frozen=True, slots=True)
class Printer:
    """Prints results as text."""

    console: Console

    @property
    def style(self) -> Style:
        """Colour for the lines of results."""
        return self.console.out_style

    def show(self, value: Shown, lines: Iterable[str]) -> None:
        """Print a result on stdout."""
        for line in self._lines(value, lines):
            self.console.result(line)

    def save(self, path: Path, value: Shown, lines: Iterable[str]) -> None:
        """Write a result to a file that the user named."""
        from wasmpack.files.outputs import write_named

        text = "".join(f"{line}\n" for line in self._lines(value, lines))
        write_named(path, [text.encode(errors="backslashreplace")], self.console.notice)

    def remark(self, text: str) -> None:
        """Add a line for people, on stderr."""
        self.console.status(text)

    @contextmanager
    def rejections(self) -> Iterator[None]:
        """Where an artifact may be rejected, for whose report JSON has a place on stdout too."""
        from wasmpack.actions.rejected import RejectedArtifact

        try:
            yield
        except RejectedArtifact as rejected:
            self._rejected(rejected.report)
            raise

    @contextmanager
    def working(self, session: Session, label: str) -> Iterator[Session]:
        """As :meth:`rejections`, for the session with a progress bar where that is a terminal."""
        with self.rejections(), self.console.moving(label) as progress:
            yield replace(session, progress=progress)

    def keeping_clear_of(self, destination: Place | None) -> Self:
        """The printer of a command that writes an image: results keep out of an archive's way.

        :raises WrongUsage: the archive would go to a terminal
        """
        return type(self)(self.console.keeping_clear_of(destination))

    def _lines(self, _value: Shown, lines: Iterable[str]) -> Iterable[str]:
        return lines

    def _rejected(self, _report: Report) -> None:
        """The error boundary shows it."""


class JsonPrinter(Printer):
    """Prints results as JSON."""

    __slots__ = ()

    def remark(self, text: str) -> None:
        """Leave it out."""

    def _lines(self, value: Shown, _lines: Iterable[str]) -> Iterable[str]:
        return [indented_json(value.as_json())]

    def _rejected(self, report: Report) -> None:
        self.show(report, ())


def _format_option(text: str) -> Callable[[F], F]:
    """``--format``, which gives a command its ``printer``.

    :param text: what the shape for people is called
    """

    def chosen(_ctx: click.Context, _param: click.Parameter, shape: str) -> Printer:
        return (JsonPrinter if shape == "json" else Printer)(current_run().console)

    return click.option(
        "--format",
        "printer",
        type=click.Choice([text, "json"]),
        default=text,
        show_default=True,
        callback=chosen,
        help="Shape of the result.",
    )


format_option = _format_option("text")
resource_format_option = _format_option("yaml")
