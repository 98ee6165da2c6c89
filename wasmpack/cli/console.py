"""Which stream, in which colour: results to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING, Self

import click

from wasmpack.errors import WrongUsage
from wasmpack.redaction import plain_text, redacted

if TYPE_CHECKING:
    import subprocess

    from click._termui_impl import ProgressBar

    from wasmpack.cli.preload import EarlyChild
    from wasmpack.findings.report import Style
    from wasmpack.oci.descriptor import Descriptor
    from wasmpack.oci.place import Place
    from wasmpack.stores.ports import Progress


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
    _bars: list[_Bar] = field(default_factory=list, repr=False)
    """Those that are on the terminal now."""

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
        """What is going on, on stderr."""
        if not self.quiet:
            start = _CLEAR_LINE if self._bars else ""  # a bar draws itself again below
            click.echo(f"{start}{text}", err=True, color=True)

    def notice(self, text: str) -> None:
        """As :meth:`status`, in words that may come from anybody."""
        self.status(plain_text(redacted(text)))

    def detail(self, text: str) -> None:
        """What is going on, for those who asked with ``-v``."""
        if self.verbose:
            self.status(text)

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
    def moving(self, label: str) -> Iterator[Progress | None]:
        """A progress bar on stderr; nothing where that is no terminal."""
        if self.quiet or not self.progress or not sys.stderr.isatty():
            yield None
            return
        bar = _Bar(label)
        self._bars.append(bar)
        try:
            yield bar
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

    def _coloured(self, stream: IO[str] | None) -> bool:
        if self.color != "auto":
            return self.color == "always"
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR"):
            return True
        return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


class _Bar:
    """A progress bar that is drawn as soon as it is known how much is to move."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: ProgressBar[int] | None = None

    def expect(self, size: int, /) -> None:
        if self._bar is None:
            self._bar = click.progressbar(
                length=size, label=self._label, file=sys.stderr, show_eta=False, width=30
            )
            self._bar.__enter__()
        else:
            self._bar.length = (self._bar.length or 0) + size

    def __call__(self, _descriptor: Descriptor, size: int, /) -> None:
        if self._bar is not None:
            self._bar.update(size)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)


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


def _is_text(data: bytes) -> bool:
    """Whether a terminal shows it as it is."""
    text = data.decode(errors="replace")
    return "\ufffd" not in text and all(c.isprintable() or c in "\n\t" for c in text)


def _style(text: str, colour: str) -> str:
    if colour == "bold":
        return click.style(text, bold=True)
    return click.style(text, dim=True) if colour == "dim" else click.style(text, fg=colour)


def _unstyled(text: str, _colour: str) -> str:
    return text
