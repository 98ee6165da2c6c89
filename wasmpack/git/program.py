"""Run git: for a bounded time, with bounded output, in the environment it is given and no other."""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from wasmpack.errors import WasmpackError

NO_GIT = "--no-git builds without annotations from git"
_TIMEOUT = 30.0
"""Seconds for one command."""
_OUTPUT = 1 << 22
"""Most bytes on either stream; what we ask for is a few lines."""
_REASON = 500
"""Most characters of a message of git that are repeated."""


def run_git(
    *arguments: str,
    directory: Path,
    environment: Mapping[str, str],
    expected: Collection[int] = (0,),
) -> tuple[int, bytes]:
    """The exit code and standard output of git.

    :param directory: where git starts; ours, so that a relative ``PATH`` finds nothing foreign
    :raises WasmpackError: an exit code that is not among the ``expected``, no end, or no end of
        output
    """
    command = f"git {arguments[0]}"
    pipe = subprocess.PIPE
    try:
        with subprocess.Popen(
            ["git", *arguments], cwd=directory, env={**environment, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, start_new_session=True,
        ) as process:  # fmt: skip
            try:
                out, err = _collect(process, time.monotonic() + _TIMEOUT)
            except BaseException:
                _kill(process)
                raise
    except subprocess.TimeoutExpired:
        raise WasmpackError(f"{command}: no answer in {_TIMEOUT:g} seconds", hint=NO_GIT) from None
    except _TooMuch:
        raise WasmpackError(f"{command}: more than {_OUTPUT} bytes printed", hint=NO_GIT) from None
    except OSError as error:
        raise WasmpackError(f"{command}: {error.strerror}", hint=NO_GIT) from error
    if process.returncode not in expected:
        raise WasmpackError(f"{command} failed: {_reason(process.returncode, err)}", hint=NO_GIT)
    return process.returncode, out


class _TooMuch(Exception):
    """More output than anybody asked for."""


def _collect(process: subprocess.Popen[bytes], deadline: float) -> tuple[bytes, bytes]:
    """Both streams to their ends, then the end of the process."""
    assert process.stdout
    assert process.stderr
    out, err = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, out)
        selector.register(process.stderr, selectors.EVENT_READ, err)
        while selector.get_map():
            ready = selector.select(max(0, deadline - time.monotonic()))
            if not ready:
                raise subprocess.TimeoutExpired(process.args, _TIMEOUT)
            for key, _ in ready:
                piece = os.read(key.fd, 1 << 16)
                key.data.extend(piece)
                if not piece:
                    selector.unregister(key.fileobj)
                if len(key.data) > _OUTPUT:
                    raise _TooMuch
    process.wait(max(0, deadline - time.monotonic()))
    return bytes(out), bytes(err)


def _reason(code: int, printed: bytes) -> str:
    """On one line; the fatal message comes last, after any warnings."""
    text = " ".join(printed.decode(errors="replace").split())
    return text[-_REASON:] or f"exit code {code}"


def _kill(process: subprocess.Popen[bytes]) -> None:
    """With its children: ``git`` may be a script of a version manager."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
