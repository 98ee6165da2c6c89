"""Warm workers: each is a fresh fork with budgets of its own, and nothing of them is left."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.plugins import PLUGINS, wat

from wasmpack.actions.checks import Checks
from wasmpack.actions.validate import validate_module
from wasmpack.dry_run import nursery
from wasmpack.dry_run.nursery import Nursery, NurseryGone, warm_worker, warm_workers
from wasmpack.findings import Report
from wasmpack.proxy_abi.module import PluginModule

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone"),
]

LOOP = '(func (export "_start") (loop $l (br $l)))'
TRAP = '(func (export "_start") (unreachable))'
KINDS = {
    "good": (PLUGINS / "header-append-c.wasm").read_bytes(),
    "trapping": wat(TRAP),
    "invalid": wat()[:-3],
    "endless": wat(LOOP),
}


def report(data: bytes) -> Report:
    return validate_module(PluginModule(data), Checks(targets=["envoy-1.40"]))


@pytest.mark.parametrize("data", KINDS.values(), ids=KINDS)
@pytest.mark.usefixtures("hurried")
def test_a_warm_worker_finds_the_same(data: bytes) -> None:
    alone = report(data)
    with warm_workers():
        warm = report(data)
    assert warm.verdict is alone.verdict
    assert [f.code for f in warm.findings] == [f.code for f in alone.findings]


def test_each_worker_is_another_process_and_gone_afterwards() -> None:
    with warm_workers():
        workers = [warm_worker() for _ in range(5)]
        pids = {worker.pid for worker in workers if worker}
        assert len(pids) == 5
        for worker in workers:
            assert worker
            worker.kill()
            assert worker.wait() == -signal.SIGKILL
            worker.kill()
            for stream in (worker.stdin, worker.stdout, worker.stderr):
                assert stream
                with contextlib.suppress(OSError):
                    stream.close()
    assert warm_worker() is None
    assert not [pid for pid in pids if is_alive(pid)]


def test_without_the_nursery_workers_are_started_alone() -> None:
    with warm_workers():
        (found,) = nursery._open
        found._process.kill()
        found._process.wait()
        with pytest.raises(NurseryGone):
            found.fork()
        assert warm_worker() is None
        assert report(KINDS["good"]).accepted


def test_a_worker_that_ends_by_itself_tells_its_status() -> None:
    with contextlib.closing(Nursery()) as found:
        worker = found.fork()
        for stream in (worker.stdin, worker.stdout, worker.stderr):
            assert stream
        worker.stdin.close()  # type: ignore[union-attr]
        assert worker.wait() == 0
        assert worker.wait() == 0
        worker.stdout.close()  # type: ignore[union-attr]
        worker.stderr.close()  # type: ignore[union-attr]


KILLED = """
import os, sys
from wasmpack.dry_run.nursery import Nursery
found = Nursery()
worker = found.fork()
print(found._process.pid, worker.pid, flush=True)
sys.stdin.read()
"""


def test_nothing_outlives_a_killed_command() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout
    assert process.stdin
    pids = [*map(int, process.stdout.readline().split())]
    assert len(pids) == 2
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    deadline = time.monotonic() + 60
    while any(map(is_alive, pids)):
        assert time.monotonic() < deadline, "still running"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """A zombie is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


def test_descriptors_do_not_leak() -> None:
    with contextlib.closing(Nursery()) as found:
        counts = []
        for _ in range(3):
            worker = found.fork()
            worker.kill()
            worker.wait()
            for stream in (worker.stdin, worker.stdout, worker.stderr):
                assert stream
                stream.close()
            counts.append(len([*Path("/proc/self/fd").iterdir()]))
        assert len(set(counts)) == 1
        theirs = len([*Path(f"/proc/{found._process.pid}/fd").iterdir()])
        assert theirs < 10
