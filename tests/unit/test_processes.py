"""Bounds on processes are of CPU time, memory and sleep: a busy machine changes none of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from wasmpack.confinement import allowed_environment, confined
from wasmpack.processes import Bound, Exceeded, Limits, Watch, end

pytestmark = pytest.mark.slow

LIMITS = Limits(cpu=60.0, memory=1 << 30, blocked=1.0)
NET = 120
"""Seconds after which a test gives up: ten times what it takes next to other work."""


def python(code: str, **more: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-I", "-S", "-c", code], **more)  # type: ignore[call-overload, no-any-return]


def ended(code: str, limits: Limits) -> Exceeded | None:
    process = python(code)
    with Watch(process, limits) as watch:
        process.wait(NET)
    return watch.exceeded


@pytest.mark.parametrize(
    ("code", "limits", "bound"),
    [
        ("while True: pass", replace(LIMITS, cpu=1.0), Bound.CPU),
        ("import threading as t\nf = lambda: [0 for _ in iter(int, 1)]\n"
         "[t.Thread(target=f).start() for _ in range(3)]", replace(LIMITS, cpu=1.0), Bound.CPU),
        ("x = b'x' * (300 << 20)\nwhile True: pass", replace(LIMITS, memory=200 << 20),
         Bound.MEMORY),
        ("import time; time.sleep(600)", LIMITS, Bound.BLOCKED),
        ("import threading; threading.Lock().acquire(); e = threading.Event(); e.wait()", LIMITS,
         Bound.BLOCKED),
        ("import os; r, w = os.pipe(); os.read(r, 1)", LIMITS, Bound.BLOCKED),
    ],
    ids=["loop", "threads", "memory", "sleep", "lock", "pipe"],
)  # fmt: skip
def test_what_exceeds_a_bound_is_ended(code: str, limits: Limits, bound: Bound) -> None:
    found = ended(code, limits)
    assert found is not None
    assert found.bound is bound
    assert found.used >= found.allowed


@pytest.mark.parametrize(
    "code",
    [
        "sum(range(1_000_000))",
        "import time\nfor _ in range(15): time.sleep(.1); sum(range(6_000_000))",
    ],
    ids=["works", "works now and then"],
)
def test_what_stays_within_them_is_not(code: str) -> None:
    assert ended(code, LIMITS) is None


CHILDREN = """
import subprocess, sys
made = [subprocess.Popen([sys.executable, "-I", "-S", "-c", {code!r}]) for _ in range({count})]
[one.wait() for one in made]
"""


@pytest.mark.parametrize(
    ("code", "count", "limits", "bound"),
    [
        ("x = b'x' * (60 << 20)\nwhile True: pass", 3, replace(LIMITS, memory=120 << 20),
         Bound.MEMORY),
        ("while True: pass", 2, replace(LIMITS, cpu=1.0), Bound.CPU),
        ("sum(range(3_000_000))", 100, replace(LIMITS, cpu=1.0), Bound.CPU),
        ("import time; time.sleep(600)", 2, LIMITS, Bound.BLOCKED),
    ],
    ids=["memory", "loops", "children that ended", "sleep"],
)  # fmt: skip
def test_what_a_process_starts_counts(code: str, count: int, limits: Limits, bound: Bound) -> None:
    process = python(CHILDREN.format(code=code, count=count), start_new_session=True)
    with Watch(process, limits) as watch:
        process.wait(NET)
    assert watch.exceeded is not None
    assert watch.exceeded.bound is bound


def test_a_process_whose_child_works_is_not_blocked() -> None:
    code = CHILDREN.format(code="sum(range(60_000_000))", count=1)
    assert ended(code, replace(LIMITS, blocked=0.3)) is None


@pytest.mark.parametrize("leads", [True, False], ids=["leads a group", "in ours"])
def test_the_end_of_a_process_is_that_of_its_group(leads: bool) -> None:
    code = (
        "import subprocess\nchild = subprocess.Popen(['/bin/sleep', '600'])\n"
        "print(child.pid, flush=True); child.wait()"
    )
    process = python(code, stdout=subprocess.PIPE, start_new_session=leads)
    assert process.stdout
    child = int(process.stdout.readline())
    end(process)
    process.wait(NET)
    process.stdout.close()
    if leads:
        assert gone(child)
    else:
        os.kill(child, signal.SIGKILL)


def test_a_process_that_is_stopped_is_not_blocked() -> None:
    """Ctrl-Z, a debugger, a frozen container: only a process that is asleep waits in vain."""
    process = python("while True: pass")
    try:
        with Watch(process, replace(LIMITS, blocked=0.3)) as watch:
            process.send_signal(signal.SIGSTOP)
            time.sleep(2)
            assert watch.exceeded is None
            process.send_signal(signal.SIGCONT)
    finally:
        process.kill()
        process.wait()


def test_a_starved_process_is_told_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasmpack.processes._STARVED_MORE", 0.5)
    monkeypatch.setattr("wasmpack.processes._STARVED", 0.0)
    found = ended("import time; time.sleep(600)", replace(LIMITS, blocked=None))
    assert found is not None
    assert found.bound is Bound.STARVED


def test_the_clock_alone_ends_nobody_in_time() -> None:
    """Its bound is an order of magnitude beyond that of the CPU time."""
    assert all(Limits(cpu=cpu, memory=1).wall >= 10 * cpu for cpu in (0.5, 10.0, 100.0))


def test_limits_can_be_replaced_on_the_way() -> None:
    process = python("import sys; sys.stdin.read()\nwhile True: pass", stdin=subprocess.PIPE)
    with Watch(process, replace(LIMITS, blocked=None)) as watch:
        assert watch.cpu < LIMITS.cpu
        watch.limits = replace(LIMITS, cpu=watch.cpu + 0.5)
        assert process.stdin
        process.stdin.close()
        process.wait(NET)
    assert watch.exceeded is not None
    assert watch.exceeded.bound is Bound.CPU


def gone(pid: int) -> bool:
    """Whether a process ends soon; one that is a zombie has ended."""
    for _ in range(NET * 10):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


def test_a_confined_program_does_not_outlive_its_parent() -> None:
    code = (
        "import subprocess, sys; from wasmpack.confinement import confined\n"
        "child = subprocess.Popen(confined(['/bin/sleep', '600']))\n"
        "print(child.pid, flush=True); child.wait()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(child)


def test_the_kernel_bounds_a_confined_program_too() -> None:
    done = subprocess.run(
        confined([sys.executable, "-S", "-c", "while True: pass"], cpu=0.5), timeout=NET
    )
    assert done.returncode == -signal.SIGXCPU


def test_no_core_dump_of_a_confined_program() -> None:
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"
    done = subprocess.run(
        confined([sys.executable, "-S", "-c", code]), capture_output=True, text=True, timeout=NET
    )
    assert done.stdout == "(0, 0)\n", done.stderr


def test_the_environment_of_others_is_an_allow_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WASMPACK_PASSWORD", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    assert "secret" not in allowed_environment("HOME").values()
    assert allowed_environment("HOME").keys() >= {"PATH", "HOME"}
    assert "HOME" not in allowed_environment()
    assert os.environ["WASMPACK_PASSWORD"] == "secret"
