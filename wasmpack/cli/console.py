"""Which stream, in which shape and colour: results to stdout, everything else to stderr.

A result is a value with ``as_json()``, and the lines that show it. Which of the two is printed,
``--format`` chooses once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeVar

import click

from wasmpack.cli.command import Option, Section
from wasmpack.errors import WrongUsage
from wasmpack.redaction import is_text, plain_text, redacted

if TYPE_CHECKING:
    from wasmpack.cli.progress import Ticker
    from wasmpack.cli.project import Project
    from wasmpack.findings import Report
    from wasmpack.stores.session import Session
    from wasmpack.text import Style

F = TypeVar("F", bound=Callable[..., Any])
WIDEST = 120
"""Columns of a line that is easy to read."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """How this run talks, as the options before the command say."""

    color: str = "auto"
    quiet: bool = False
    verbose: int = 0
    debug: bool = False
    progress: bool = True
    stdout_taken: bool = False
    """Standard output carries an archive: results go to stderr too."""
    ticker: Ticker | None = field(default=None, repr=False)
    """Moves on the terminal while work takes long."""

    def show(self, value: Shown, lines: Iterable[str]) -> None:
        """Print a result on stdout."""
        for line in self._lines(value, lines):
            self.result(line)

    def save(self, path: Path, value: Shown, lines: Iterable[str]) -> None:
        """Write a result to a file that the user named."""
        self.write(path, "".join(f"{line}\n" for line in self._lines(value, lines)))

    def write(self, path: Path, text: str) -> None:
        """Write text to a file that the user named."""
        from wasmpack.files.outputs import write_named

        write_named(path, [text.encode(errors="backslashreplace")], self.notice)

    def remark(self, text: str) -> None:
        """Add a line for people, on stderr."""
        self.status(text)

    def result(self, text: str) -> None:
        """One line of the result, on stdout."""
        with self._room():
            click.echo(text, color=True, err=self.stdout_taken)

    def raw(self, chunks: Iterable[bytes], what: str) -> None:
        """Bytes as they are, on stdout.

        :param what: names them in errors
        :raises WrongUsage: they would steer the terminal that they are for
        """
        for data in chunks:
            if sys.stdout.isatty() and not is_text(data):
                raise WrongUsage(
                    f"{what}: binary data, which is not written to a terminal", hint="add: > FILE"
                )
            with self._room():
                sys.stdout.flush()
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()

    def status(self, text: str) -> None:
        """Report progress on stderr."""
        if not self.quiet:
            with self._room():
                click.echo(text, err=True, color=True)

    def notice(self, text: str) -> None:
        """Like :meth:`status`, for untrusted text."""
        self.status(plain_text(redacted(text)))

    def detail(self, text: str) -> None:
        """Report progress in more detail, with ``-v`` only."""
        if self.verbose:
            self.status(text)

    def error(self, message: str, hint: str = "") -> None:
        """Report a failure, and the next command to type."""
        style = self.err_style
        lines = [f"{style('error:', 'red')} {plain_text(redacted(message))}"]
        if hint:
            lines.append(f"{style('hint:', 'cyan')} {plain_text(redacted(hint))}")
        self.failure(lines)

    def failure(self, lines: Iterable[str]) -> None:
        """Lines about a failure, on stderr, quiet or not."""
        with self._room():
            for line in lines:
                click.echo(line, err=True)

    def warn(self, text: str) -> None:
        """A warning, on stderr."""
        self.status(f"{self.err_style('warning:', 'yellow')} {text}")

    @property
    def out_style(self) -> Style:
        """Colour for stdout."""
        return self._style(sys.stdout)

    @property
    def err_style(self) -> Style:
        """Colour for stderr."""
        return self._style(sys.stderr)

    @contextmanager
    def rejections(self) -> Iterator[None]:
        """Run code that may reject an artifact; with JSON, its report goes to stdout too."""
        from wasmpack.actions.rejected import RejectedArtifact

        try:
            yield
        except RejectedArtifact as rejected:
            self._rejected(rejected.report)
            raise

    @contextmanager
    def working(self, session: Session, label: str) -> Iterator[Session]:
        """As :meth:`rejections`, for the session with a progress bar where stderr is a terminal."""
        from wasmpack.cli.progress import shown_on

        with self.rejections(), shown_on(self, session, label) as watched:
            yield watched

    @property
    def is_json(self) -> bool:
        """Results are JSON: one object, at the end."""
        return False

    def with_json(self) -> Console:
        """The same, with results as JSON."""
        return self.turned_into(JsonConsole)

    def turned_into(self, kind: type[Console]) -> Console:
        """The same, with results in another shape."""
        return kind(**{part.name: getattr(self, part.name) for part in fields(self)})

    def _room(self) -> AbstractContextManager[None]:
        """Nothing moves on the terminal meanwhile: not even between clearing and printing."""
        return nullcontext() if self.ticker is None else self.ticker.away()

    def _lines(self, _value: Shown, lines: Iterable[str]) -> Iterable[str]:
        return lines

    def _rejected(self, _report: Report) -> None:
        """The error boundary shows it."""

    def _style(self, stream: IO[str] | None) -> Style:
        from wasmpack.text import Style, columns

        terminal = stream is not None and stream.isatty()
        return Style(
            coloured=self._coloured(stream),
            width=min(columns(), WIDEST),
            narrow=terminal or "COLUMNS" in os.environ,
            detail=self.verbose > 0,
        )

    def _coloured(self, stream: IO[str] | None) -> bool:
        if self.color != "auto":
            return self.color == "always"
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR"):
            return True
        return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


class JsonConsole(Console):
    """A console where results are JSON."""

    __slots__ = ()

    @property
    def is_json(self) -> bool:
        """Results are JSON."""
        return True

    def remark(self, text: str) -> None:
        """Leave it out."""

    def _lines(self, value: Shown, _lines: Iterable[str]) -> Iterable[str]:
        from wasmpack.oci.canonical import indented_json

        return [indented_json(value.as_json())]

    def _rejected(self, report: Report) -> None:
        self.show(report, ())


@dataclass(slots=True)
class Run:
    """One run of the command line, as click's context has it."""

    arguments: Sequence[str] = ()
    """The command line."""
    console: Console = field(default_factory=Console)
    """The default one until the options before the command are read."""
    ticker: Ticker | None = None
    """Moves on the terminal, if there is one."""
    project: Project | None = None
    """The project file, if there is one here and the command has use for it."""
    prepare: Callable[[Run, click.Context, click.Command], None] = lambda *_: None
    """Called once the command is known, before its own options are read."""

    def use(self, console: Console) -> None:
        """Print on this console from now on."""
        self.console = console
        if self.ticker is not None:
            self.ticker.silent = console.quiet or not console.progress


def current_run() -> Run:
    """The run that this is part of."""
    return click.get_current_context().find_object(Run) or Run()


def current_console() -> Console:
    """The console of this run."""
    return current_run().console


def format_choice(
    text: str, others: Mapping[str, Callable[[Console], Console]] | None = None
) -> Callable[[F], F]:
    """``--format``, which gives a command its ``console``.

    :param text: what the shape for people is called
    :param others: further shapes, and what makes their consoles
    """
    shapes = {"json": Console.with_json, **(others or {})}

    def chosen(_ctx: click.Context, _param: click.Parameter, shape: str) -> Console:
        console = current_console()
        return shapes[shape](console) if shape in shapes else console

    return click.option(
        "--format",
        "console",
        cls=Option,
        section=Section.OUTPUT,
        type=click.Choice([text, *shapes]),
        default=text,
        show_default=True,
        callback=chosen,
        help="Set the shape of the result.",
    )


format_option = format_choice("text")
resource_format_option = format_choice("yaml")
