"""The resources of a dry run: CPU time and memory, by the size of the module.

Measured on Go plugins, the slowest of the genuine ones to compile (``docs/adr/0015``): 0.8 s of CPU
time and 22 MB of memory for each megabyte of code. The budgets are five times that.
"""

import time
from dataclasses import dataclass
from typing import Self

from wasmpack.dry_run.host.memory import OverLimit
from wasmpack.processes import Limits

_MIB = 1 << 20
_COMPILING = 10.0
"""Seconds of CPU time for compiling a small module."""
_COMPILING_MIB = 4.5
"""More of them for each MiB."""
_RUNNING = 10.0
"""Seconds of CPU time for one start-up and its request; the largest genuine one took a second."""
_RUNNING_MIB = 1.0
_START = 2.0
"""Seconds of CPU time for the process itself, and for noticing that a run is over its own bound."""
_MEMORY = 1024 * _MIB
"""Bytes that the process may touch, for modules of up to 4 MiB."""
_MEMORY_BASE, _MEMORY_MIB = 512 * _MIB, 112
_TEXT_MIB = 1.0
"""Seconds of CPU time for a MiB of WebAssembly text, five times the need of the densest."""
BLOCKED = 10.0
"""Seconds that a module may sleep without anything to wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The resources for one module."""

    compiling: float
    """Seconds of CPU time."""
    running: float
    """Seconds of CPU time for each run."""
    memory: int
    """Bytes touched."""

    @classmethod
    def of(cls, size: int, seconds: float | None = None) -> Self:
        """The budget of a module.

        :param size: bytes of the module
        :param seconds: the user's ``--dry-run-timeout``, which can only raise it
        """
        megabytes = size / _MIB
        return cls(
            compiling=round(max(_COMPILING + _COMPILING_MIB * megabytes, seconds or 0), 1),
            running=round(max(_RUNNING + _RUNNING_MIB * megabytes, seconds or 0), 1),
            memory=max(_MEMORY, _MEMORY_BASE + _MEMORY_MIB * size),
        )

    @property
    def to_compile(self) -> Limits:
        """Limits while it is read, validated and compiled."""
        return Limits(cpu=_START + self.compiling, memory=self.memory)

    def to_run(self, used: float, runs: int) -> Limits:
        """Limits while it runs.

        :param used: seconds of CPU time used before
        """
        cpu = used + _START + self.running * runs
        return Limits(cpu=cpu, memory=self.memory, blocked=BLOCKED)


def text_limits(size: int) -> Limits:
    """Limits while so many bytes of WebAssembly text are compiled."""
    return Limits(cpu=_START + _COMPILING + _TEXT_MIB * size / _MIB, memory=_MEMORY)


@dataclass(slots=True, kw_only=True)
class RunBudget:
    """The resources that all instances of one run share."""

    host_calls: int
    memory: int
    """Bytes a memory may grow to."""
    seconds: float
    """Of this process's CPU time."""
    until: float = 0.0
    """The value of ``time.process_time`` at its end; set when the first instance starts."""

    @property
    def too_long(self) -> str:
        """The reason why a longer run is stopped."""
        return f"more than the {self.seconds:g} s of CPU time allowed"

    def spend_call(self) -> None:
        """Count a host call: each costs more time than instructions.

        :raises OverLimit: there were too many, or the time is over
        """
        self.host_calls -= 1
        if time.process_time() > self.until:
            raise OverLimit(self.too_long)
        if self.host_calls < 0:
            raise OverLimit("too many calls into the host")
