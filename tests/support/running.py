"""Processes that run, and waiting for what they do."""

from __future__ import annotations

import sys
import time
from pathlib import Path

_DEFAULTS = """
import os, signal, sys
for number in (signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""
AS_FROM_A_TERMINAL = (sys.executable, "-c", _DEFAULTS)
"""Runs the command behind it with signals as they are there: tests that a shell runs in the
background ignore SIGINT, or under nohup SIGHUP, and their children would too."""
NET = 120
"""Seconds by the clock after which a test gives up."""


def parents() -> dict[int, int]:
    """The parent of every process that has not ended."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            found[int(path.parent.name)] = int(fields[1])
    return found


def below(pid: int) -> set[int]:
    """All processes that it started, and those that they did."""
    tree, found = parents(), {pid}
    while more := {child for child, parent in tree.items() if parent in found} - found:
        found |= more
    return found - {pid}


def until(condition: object) -> None:
    assert callable(condition)
    end = time.monotonic() + NET
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
