"""Bounds on the processes we start: CPU time and memory, so that a busy machine changes no verdict.

A child that waits for its turn uses no CPU time, so the budget is the same whatever else runs. A
child that is blocked (all of its threads asleep, its CPU time standing still) is ended as well. The
clock alone ends only a child that hardly ever gets its turn, an order of magnitude later. CPU time,
memory and sleep are read from ``/proc``; without it (macOS), CPU time is bounded by the kernel
(``RLIMIT_CPU``) and the rest by the clock.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, Self

from wasmpack.errors import WasmpackError

_POLL = 0.01
_BLINK = 1.0
"""Most seconds that count between two polls: a suspended machine is not a blocked child."""
_STIR = 0.05
"""Seconds of CPU time that a blocked child may still use."""
_NAPS = 2.0
"""Total sleep allowed, with work in between, as a multiple of that at a stretch."""
_STARVED = 10.0
"""The clock's bound, as a multiple of the CPU time's; and seconds added to it."""
_STARVED_MORE = 60.0
_MIB = 1 << 20


class Bound(StrEnum):
    """The bound that ended a process."""

    CPU = "CPU time"
    MEMORY = "memory"
    BLOCKED = "blocked"
    STARVED = "starved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of a process and its descendants together."""

    cpu: float
    """Seconds, of all threads."""
    memory: int
    """Bytes that they have touched (resident set)."""
    blocked: float | None = None
    """Seconds asleep without progress; None while it waits for us."""

    @property
    def wall(self) -> float:
        """Seconds by the clock, for a process that is starved."""
        return _STARVED * self.cpu + _STARVED_MORE


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceeded:
    """A bound that a process ran into."""

    bound: Bound
    used: float
    allowed: float

    def __str__(self) -> str:
        if self.bound is Bound.CPU:
            return f"{self.used:.1f} s of CPU time, more than the {self.allowed:.1f} s allowed"
        if self.bound is Bound.MEMORY:
            used, allowed = self.used / _MIB, self.allowed / _MIB
            return f"{used:.0f} MiB of memory, more than the {allowed:.0f} MiB allowed"
        if self.bound is Bound.BLOCKED:
            return f"blocked for {self.used:.0f} s, waiting for something that never comes"
        return f"starved: not finished within {self.allowed:.0f} s by the clock"


@dataclass(frozen=True, slots=True)
class _Usage:
    cpu: float
    memory: int


class Starved(WasmpackError):
    """A process that did not get enough CPU time to finish: it has no result."""

    def __init__(self, what: str, exceeded: Exceeded) -> None:
        super().__init__(f"{what} is {exceeded}", hint="try again when the machine is less busy")


class ChildProcess(Protocol):
    """A process that we may end; :class:`subprocess.Popen` is one."""

    pid: int
    returncode: int | None

    def kill(self) -> None:
        """End it, if it has not ended."""


class Watch:
    """Ends a process that exceeds its limits; ``exceeded`` says which one.

    Used as a context manager around the time in which the process works.
    """

    def __init__(self, process: ChildProcess, limits: Limits) -> None:
        """:param limits: may be replaced while the process runs (``watch.limits = …``)."""
        self.limits = limits
        self.exceeded: Exceeded | None = None
        self._process = process
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._cpu = 0.0
        self._asleep = self._slept = 0.0

    @property
    def cpu(self) -> float:
        """Seconds of CPU time used so far."""
        return cpu_seconds(self._process.pid) or self._cpu

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._done.set()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _look(self) -> None:
        started = before = time.monotonic()
        while not self._done.wait(_POLL):
            now = time.monotonic()
            self.exceeded = self._check(now - started, now - before)
            before = now
            if self.exceeded:
                end(self._process)
                return

    def _check(self, elapsed: float, since: float) -> Exceeded | None:
        limits, usage = self.limits, _usage(self._process.pid)
        if elapsed > limits.wall:
            return Exceeded(bound=Bound.STARVED, used=elapsed, allowed=limits.wall)
        if usage is None:
            return None
        if usage.cpu > limits.cpu:
            return Exceeded(bound=Bound.CPU, used=usage.cpu, allowed=limits.cpu)
        if usage.memory > limits.memory:
            return Exceeded(bound=Bound.MEMORY, used=usage.memory, allowed=limits.memory)
        if limits.blocked is None or usage.cpu - self._cpu > _STIR:
            self._cpu, self._asleep = usage.cpu, 0.0
        elif sleeps(self._process.pid):  # one that only waits for its turn is runnable meanwhile
            self._asleep += min(since, _BLINK)
            self._slept += min(since, _BLINK)
            if self._asleep > limits.blocked or self._slept > _NAPS * limits.blocked:
                used = max(self._asleep, self._slept)
                return Exceeded(bound=Bound.BLOCKED, used=used, allowed=limits.blocked)
        return None


def end(process: ChildProcess) -> None:
    """Kill a process; if it leads a process group, with what it has started."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()


def cpu_seconds(pid: int) -> float | None:
    """CPU time used; None if the process ended or the system does not report it."""
    found = _usage(pid)
    return None if found is None else found.cpu


def sleeps(pid: int) -> bool:
    """True if no thread of a process or its descendants runs or could run (proc(5), "S")."""
    try:
        return all(_stat(task / "stat")[0] == b"S" for one in _family(pid) for task in _tasks(one))
    except (OSError, IndexError):
        return False


def _usage(pid: int) -> _Usage | None:
    """Usage of a process and its descendants; None if it ended or the system does not report it."""
    found = [usage for one in _family(pid) if (usage := _usage_of_one(one))]
    if not found:
        return None
    return _Usage(sum(one.cpu for one in found), sum(one.memory for one in found))


def _usage_of_one(pid: int) -> _Usage | None:
    try:
        fields = _stat(Path(f"/proc/{pid}/stat"))
        pages = int(Path(f"/proc/{pid}/statm").read_bytes().split()[1])
        ticks = sum(map(int, fields[11:15]))  # utime, stime, and those of children that ended
    except (OSError, IndexError, ValueError):
        return None
    return _Usage(ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE"))


def _family(pid: int) -> Iterator[int]:
    """A process and its descendants, where the kernel lists them (CONFIG_PROC_CHILDREN)."""
    waiting = [pid]
    while waiting:
        yield (one := waiting.pop())
        with contextlib.suppress(OSError):
            for task in _tasks(one):
                waiting += map(int, (task / "children").read_bytes().split())


def _tasks(pid: int) -> list[Path]:
    """The threads of a process."""
    return list(Path(f"/proc/{pid}/task").iterdir())


def _stat(path: Path) -> list[bytes]:
    """The fields of proc(5)'s ``stat`` behind the command, which may hold spaces and brackets."""
    return path.read_bytes().rpartition(b")")[2].split()
