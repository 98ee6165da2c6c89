"""git that hangs, floods or fails is bounded, with everything it started."""

import os
import time
from pathlib import Path

import pytest
from support.git import facts, git, make_repository

from wasmpack.errors import WasmpackError
from wasmpack.git import program as git_program
from wasmpack.git.program import run_git

SAFETY_NET = 60.0


@pytest.fixture
def fake_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin/git"
    program.parent.mkdir()
    program.touch(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return program


def run(directory: Path, *arguments: str) -> tuple[int, bytes]:
    environment = {"PATH": os.environ["PATH"]}
    return run_git(*arguments, directory=directory, environment=environment, expected=(0, 7))


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
    with pytest.raises(WasmpackError, match=r"git x: no answer in 0\.5 seconds") as caught:
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
        run_git("x", directory=tmp_path, environment={"PATH": str(fake_git.parent)})


PIPES = [".git/refs/heads/main", ".git/packed-refs", ".git/info/attributes", ".gitattributes"]


@pytest.mark.parametrize("pipe", PIPES)
def test_a_pipe_in_the_repository_does_not_hold_us_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pipe: str
) -> None:
    repo = make_repository(tmp_path / "repo", {"a": b"1\n", ".gitattributes": b"\n"})
    if pipe == ".git/packed-refs":
        git(repo, "pack-refs", "--all")
    (repo / pipe).unlink(missing_ok=True)
    os.mkfifo(repo / pipe)
    (repo / "a").write_bytes(b"2\n")
    monkeypatch.setattr(git_program, "_TIMEOUT", 2)
    with pytest.raises(WasmpackError, match="no answer in 2 seconds"):
        facts(repo)
