"""Progress on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from wasmpack.cli.console import Console
    from wasmpack.oci.descriptor import Descriptor
    from wasmpack.stores.session import Session


class Bar:
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


def may_move(console: Console) -> bool:
    """Something may move on stderr: it is a terminal, and nobody asked for quiet."""
    wanted = console.progress and not console.quiet and not os.environ.get("CI")
    return wanted and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextmanager
def shown_on(console: Console, session: Session, label: str) -> Iterator[Session]:
    """The session with a progress bar, where stderr is a terminal that wants one."""
    if not may_move(console):
        yield session
        return
    bar = Bar(label)
    console.bars.append(bar)
    try:
        yield replace(session, progress=bar)
    finally:
        console.bars.remove(bar)
        bar.end()
