"""Run a registry as a process, where there is no Docker engine."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from support.registries.model import RegistryUnavailable, RunningRegistry, Setup

BINARIES = ("docker-registry", "registry")
"""Debian's name of the program and its own name."""
START_LIMIT = 180
STOP_LIMIT = 5

_LISTENING = re.compile(r"listening on (127\.0\.0\.1:\d+)")


@contextmanager
def run_process(setup: Setup, workdir: Path) -> Iterator[RunningRegistry]:
    """Run `setup` with a registry binary of the PATH, its storage and log in `workdir`.

    Raises `RegistryUnavailable` without a binary; RuntimeError when the registry does not start.
    """
    binary = _find_binary()
    log = workdir / "registry.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [binary, "serve", setup.config],
            env=_environment(setup, workdir),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        yield setup.running(_wait_for_address(process, log), "process", lambda: _read(log))
    finally:
        _stop(process)


def _find_binary() -> str:
    for name in BINARIES:
        if binary := shutil.which(name):
            return binary
    raise RegistryUnavailable(f"none of {', '.join(BINARIES)} is on the PATH")


def _environment(setup: Setup, workdir: Path) -> Mapping[str, str]:
    """The variables of the registry, and none of ours but the PATH.

    It reads every REGISTRY_* variable as a setting, so that REGISTRY_AUTH_FILE, meant for other
    tools, would break it. Port 0 lets the system choose one, which no other process can take
    in between; the registry then logs it, at the level info.
    """
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "REGISTRY_HTTP_ADDR": "127.0.0.1:0",
        "REGISTRY_LOG_LEVEL": "info",
        "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": str(workdir / "storage"),
        **setup.variables,
        **{file.variable: str(file.path) for file in setup.files},
    }


def _wait_for_address(process: subprocess.Popen[bytes], log: Path) -> str:
    """The `host:port` the registry logs once it listens."""
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        if found := _LISTENING.search(_read(log)):
            return found.group(1)
        if ended:
            break
        time.sleep(0.02)
    raise RuntimeError(f"the registry did not start; its log:\n{_read(log)}")


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
