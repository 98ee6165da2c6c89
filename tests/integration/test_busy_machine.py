"""The verdict is the same next to other work: budgets are of CPU time, not of the clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

LOOPS = 8
NET = 600
"""Seconds by the clock after which the test gives up."""


@pytest.fixture
def busy() -> Iterator[int]:
    """A processor on which eight loops want to run too."""
    cpu = min(os.sched_getaffinity(0))
    loops = [
        subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) for _ in range(LOOPS)
    ]
    for loop in loops:
        os.sched_setaffinity(loop.pid, {cpu})
    yield cpu
    for loop in loops:
        loop.kill()
        loop.wait()


def test_a_large_plugin_is_refused_all_the_same(
    go_plugin: Path, busy: int, wasmpack_command: str, tmp_path: Path
) -> None:
    """It takes seconds to compile, and a minute here; what refuses it comes last."""
    configuration = tmp_path / "configuration"
    configuration.write_text("not what the plugin expects")
    command = [
        "taskset", "-c", str(busy), wasmpack_command, "validate", "module", str(go_plugin),
        "--target", "envoy-1.40", "--plugin-config", str(configuration), "--format", "json",
    ]  # fmt: skip
    env = {**os.environ, "WASMPACK_CACHE": ""}
    done = subprocess.run(command, capture_output=True, env=env, timeout=NET)
    report = json.loads(done.stdout)
    assert (done.returncode, report["verdict"]) == (3, "reject")
    assert [finding["code"] for finding in report["findings"]] == ["RUN005"]
