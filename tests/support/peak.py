"""A command, and the most memory that it or a process of its own had."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_WATCH = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[2:], capture_output=True, timeout=float(sys.argv[1]))
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
print(json.dumps([done.returncode, peak, done.stdout.decode(), done.stderr.decode()]))
"""


@dataclass(frozen=True)
class Watched:
    """How it ended."""

    code: int
    megabytes: int
    out: str
    err: str


def watched(*command: str | Path, limit: float = 600, cwd: Path | None = None) -> Watched:
    """Run it; more than ``limit`` seconds are an error."""
    words = [sys.executable, "-c", _WATCH, str(limit), *map(str, command)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return Watched(*json.loads(done.stdout))
