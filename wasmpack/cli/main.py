"""The one place where an exception becomes text and an exit code."""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click
from click.exceptions import NoArgsIsHelpError

from wasmpack.cli.console import Console, ReaderGone, Run
from wasmpack.cli.root import cli
from wasmpack.cli.usage import usage_hint, usage_message
from wasmpack.errors import WasmpackError, WasmpackWarning
from wasmpack.redaction import plain_text

if TYPE_CHECKING:
    from wasmpack.cli.preload import EarlyChild

_INTERRUPTED, _TERMINATED = 130, 143
_BROKEN_PIPE = 141
"""Exit code that a shell reports for a program killed by a closed pipe (128 + SIGPIPE)."""
_UNDECODABLE = "surrogates not allowed"
"""The codec's reason for bytes that Python could not decode when it started (PEP 383)."""


def run(arguments: Sequence[str], child: EarlyChild | None = None) -> int:
    """Run a command line; returns its exit code and never raises.

    :param child: the process of the dry run, if it was started already
    """
    this = Run(child)
    _clean_up_when_terminated()
    with warnings.catch_warnings():
        warnings.showwarning = _shown_by(this)
        try:
            result = cli.main(list(arguments), "wasmpack", standalone_mode=False, obj=this)
            if sys.stdout is not None:
                sys.stdout.flush()
        except (BrokenPipeError, ReaderGone):
            if sys.stdout is not None:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return _BROKEN_PIPE
        except _Terminated:
            return _told(this.console, "terminated", "", _TERMINATED)
        except (KeyboardInterrupt, click.Abort):
            return _told(this.console, "interrupted", "", _INTERRUPTED)
        except Exception as error:  # noqa: BLE001 - the boundary: nothing gets past it
            if _debugging(arguments):
                _show_traceback()
            return _explain(error, this.console)
    return result if isinstance(result, int) else 0


def _debugging(arguments: Sequence[str]) -> bool:
    wanted = os.environ.get("WASMPACK_DEBUG", "0") not in {"", "0", "false"}
    return wanted or "--debug" in arguments


def _shown_by(this: Run) -> Callable[..., None]:
    """Return a function that shows our warnings in our form, those of libraries as usual."""
    show_other = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, WasmpackWarning):
            this.console.warn(plain_text(str(message)))
        else:
            show_other(message, category, *place, **more)

    return show


def _show_traceback() -> None:
    """With as few secrets as a message has, and as harmless to a terminal."""
    import traceback

    from wasmpack.redaction import redacted

    for line in redacted(traceback.format_exc()).splitlines():
        click.echo(plain_text(line), err=True)


class _Terminated(BaseException):
    """SIGTERM or SIGHUP, as an exception: processes and files are cleaned up on its way."""


def _clean_up_when_terminated() -> None:
    def end(_number: int, _frame: object) -> None:
        raise _Terminated

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, end)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, end)


def _explain(error: Exception, console: Console) -> int:
    if isinstance(error, WasmpackError):
        from wasmpack.cli.report import show_rejection

        show_rejection(error, console)
        return _told(console, error.message, error.hint, error.exit_code)
    if isinstance(error, NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return 2
    if isinstance(error, click.UsageError):
        return _told(console, usage_message(error), usage_hint(error), 2)
    if isinstance(error, click.ClickException):
        return _told(console, error.format_message(), "", 1)
    if isinstance(error, UnicodeEncodeError) and error.reason == _UNDECODABLE:
        return _told(console, "an argument or a variable of the environment is not UTF-8", "", 2)
    if isinstance(error, OSError) and isinstance(error.filename, str):
        from wasmpack.files.directories import explanation

        return _explain(explanation(error.filename, error), console)
    if isinstance(error, OSError):
        return _told(console, error.strerror or str(error), "", 1)
    return _told(
        console,
        f"internal error: {type(error).__name__}: {error}",
        "this is a bug in wasmpack: run again with --debug and report what it prints",
        1,
    )


def _told(console: Console, message: str, hint: str, code: int) -> int:
    console.error(message, hint)
    return code
