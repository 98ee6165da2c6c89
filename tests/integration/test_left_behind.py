"""Nothing goes on behind a wasmpack that ended, however it ended; and no secret went with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.plugins import FRAME, binary, wat
from support.running import AS_FROM_A_TERMINAL, NET, below, parents, until

from wasmpack.envoy import find_envoy

LOOP = wat('(func (export "_start") (loop $l (br $l)))')
WAIT = binary(
    FRAME.replace('(memory (export "memory") 1)', '(memory (export "memory") 1 1 shared)').format(
        imports="", marker="proxy_abi_version_0_2_1",
        body='(func (export "_start") (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) '
        "(i64.const -1))))",
    )
)  # fmt: skip
RAISED = ["--dry-run-timeout", "3600"]


@contextmanager
def started(*command: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [*AS_FROM_A_TERMINAL, *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def running(process: subprocess.Popen[bytes], name: str) -> set[int]:
    """Its children that run that program, by its beginning."""
    found = set()
    for pid in below(process.pid):
        try:
            if Path(f"/proc/{pid}/comm").read_text().startswith(name):
                found.add(pid)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("module", [LOOP, WAIT], ids=["loop", "wait"])
def test_the_dry_run_ends_with_it(
    number: signal.Signals, module: bytes, wasmpack_command: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.wasm"
    path.write_bytes(module)
    with started(wasmpack_command, "validate", "module", path, *RAISED) as process:
        until(lambda: below(process.pid))
        children = below(process.pid)
        process.send_signal(number)
        code = process.wait(NET)
        until(lambda: not children & parents().keys())
    expected = {signal.SIGKILL: -9, signal.SIGINT: 130}
    assert code == expected.get(number, 143)


INTERRUPTED_WHILE_LOADING = """
import os, sys
from wasmpack.cli import start

class Interrupting:
    def find_spec(self, name, *_):
        if name == "wasmpack.cli.main":
            os.kill(os.getpid(), int(sys.argv.pop()))

sys.meta_path.insert(0, Interrupting())
start()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_while_it_loads_ends_it_as_any_other(number: signal.Signals) -> None:
    words = ["-c", INTERRUPTED_WHILE_LOADING, "validate", "x.wasm", str(int(number))]
    with started(sys.executable, *words) as process:
        code = process.wait(NET)
        assert process.communicate() == (b"", b"")
    assert code == (130 if number == signal.SIGINT else 143)


@pytest.mark.envoy
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_envoy_ends_with_it(number: signal.Signals, wasmpack_command: str, tmp_path: Path) -> None:
    path = tmp_path / "x.wasm"
    path.write_bytes(LOOP)
    with started(
        wasmpack_command, "validate", "module", path, "--no-dry-run", "--envoy"
    ) as process:
        name = find_envoy().name[:15]
        until(lambda: running(process, name))
        children = running(process, name)
        process.send_signal(number)
        process.wait(NET)
        until(lambda: not children & parents().keys())


def test_nohup_goes_on(wasmpack_command: str, tmp_path: Path) -> None:
    path = tmp_path / "x.wasm"
    path.write_bytes(wat())
    code = "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); " \
           "os.execv(sys.argv[1], sys.argv[1:])"  # fmt: skip
    with started(
        os.sys.executable,
        "-c",
        code,
        wasmpack_command,
        "validate",
        "module",
        path,  # type: ignore[attr-defined]
    ) as process:
        until(lambda: below(process.pid) or process.poll() is not None)
        process.send_signal(signal.SIGHUP)
        assert process.wait(NET) == 0


def test_no_secret_goes_with_them(wasmpack_command: str, tmp_path: Path) -> None:
    """What Envoy and the dry run's process see of our environment."""
    envoy = tmp_path / "envoy"
    envoy.write_text(
        f"#!/bin/sh\nenv >> {tmp_path}/seen\ncat /proc/$PPID/environ | tr '\\0' '\\n' > /dev/null\n"
        "echo envoy version: x/1.40.0/Clean\n"
    )
    envoy.chmod(0o755)
    module = tmp_path / "x.wasm"
    module.write_bytes(WAIT)
    env = {**os.environ, "WASMPACK_PASSWORD": "hush", "AWS_SECRET_ACCESS_KEY": "hush",
           "WASMPACK_ENVOY_PATH": str(envoy)}  # fmt: skip
    module.write_bytes(wat())
    done = subprocess.run(
        [wasmpack_command, "validate", "module", module, "--envoy"], env=env, timeout=NET,
        capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = (tmp_path / "seen").read_text()
    assert "PATH=" in seen
    assert "hush" not in seen
    module.write_bytes(WAIT)
    process = subprocess.Popen(
        [wasmpack_command, "validate", "module", module], env=env, stdout=subprocess.DEVNULL
    )
    try:
        until(lambda: below(process.pid))
        (child,) = below(process.pid)
        assert b"hush" not in Path(f"/proc/{child}/environ").read_bytes()
    finally:
        process.kill()
        process.wait()
