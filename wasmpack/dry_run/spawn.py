"""The process of dry runs: start it as early as possible, and watch it.

See :mod:`wasmpack.dry_run.sandbox` for the requests, :mod:`wasmpack.dry_run.worker` for the
answers.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, Protocol

from wasmpack.confinement import allowed_environment, import_path
from wasmpack.dry_run.nursery import warm_worker
from wasmpack.errors import WasmpackError
from wasmpack.processes import Bound, ChildProcess, Exceeded, Limits, Starved, Watch

_PYTHON_FAILED = 1
"""Exit status of a Python that ends with a traceback."""
_CODE = (
    "import sys; sys.path[:] = {path!r}; "
    "from wasmpack.dry_run import worker; worker.{entry}({parent})"
)


def spawn_worker(entry: str = "run") -> "subprocess.Popen[bytes]":
    """A worker that loads wasmtime while its parent does other things.

    :param entry: its task (a function of :mod:`wasmpack.dry_run.worker`)
    :raises WasmpackError: it cannot be started
    """
    code = _CODE.format(path=import_path(), entry=entry, parent=os.getpid())
    pipe = subprocess.PIPE
    try:
        command = [sys.executable, "-I", "-S", "-c", code]
        environment = allowed_environment()
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
    except OSError as error:
        raise WasmpackError(
            f"cannot start a process for the dry run: {error.strerror}",
            hint="wasmpack examines modules in a separate process; ulimit -u shows the limit",
        ) from error


class WorkerProcess(ChildProcess, Protocol):
    """A process that works for us."""

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    def wait(self) -> int:
        """Wait for its end; the exit status, negative for a signal."""


_early: "list[subprocess.Popen[bytes]]" = []


def start_early() -> None:
    """Start the worker of the first dry run, before it is certain that there will be one."""
    with contextlib.suppress(WasmpackError):  # whoever needs it will say so
        _early.append(spawn_worker())


def end_early() -> None:
    """End a worker that was started early, if nobody asked for it."""
    while _early:
        worker = _early.pop()
        worker.kill()
        worker.communicate()


def any_worker() -> WorkerProcess:
    """One that was started early or stands ready in the nursery, or else a new process."""
    with contextlib.suppress(IndexError):
        return _early.pop()
    return warm_worker() or spawn_worker()


class Worker:
    """A worker that is being watched; its answers come as JSON lines."""

    def __init__(self, process: WorkerProcess) -> None:
        self._process = process
        self._watch: Watch | None = None
        self._feeding: threading.Thread | None = None

    def feed(self, head: Mapping[str, object], parts: Sequence[bytes | memoryview]) -> None:
        """Send it its work, without waiting until it is received."""
        line = json.dumps(head).encode() + b"\n"
        self._feeding = threading.Thread(target=self._write, args=([line, *parts],), daemon=True)
        self._feeding.start()

    def ask(self, question: Mapping[str, object]) -> None:
        """Send the last line."""
        assert self._feeding
        assert self._process.stdin
        self._feeding.join()
        self._write([json.dumps(question).encode() + b"\n"])
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def limit(self, limits: Limits) -> None:
        """Watch it from now on, within these bounds."""
        if self._watch is None:
            self._watch = Watch(self._process, limits).start()
        self._watch.limits = limits

    @property
    def cpu(self) -> float:
        """Seconds of CPU time it has used."""
        return self._watch.cpu if self._watch else 0.0

    def answers(self) -> Iterator[Mapping[str, Any]]:
        """Its lines, until it ends."""
        assert self._process.stdout
        for line in self._process.stdout:
            with contextlib.suppress(ValueError):  # cut off by its end
                yield json.loads(line)

    def read(self, size: int) -> bytes:
        """Read raw bytes."""
        assert self._process.stdout
        return self._process.stdout.read(size)

    def end(self) -> Exceeded | None:
        """Wait for its end; the bound it ran into, if it did.

        :raises WasmpackError: it failed by our fault, the system's, or for lack of CPU time: then
            there is no verdict
        """
        assert self._process.stderr
        complaint = self._process.stderr.read()
        status = self._process.wait()
        exceeded = self._watch.exceeded if self._watch else None
        if exceeded is not None and exceeded.bound is Bound.STARVED:
            raise Starved("the dry run", exceeded)
        if exceeded is not None:
            return exceeded
        if status == -signal.SIGXCPU and self._watch:
            allowed = self._watch.limits.cpu
            return Exceeded(bound=Bound.CPU, used=allowed, allowed=allowed)
        if status == -signal.SIGKILL:
            raise WasmpackError(
                "the dry run's process was killed from outside",
                hint="possibly out of memory; --no-dry-run validates without starting the module",
            )
        if status == _PYTHON_FAILED:
            message = complaint.decode(errors="replace").strip() or "no reason given"
            raise WasmpackError(
                f"the dry run failed: {message.splitlines()[-1]}",
                hint="this is a bug in wasmpack: please report it",
            )
        return None

    @property
    def died_of(self) -> str:
        """The signal that ended it; empty without one."""
        status = self._process.returncode
        return signal.Signals(-status).name if status and status < 0 else ""

    def close(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        if self._watch is not None:
            self._watch.stop()
        if self._feeding is not None:
            self._feeding.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._process.wait()

    def _write(self, parts: Sequence[bytes | memoryview]) -> None:
        assert self._process.stdin
        with contextlib.suppress(
            OSError, ValueError
        ):  # it has ended, and its status tells the reason
            self._process.stdin.writelines(parts)
            self._process.stdin.flush()
