"""Run git: bounded in time, memory and output, in the given environment alone."""

import math
import os
import selectors
import subprocess
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from wasmpack.errors import WasmpackError
from wasmpack.processes import Exceeded, Limits, Watch, end

NO_GIT = "--no-git builds without annotations from git"
_TIMEOUT = 20.0
"""Seconds for all the commands of a build, and for our work in between."""
_LIMITS = Limits(cpu=math.inf, memory=768 << 20, blocked=5.0)
"""Of one command. Memory: less than 1 GiB by what git can touch between two looks at it."""
OUTPUT = 1 << 22
"""Most bytes on either stream; we expect a few lines."""
_REASON = 500
"""Most characters of a message of git that are repeated."""


class Deadline:
    """The end of a whole series of commands: a repository holds up a build only once."""

    def __init__(self) -> None:
        self._seconds = _TIMEOUT
        self._end = time.monotonic() + self._seconds

    def left(self, what: str) -> float:
        """Seconds until then.

        :param what: the current activity
        :raises WasmpackError: it is over
        """
        seconds = self._end - time.monotonic()
        if seconds > 0:
            return seconds
        took = f"the facts from git took more than {self._seconds:g} seconds"
        raise WasmpackError(f"{what}: {took}", hint=NO_GIT)


def run_git(
    *arguments: str,
    directory: Path,
    environment: Mapping[str, str],
    deadline: Deadline,
    expected: Collection[int] = (0,),
    output: int = OUTPUT,
) -> tuple[int, bytes]:
    """The exit code and standard output of git.

    :param directory: where git starts; ours, so that a relative ``PATH`` finds nothing foreign
    :param output: most bytes on either stream
    :raises WasmpackError: an exit code that is not among the ``expected``, no end, no end of
        output, too much memory
    """
    command = f"git {arguments[0]}"
    deadline.left(command)
    pipe = subprocess.PIPE
    try:
        with subprocess.Popen(
            ["git", *arguments],
            cwd=directory,
            env={**environment, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            start_new_session=True,
        ) as process:
            out, err, exceeded = _watched(process, _Streams(command, deadline, output))
    except OSError as error:
        raise WasmpackError(f"{command}: {error.strerror}", hint=NO_GIT) from error
    if exceeded:
        raise WasmpackError(f"{command}: {exceeded}", hint=NO_GIT)
    if process.returncode not in expected:
        raise WasmpackError(f"{command} failed: {_reason(process.returncode, err)}", hint=NO_GIT)
    return process.returncode, out


def _watched(
    process: subprocess.Popen[bytes], streams: "_Streams"
) -> tuple[bytes, bytes, Exceeded | None]:
    """Both streams, and the limit that git ran into."""
    with Watch(process, _LIMITS) as watch:
        try:
            out, err = streams.read(process)
        except BaseException:
            end(process)
            raise
    return out, err, watch.exceeded


class _Streams:
    """The output of git."""

    def __init__(self, command: str, deadline: Deadline, most: int) -> None:
        self._command, self._deadline, self._most = command, deadline, most

    def read(self, process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
        """Both to their ends, then the end of the process."""
        assert process.stdout
        assert process.stderr
        out, err = bytearray(), bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ, out)
            selector.register(process.stderr, selectors.EVENT_READ, err)
            while selector.get_map():
                for key, _ in selector.select(self._deadline.left(self._command)):
                    if not self._piece(key.fd, key.data):
                        selector.unregister(key.fileobj)
        self._wait(process)
        return bytes(out), bytes(err)

    def _piece(self, stream: int, collected: bytearray) -> bool:
        piece = os.read(stream, 1 << 16)
        collected.extend(piece)
        if len(collected) > self._most:
            what = f"more than {self._most} bytes printed"
            raise WasmpackError(f"{self._command}: {what}", hint=NO_GIT)
        return bool(piece)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        while process.returncode is None:
            try:
                process.wait(self._deadline.left(self._command))
            except subprocess.TimeoutExpired:
                continue


def _reason(code: int, printed: bytes) -> str:
    """On one line; the fatal message comes last, after any warnings."""
    text = " ".join(printed.decode(errors="replace").split())
    return text[-_REASON:] or f"exit code {code}"
