"""The dry run in a process of its own, which a hostile module may fill, hang or end.

Compiling cannot be bounded by wasmtime: a few hundred kilobytes can take it half a minute and
gigabytes. So a child does it. It ends itself when compiling takes too long; this side ends it when
it touches too much memory (seen on Linux only) or outstays all its bounds. It is started before it
is known whether it is needed, so that its imports run beside our own reading.

The child reads one JSON line, then the module's bytes, and answers with one JSON line.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from wasmpack.errors import WasmpackError
from wasmpack.module.run_result import DryRun, Outcome, RunRequest, Step

_CODE = "import sys; sys.path[:] = {path!r}; from wasmpack.module.isolated import serve; serve()"
_COMPILE = 6.0
"""Seconds for compiling a small module; the child keeps to it."""
_COMPILE_PER_MEGABYTE = 2.0
_START = 14.0
"""Seconds for a process and for each run in it, which is bounded to less from inside."""
_PYTHON_FAILED = 1
"""Exit status of a Python that ends with a traceback."""
_TOO_LONG = 99
"""Exit status of a child that was still compiling."""
_MEGABYTE = 1 << 20
_RESIDENT = 1024 * _MEGABYTE
"""Bytes of memory the child may touch; the largest real modules take a third."""
_POLL = 0.01


class IsolatedRunner:
    """One child process for one module; leave the ``with`` block to end it."""

    def __init__(self) -> None:
        code = _CODE.format(path=[str(Path(entry).absolute()) for entry in sys.path])
        self._process: subprocess.Popen[bytes] | None = None
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def run(self, data: bytes, requests: Sequence[RunRequest]) -> tuple[DryRun, ...]:
        """Compile once, start once a request; what the module does is a result.

        :raises WasmpackError: our own code failed there
        """
        if self._process is None:
            return _unknown(requests, "no process could be started")
        compiling = _COMPILE + _COMPILE_PER_MEGABYTE * len(data) / _MEGABYTE
        head = {
            "size": len(data),
            "compiling": compiling,
            "requests": [request.as_json() for request in requests],
        }
        watch = _Watch(self._process, compiling + _START * (1 + len(requests)))
        with watch:
            answer, error = self._exchange(json.dumps(head).encode() + b"\n" + data)
        if answer is not None:
            return tuple(DryRun.from_json(run) for run in answer)
        status = self._process.returncode
        if status == _PYTHON_FAILED:
            raise WasmpackError(
                f"the dry run failed: {error}", hint="this is a bug in wasmpack: report it, please"
            )
        if status == _TOO_LONG:
            return _unknown(requests, f"compiling takes more than {compiling:.0f} seconds")
        return _unknown(requests, watch.reason or f"wasmtime ended with {status}")

    def _exchange(self, request: bytes) -> tuple[Sequence[Mapping[str, Any]] | None, str]:
        """The answer if there is one, and the last line of what it complained of."""
        assert self._process
        out, complaint = self._process.communicate(request)
        lines = complaint.decode(errors="replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "no reason given")
        try:
            found: Sequence[Mapping[str, Any]] = json.loads(out)
        except ValueError:
            return None, last
        return found, last


class _Watch:
    """Ends a process that takes too long or too much; ``reason`` says why."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self.reason = ""
        self._process = process
        self._seconds = seconds
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        deadline = time.monotonic() + self._seconds
        while not self._done.wait(_POLL):
            if time.monotonic() > deadline:
                self.reason = f"more than {self._seconds:.0f} seconds"
            elif _resident(self._process.pid) > _RESIDENT:
                self.reason = f"more than {_RESIDENT // _MEGABYTE} MiB of memory"
            if self.reason:
                self._process.kill()
                return


def _resident(process: int) -> int:
    """Bytes of memory that a process has touched; 0 where the system does not tell."""
    try:
        pages = Path(f"/proc/{process}/statm").read_bytes().split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _unknown(requests: Sequence[RunRequest], reason: str) -> tuple[DryRun, ...]:
    """What a proxy would do, whose engine is another, is not known then."""
    step = Step(name="compile", outcome=Outcome.UNKNOWN, reason=reason)
    return tuple(DryRun(failed=step) for _ in requests)


def serve() -> None:
    """The child's side."""
    import wasmtime  # noqa: F401 - while the other side is still reading

    from wasmpack.module.dry_run import dry_runs

    _no_core_dump()
    head = json.loads(sys.stdin.buffer.readline())
    data = sys.stdin.buffer.read(head["size"])
    requests = [RunRequest.from_json(value) for value in head["requests"]]
    alarm = threading.Timer(head["compiling"], os._exit, (_TOO_LONG,))
    alarm.daemon = True
    alarm.start()
    found = dry_runs(data, requests, alarm.cancel)
    sys.stdout.write(json.dumps([run.as_json() for run in found]))


def _no_core_dump() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
