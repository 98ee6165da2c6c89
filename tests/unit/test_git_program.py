"""git that hangs, floods, grows or fails is bounded, with everything it started."""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from wasmpack.errors import WasmpackError
from wasmpack.git import program as git_program
from wasmpack.git.program import Deadline, run_git

pytestmark = pytest.mark.slow

SAFETY_NET = 60.0


@pytest.fixture
def fake_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin/git"
    program.parent.mkdir()
    program.touch(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return program


def run(directory: Path, *arguments: str, deadline: Deadline | None = None) -> tuple[int, bytes]:
    environment = {"PATH": os.environ["PATH"]}
    return run_git(
        *arguments, directory=directory, environment=environment,
        deadline=deadline or Deadline(),
        expected=(0, 7),
    )  # fmt: skip


def test_output_and_exit_code(fake_git: Path, tmp_path: Path) -> None:
    fake_git.write_text("#!/bin/sh\necho $1 $LC_ALL; echo warning >&2; exit 7\n")
    assert run(tmp_path, "x") == (7, b"x C\n")


@pytest.mark.parametrize("stream", ["1", "2"], ids=["stdout", "stderr"])
def test_a_flood_is_an_error(fake_git: Path, tmp_path: Path, stream: str) -> None:
    fake_git.write_text(f"#!/bin/sh\nyes >&{stream}\n")
    with pytest.raises(WasmpackError, match="git x: more than 4194304 bytes printed") as caught:
        run(tmp_path, "x")
    assert "--no-git" in caught.value.hint


@pytest.mark.parametrize(
    "script",
    ["sleep 600", "exec >&- 2>&-; sleep 600", "sleep 600 & wait", "sleep 600 & exit 0"],
    ids=["silent", "closed streams", "child", "child that stays"],
)
def test_a_git_that_hangs_is_an_error_and_ends_with_its_children(
    fake_git: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    reader = os.open(alive, os.O_RDONLY | os.O_NONBLOCK)
    fake_git.write_text(f"#!/bin/sh\nexec 3>'{alive}'\n{script}\n")
    monkeypatch.setattr(git_program, "_TIMEOUT", 0.5)
    with pytest.raises(WasmpackError, match=r"git x: .* more than 0\.5 seconds") as caught:
        run(tmp_path, "x")
    assert "--no-git" in caught.value.hint
    until = time.monotonic() + SAFETY_NET
    os.set_blocking(reader, False)
    while time.monotonic() < until:  # end of file: nobody holds the other end any more
        try:
            if os.read(reader, 1) == b"":
                break
        except BlockingIOError:
            time.sleep(0.01)
    else:
        pytest.fail("a process of git is still there")
    os.close(reader)


GROWS = f"{sys.executable} -I -S -c 'x = b\"x\" * (200 << 20); import time; time.sleep(600)'"


@pytest.mark.parametrize(
    "script", [f"exec {GROWS}", f"{GROWS}; exit 0"], ids=["itself", "what it starts"]
)
def test_a_git_that_grows_is_an_error(
    fake_git: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    fake_git.write_text(f"#!/bin/sh\n{script}\n")
    monkeypatch.setattr(git_program, "_TIMEOUT", SAFETY_NET)
    limits = replace(git_program._LIMITS, memory=100 << 20, blocked=None)
    monkeypatch.setattr(git_program, "_LIMITS", limits)
    with pytest.raises(
        WasmpackError, match=r"git x: .* MiB of memory, more than the 100"
    ) as caught:
        run(tmp_path, "x")
    assert "--no-git" in caught.value.hint


def test_a_git_that_waits_for_what_never_comes_is_an_error(
    fake_git: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    fake_git.write_text(f"#!/bin/sh\ncat '{tmp_path}/pipe'\n")
    monkeypatch.setattr(git_program, "_TIMEOUT", SAFETY_NET)
    monkeypatch.setattr(git_program, "_LIMITS", replace(git_program._LIMITS, blocked=0.5))
    with pytest.raises(WasmpackError, match="git x: blocked"):
        run(tmp_path, "x")


def test_the_time_is_that_of_all_commands(
    fake_git: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    fake_git.write_text(f"#!/bin/sh\necho >> '{started}'; sleep 600\n")
    monkeypatch.setattr(git_program, "_TIMEOUT", 0.5)
    deadline = Deadline()
    for name in ("x", "y"):
        with pytest.raises(WasmpackError, match=rf"git {name}: .* more than 0\.5 seconds"):
            run(tmp_path, name, deadline=deadline)
    assert started.read_text() == "\n"


def test_the_bounds_are_what_is_documented() -> None:
    assert git_program._TIMEOUT == 20
    assert git_program._LIMITS.memory < 1 << 30


def test_a_failure_says_why(fake_git: Path, tmp_path: Path) -> None:
    fake_git.write_text("#!/bin/sh\necho 'warning: w' >&2; echo 'fatal: \x1b[31mf' >&2; exit 3\n")
    with pytest.raises(WasmpackError, match="git x failed: warning: w fatal: ") as caught:
        run(tmp_path, "x")
    assert "--no-git" in caught.value.hint


def test_a_silent_failure_tells_its_code(fake_git: Path, tmp_path: Path) -> None:
    fake_git.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(WasmpackError, match="git x failed: exit code 3"):
        run(tmp_path, "x")


def test_the_reason_is_short(fake_git: Path, tmp_path: Path) -> None:
    fake_git.write_text("#!/bin/sh\nyes warning | head -n 9999 >&2; echo 'fatal: f' >&2; exit 3\n")
    with pytest.raises(WasmpackError, match=r"fatal: f$") as caught:
        run(tmp_path, "x")
    assert len(caught.value.message) < 600


def test_a_git_that_cannot_be_started_is_an_error(fake_git: Path, tmp_path: Path) -> None:
    fake_git.write_bytes(b"\x7fELF")
    with pytest.raises(WasmpackError, match="git x: Exec format error"):
        run_git(
            "x", directory=tmp_path, deadline=Deadline(),
            environment={"PATH": str(fake_git.parent)},
        )  # fmt: skip
