"""Which stream, in which shape and colour: results to stdout, everything else to stderr.

A result is a value with ``as_json()``, and the lines that show it. Which of the two is printed,
``--format`` chooses once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, Self, TypeVar

import click

from wasmpack.errors import WrongUsage
from wasmpack.oci.canonical import indented_json
from wasmpack.redaction import plain_text, redacted

if TYPE_CHECKING:
    import subprocess

    from wasmpack.cli.preload import EarlyChild
    from wasmpack.cli.progress import Bar
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
    _bars: list[Bar] = field(default_factory=list, repr=False)
    """Those that are on the terminal now."""

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
        click.echo(text, color=True, err=self.stdout_taken)

    def raw(self, chunks: Iterable[bytes], what: str) -> None:
        """Bytes as they are, on stdout.

        :param what: names them in errors
        :raises WrongUsage: they would steer the terminal that they are for
        """
        for data in chunks:
            if sys.stdout.isatty() and not _is_text(data):
                raise WrongUsage(
                    f"{what}: binary data, which is not written to a terminal", hint="add: > FILE"
                )
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def status(self, text: str) -> None:
        """Report progress on stderr."""
        if not self.quiet:
            start = _CLEAR_LINE if self._bars else ""  # a bar draws itself again below
            click.echo(f"{start}{text}", err=True, color=True)

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
        click.echo(f"{style('error:', 'red')} {plain_text(redacted(message))}", err=True)
        if hint:
            click.echo(f"{style('hint:', 'cyan')} {plain_text(redacted(hint))}", err=True)

    def warn(self, text: str) -> None:
        """A warning, on stderr."""
        self.status(f"{self.err_style('warning:', 'yellow')} {text}")

    @property
    def out_style(self) -> Style:
        """Colour for stdout."""
        return _style if self._coloured(sys.stdout) else _unstyled

    @property
    def err_style(self) -> Style:
        """Colour for stderr."""
        return _style if self._coloured(sys.stderr) else _unstyled

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
        with self.rejections():
            if self.quiet or not self.progress or not sys.stderr.isatty():
                yield session
                return
            from wasmpack.cli.progress import Bar

            bar = Bar(label)
            self._bars.append(bar)
            try:
                yield replace(session, progress=bar)
            finally:
                self._bars.remove(bar)
                bar.end()

    def keeping_clear_of(self, destination: Place | None) -> Self:
        """The same for results of a command that writes an image, maybe as an archive to stdout.

        :raises WrongUsage: the archive would go to a terminal
        """
        from wasmpack.images.writing import goes_to_stdout

        if not goes_to_stdout(destination):
            return self
        if sys.stdout is not None and sys.stdout.isatty():
            raise WrongUsage(
                f"{destination}: an archive is not written to a terminal",
                hint="send standard output to a file or a pipe, or name a file",
            )
        return replace(self, stdout_taken=True)

    @property
    def is_json(self) -> bool:
        """Results are JSON: one object, at the end."""
        return False

    def with_json(self) -> Console:
        """The same, with results as JSON."""
        return JsonConsole(**{part.name: getattr(self, part.name) for part in fields(self)})

    def _lines(self, _value: Shown, lines: Iterable[str]) -> Iterable[str]:
        return lines

    def _rejected(self, _report: Report) -> None:
        """The error boundary shows it."""

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
        return [indented_json(value.as_json())]

    def _rejected(self, report: Report) -> None:
        self.show(report, ())


_CLEAR_LINE = "\r\x1b[K"


class ReaderGone(Exception):
    """Nobody reads standard output any more."""


@dataclass(slots=True)
class Run:
    """One run of the command line, as click's context has it."""

    child: EarlyChild | None = None
    console: Console = field(default_factory=Console)
    """The default one until the options before the command are read."""

    def take_child(self) -> subprocess.Popen[bytes] | None:
        """The process of the dry run that was started early, for whoever asks first."""
        return self.child.take() if self.child else None


def current_run() -> Run:
    """The run that this is part of."""
    return click.get_current_context().find_object(Run) or Run()


def current_console() -> Console:
    """The console of this run."""
    return current_run().console


def _format_option(text: str) -> Callable[[F], F]:
    """``--format``, which gives a command its ``console``.

    :param text: what the shape for people is called
    """

    def chosen(_ctx: click.Context, _param: click.Parameter, shape: str) -> Console:
        console = current_console()
        return console.with_json() if shape == "json" else console

    return click.option(
        "--format",
        "console",
        type=click.Choice([text, "json"]),
        default=text,
        show_default=True,
        callback=chosen,
        help="Set the shape of the result.",
    )


format_option = _format_option("text")
resource_format_option = _format_option("yaml")


def _is_text(data: bytes) -> bool:
    """True if a terminal shows it as it is."""
    text = data.decode(errors="replace")
    return "\ufffd" not in text and all(c.isprintable() or c in "\n\t" for c in text)


def _style(text: str, colour: str) -> str:
    if colour == "bold":
        return click.style(text, bold=True)
    return click.style(text, dim=True) if colour == "dim" else click.style(text, fg=colour)


def _unstyled(text: str, _colour: str) -> str:
    return text
