"""Which stream, in which colour: results to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import click

from wasmpack.errors import WrongUsage
from wasmpack.redaction import plain_text, redacted

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from wasmpack.findings.report import Style
    from wasmpack.oci.descriptor import Descriptor
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

    def result(self, text: str) -> None:
        """One line of the result, on stdout."""
        click.echo(text, color=True, err=self.stdout_taken)

    def json(self, value: object) -> None:
        """The result as JSON, on stdout."""
        click.echo(json_text(value), err=self.stdout_taken)

    def raw(self, data: bytes, what: str) -> None:
        """Bytes as they are, on stdout.

        :param what: names them in errors
        :raises WrongUsage: they would steer the terminal that they are for
        """
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
            start = _CLEAR_LINE if _bars else ""  # a bar draws itself again below
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
        _bars.append(bar)
        try:
            yield bar
        finally:
            _bars.remove(bar)
            bar.end()

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


_bars: list[_Bar] = []
"""Those that are on the terminal now."""
_CLEAR_LINE = "\r\x1b[K"


class ReaderGone(Exception):
    """Nobody reads standard output any more."""


_remembered: list[Console] = []


def remember(console: Console) -> Console:
    """Keep the console of this run for the error boundary, which stands outside of click."""
    _remembered[:] = [console]
    return console


def remembered() -> Console:
    """The console of this run, or the default before its options were read."""
    return _remembered[0] if _remembered else Console()


def json_text(value: object) -> str:
    """JSON as every command and every file of ours has it."""
    import json

    from wasmpack.oci.canonical import well_formed

    return json.dumps(well_formed(value), indent=2)


def column(texts: Iterable[str]) -> int:
    """How wide a column of a table is; one text that is longer does not widen all its rows."""
    return min(_WIDEST, max(map(len, texts), default=0))


_WIDEST = 100
"""Characters of a column: most names of images are shorter."""


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
