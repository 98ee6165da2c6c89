"""Something that moves on a terminal while work takes long."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, TYPE_CHECKING

import click

from wasmpack.text import columns

if TYPE_CHECKING:
    from wasmpack.cli.console import Console
    from wasmpack.oci.descriptor import Descriptor
    from wasmpack.stores.session import Session

PATIENCE = 0.5
"""Seconds of work before something is shown."""
_BEAT = 0.1
_SPINNER = "|/-\\"
CLEAR_LINE = "\r\x1b[K"
_MIB = 1 << 20
_LONGEST = 1000
"""Characters of a note that are kept."""


class Activity:
    """A line that says what is done, how much of it, and how long it still takes.

    It is told of bytes as :class:`wasmpack.stores.session.Progress` says, and of notes.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = self._moving_since = clock()
        self._note = self._verb = self._blob = ""
        self._total = self._moved = 0

    def note(self, text: str) -> None:
        """Remember the last thing that was done, as safe text."""
        self._note = text[:_LONGEST]

    def begin(self, verb: str) -> None:
        """Bytes will move from now on.

        :param verb: "pushing"
        """
        self._verb, self._total, self._moved = verb, 0, 0
        self._moving_since = self._clock()

    def expect(self, size: int, /) -> None:
        self._total += size

    def __call__(self, descriptor: Descriptor, size: int, /) -> None:
        from wasmpack.redaction import plain_text

        self._moved += size
        self._blob = plain_text(descriptor.title or str(descriptor.digest)[:19])

    def line(self, width: int) -> str:
        """The line as it is now; empty for the first half second."""
        elapsed = self._clock() - self._started
        if elapsed < PATIENCE:
            return ""
        if self._verb and self._total and self._moved < self._total:
            return self._transfer()[: width - 1]
        turn = _SPINNER[int(elapsed / _BEAT) % len(_SPINNER)]
        return f"{turn} {elapsed:.0f} s  {self._note}".rstrip()[: width - 1]

    def _transfer(self) -> str:
        took = max(self._clock() - self._moving_since, _BEAT)
        speed = self._moved / took
        left = f"{(self._total - self._moved) / speed:.0f} s left" if speed else "waiting"
        share = f"{self._moved / _MIB:.1f} of {self._total / _MIB:.1f} MiB"
        return f"{self._verb} {self._blob}  {share}  {speed / _MIB:.1f} MiB/s  {left}"


class Ticker:
    """Draws an activity on a terminal from a thread, and takes it away for other lines."""

    def __init__(self, activity: Activity, stream: IO[str]) -> None:
        self.activity = activity
        self.silent = False
        """Nothing is drawn: the user asked for quiet."""
        self._stream = stream
        self._drawn = False
        self._lock = threading.Lock()
        self._over = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Take the line away while something else is printed."""
        with self._lock:
            self._erase()
            yield

    def end(self) -> None:
        """Draw no more."""
        self._over.set()
        self.silent = True
        with self._lock:
            self._erase()

    def draw(self) -> None:
        """Draw the line as it is now."""
        with self._lock:
            line = self.activity.line(columns())
            if line and not self.silent:
                self._stream.write(CLEAR_LINE + line)
                self._stream.flush()
                self._drawn = True

    def _erase(self) -> None:
        if self._drawn:
            self._stream.write(CLEAR_LINE)
            self._stream.flush()
            self._drawn = False

    def _run(self) -> None:
        while not self._over.wait(_BEAT):
            self.draw()


def ticker_on(stream: IO[str] | None) -> Ticker | None:
    """A ticker, if that is a terminal on which something may move: not in CI, not a dumb one."""
    still = os.environ.get("CI") or os.environ.get("TERM") == "dumb"
    if stream is None or still or not stream.isatty():
        return None
    return Ticker(Activity(), stream)


def ask(console: Console, text: str, *, hidden: bool = False) -> str:
    """Ask the user on the terminal, where nothing moves meanwhile."""
    ticker = console.ticker
    if ticker is None:
        return str(click.prompt(text, hide_input=hidden, err=True))
    with ticker.away():
        return str(click.prompt(text, hide_input=hidden, err=True))


@contextmanager
def shown_on(console: Console, session: Session, verb: str) -> Iterator[Session]:
    """The session that reports what moves, where something may."""
    if console.ticker is None:
        yield session
        return
    console.ticker.activity.begin(verb)
    yield replace(session, progress=console.ticker.activity)
