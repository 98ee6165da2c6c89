"""The one place where an exception becomes text and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.exceptions import NoArgsIsHelpError

from wasmpack.cli.command import ONCE_READ
from wasmpack.cli.console import Console, Run
from wasmpack.cli.root import ReaderGone, cli, inner_commands
from wasmpack.cli.signals import INTERRUPTED, TERMINATED, Terminated
from wasmpack.cli.usage import usage_hint, usage_message
from wasmpack.errors import WasmpackError, WasmpackWarning
from wasmpack.redaction import listening, plain_text, redacted

if TYPE_CHECKING:
    from wasmpack.cli.progress import Ticker

COMPLETE = "__complete"
"""Stands in place of a command when a shell's script asks."""
_BROKEN_PIPE = 141
"""Exit code that a shell reports for a program killed by a closed pipe (128 + SIGPIPE)."""
_UNDECODABLE = "surrogates not allowed"
"""The codec's reason for bytes that Python could not decode when it started (PEP 383)."""
_PROJECT_FILES = {"wasmpack.toml": b"", "pyproject.toml": b"[tool.wasmpack"}
"""Names, and what a file of that name holds if it is meant."""
_OF_PROJECT = {"targets", "annotations", "plugin_config", "vm_config"}
"""Parameters that a project file can set."""
_LARGEST = 1 << 20
"""Bytes of a file that is searched for it."""


def run(arguments: Sequence[str]) -> int:
    """Run a command line; returns its exit code and never raises."""
    if arguments[:1] == [COMPLETE]:
        return _complete(arguments[1:])
    ticker = _ticker()
    try:
        return _run(arguments, Run(arguments, ticker=ticker, prepare=use_project))
    finally:
        if ticker is not None:
            ticker.end()


def _ticker() -> Ticker | None:
    if sys.stderr is None or not sys.stderr.isatty():
        return None
    from wasmpack.cli.progress import ticker_on

    return ticker_on(sys.stderr)


def _run(arguments: Sequence[str], this: Run) -> int:
    started = time.monotonic()
    with warnings.catch_warnings():
        warnings.showwarning = _shown_by(this)
        try:
            with listening(_detail_of(this)):
                result = cli.main(list(arguments), "wasmpack", standalone_mode=False, obj=this)
            this.console.detail(f"done in {time.monotonic() - started:.2f} s")
            if sys.stdout is not None:
                sys.stdout.flush()
        except (BrokenPipeError, ReaderGone):
            if sys.stdout is not None:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return _BROKEN_PIPE
        except Terminated:
            return _told(this.console, "terminated", "", TERMINATED)
        except (KeyboardInterrupt, click.Abort):
            return _told(this.console, "interrupted", "", INTERRUPTED)
        except Exception as error:  # noqa: BLE001 - the boundary: nothing gets past it
            if _debugging(arguments):
                this.console.failure(_traceback_lines())
            return _explain(error, this.console)
    return result if isinstance(result, int) else 0


def _complete(request: Sequence[str]) -> int:
    """Answer a shell; whatever goes wrong, it gets no answer rather than an error."""
    from wasmpack.cli.completion import answer

    with contextlib.suppress(Exception):
        for line in answer(request):
            click.echo(line)
    return 0


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


def _detail_of(this: Run) -> Callable[[str], None]:
    """Return a function that shows notes as the console of the moment does."""

    def show(text: str) -> None:
        this.console.detail(text)
        if this.ticker is not None:
            this.ticker.activity.note(text)

    return show


def _traceback_lines() -> list[str]:
    """With as few secrets as a message has, and as harmless to a terminal."""
    import traceback

    return [plain_text(line) for line in redacted(traceback.format_exc()).splitlines()]


def _explain(error: Exception, console: Console) -> int:
    if isinstance(error, WasmpackError):
        from wasmpack.cli.report import show_rejection

        show_rejection(error, console)
        return _told(console, error.message, error.hint, error.exit_code)
    if isinstance(error, NoArgsIsHelpError):
        console.failure([error.format_message()])
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


def use_project(run: Run, context: click.Context, command: click.Command) -> None:
    """Let the project file here, if there is one, set what the command line and variables do not.

    :param context: of the group of all commands
    """
    found = None
    with contextlib.suppress(OSError):  # the working directory was deleted
        found = find_project(Path.cwd()) if _has_use(command) else None
    if found is None:
        return
    from wasmpack.cli.project import of_command, read_project

    project = run.project = read_project(*found)
    name = str(context.invoked_subcommand)
    context.default_map = {name: of_command(command, project.defaults())}
    said = f"using {os.path.relpath(project.file)}: {', '.join(project.settings) or 'empty'}"
    context.meta[ONCE_READ] = [lambda: run.console.notice(said)]


def _has_use(command: click.Command) -> bool:
    """True if the project file can say something that the command asks for."""
    return (
        getattr(command, "of_project", False)
        or any(
            param.name in _OF_PROJECT or getattr(param.type, "of_project", False)
            for param in command.params
        )
        or any(map(_has_use, inner_commands(command).values()))
    )


def find_project(start: Path) -> tuple[Path, Path] | None:
    """The nearest project file and its repository, from a directory upwards.

    Without a repository, the directory itself is looked at alone.
    """
    inside = [start, *start.parents]
    root = next((path for path in inside if (path / ".git").exists()), start)
    for path in inside[: inside.index(root) + 1]:
        for name, mark in _PROJECT_FILES.items():
            file = path / name
            with contextlib.suppress(OSError):
                if file.is_file() and mark in _start_of(file):
                    return file, root
    return None


def _start_of(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(_LARGEST)
