"""The dry run in a process of its own, which a hostile module may fill, hang or end.

Compiling cannot be bounded by wasmtime: a few hundred kilobytes can take it half a minute and
gigabytes. So a child does it. It ends itself when compiling takes too long; this side ends it when
it touches too much memory (seen on Linux only) or outstays all its bounds. It is started before it
is known whether it is needed, so that its imports run beside our own reading.

The child reads a JSON line, the module's bytes, and another JSON line with what is to be run; it
answers with one.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from wasmpack.errors import WasmpackError
from wasmpack.module.child import start_child
from wasmpack.module.engine import Validity
from wasmpack.module.framing import without_bulk
from wasmpack.module.run_result import DryRun, Outcome, RunRequest, Step
from wasmpack.module.serve import COMPILES_TOO_LONG

_COMPILE = 6.0
"""Seconds for compiling a small module; the child keeps to it."""
_COMPILE_PER_MEGABYTE = 2.0
_START = 14.0
"""Seconds for a process and for each run in it, which is bounded to less from inside."""
_PYTHON_FAILED = 1
"""Exit status of a Python that ends with a traceback."""
_MEGABYTE = 1 << 20
_RESIDENT = 1024 * _MEGABYTE
"""Bytes of memory the child may touch; the largest real modules take a third."""
_POLL = 0.01


@dataclass(frozen=True, slots=True)
class Ran:
    """What a child found out."""

    runs: tuple[DryRun, ...]
    validity: Validity | None = None
    """None if it came to no end."""


class IsolatedRunner:
    """One child process for one module; leave the ``with`` block to end it."""

    def __init__(self, started: subprocess.Popen[bytes] | None = None) -> None:
        """:param started: a child that was started before."""
        self._process = started or start_child()
        self._fed: bytes | None = None
        self._whole = True
        self._feeding: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            if self._feeding is not None:
                self._feeding.join()
            self._process.communicate()
            self._process = None

    def feed(self, data: bytes) -> None:
        """Let the child validate and compile, while this side looks at the module too."""
        assert self._fed is None
        if self._process is None:
            return
        self._fed = data
        parts = without_bulk(data)
        self._whole = len(parts) == 1
        size = sum(map(len, parts))
        head = json.dumps({"size": size, "compiling": _compiling(data)}).encode() + b"\n"
        self._feeding = threading.Thread(target=self._write, args=([head, *parts],), daemon=True)
        self._feeding.start()

    def run(self, data: bytes, requests: Sequence[RunRequest]) -> Ran:
        """Validate, compile once, start once a request; what the module does is a result.

        :raises WasmpackError: our own code failed there
        """
        if self._fed is not None and self._fed is not data:  # another one, without what hosts skip
            with IsolatedRunner() as other:
                return other.run(data, requests)
        if self._process is None:
            return _unknown(requests, "no process could be started")
        if self._fed is None:
            self.feed(data)
        compiling = _compiling(data)
        watch = _Watch(self._process, compiling + _START * (1 + len(requests)))
        with watch:
            answer, error = self._exchange([request.as_json() for request in requests])
        if answer is not None:
            runs = tuple(DryRun.from_json(run) for run in answer["runs"])
            found = Validity(**answer["validity"])
            # places in a part are not those of the file: the words are to be asked for again
            return Ran(runs, None if found.error and not self._whole else found)
        status = self._process.returncode
        if status == _PYTHON_FAILED:
            raise WasmpackError(
                f"the dry run failed: {error}", hint="this is a bug in wasmpack: report it, please"
            )
        if status == COMPILES_TOO_LONG:
            return _unknown(requests, f"compiling takes more than {compiling:.0f} seconds")
        return _unknown(requests, watch.reason or f"wasmtime ended with {status}")

    def _exchange(self, requests: object) -> tuple[Mapping[str, Any] | None, str]:
        """The answer if there is one, and the last line of what it complained of."""
        assert self._process
        assert self._feeding
        self._feeding.join()
        out, complaint = self._process.communicate(json.dumps(requests).encode() + b"\n")
        lines = complaint.decode(errors="replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "no reason given")
        try:
            found: Mapping[str, Any] = json.loads(out)
        except ValueError:
            return None, last
        return found, last

    def _write(self, parts: Sequence[bytes | memoryview]) -> None:
        assert self._process
        assert self._process.stdin
        with contextlib.suppress(OSError, ValueError):  # it has ended, and its status says why
            self._process.stdin.writelines(parts)
            self._process.stdin.flush()


def _compiling(data: bytes) -> float:
    """Seconds that compiling may take."""
    return _COMPILE + _COMPILE_PER_MEGABYTE * len(data) / _MEGABYTE


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


def _unknown(requests: Sequence[RunRequest], reason: str) -> Ran:
    """What a proxy would do, whose engine is another, is not known then."""
    step = Step(name="compile", outcome=Outcome.UNKNOWN, reason=reason)
    return Ran(tuple(DryRun(failed=step) for _ in requests))
