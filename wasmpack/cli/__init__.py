"""The command line. This module imports click alone; a command's own file loads when it is run."""

import gc
import io
import os
import sys
from typing import NoReturn

_FEWER_COLLECTIONS = 100_000
"""Objects between two collections: loading modules makes many, and none of them is garbage."""


def start() -> NoReturn:
    """Entry point of ``wasmpack``: run a command and leave with the contract's exit code."""
    gc.set_threshold(_FEWER_COLLECTIONS)
    from wasmpack.cli.signals import INTERRUPTED, TERMINATED, Terminated, clean_up_when_terminated

    try:
        clean_up_when_terminated()
        _write_any_text()
        code = _run(sys.argv[1:])
    except KeyboardInterrupt:  # while it loads, or on its way out
        code = INTERRUPTED
    except Terminated:
        code = TERMINATED
    _leave(code)


def _run(arguments: list[str]) -> int:
    from wasmpack.cli.preload import early_dry_run

    with early_dry_run(arguments):
        from wasmpack.cli.main import run

        return run(arguments)


def _write_any_text() -> None:
    """Write out what the encoding of a stream lacks, as ``\\u2603``: no name ends a command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _leave(code: int) -> NoReturn:
    """At once: taking the interpreter down costs more than many a command, and changes nothing.

    Nothing waits for it: files are closed where they are used, and threads that are still on their
    way belong to work that was given up.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):  # nobody reads it any more
            continue
    os._exit(code)
