"""Programs of others that the tests run."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def need(program: str, probe: str = "--version") -> None:
    """Skip without this program (or where its probe fails), unless nothing may be skipped."""
    found = shutil.which(program)
    if found and subprocess.run([found, probe], capture_output=True).returncode == 0:
        return
    reason = f"{program} {probe} does not work here"
    if os.environ.get("WASMPACK_TESTS_NO_SKIP") == "1":
        pytest.fail(f"{reason}, and WASMPACK_TESTS_NO_SKIP=1", pytrace=False)
    pytest.skip(reason)


def run(*arguments: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run([*map(str, arguments)], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def git_files(checkout: Path, *options: str) -> set[str]:
    """What git lists of the sources; skips where they were unpacked from an archive."""
    if not (checkout / ".git").exists():
        pytest.skip(f"{checkout} is not a git checkout")
    need("git")
    return set(run("git", "ls-files", *options, cwd=checkout).splitlines())
