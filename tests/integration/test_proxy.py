"""The starter of Envoy: what it leaves behind, and who can reach it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from support.plugins import wat
from support.running import AS_FROM_A_TERMINAL, NET, below, parents, until

from wasmpack.envoy import (
    Answer,
    Chain,
    EnvoyRefused,
    Exchange,
    Plan,
    Plugin,
    Request,
    Response,
    running_proxy,
)

pytestmark = pytest.mark.envoy

RUNS = 5
"""Of each kind."""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory in which everything is made."""
    made = tmp_path / "tmp"
    made.mkdir()
    monkeypatch.setenv("TMPDIR", str(made))
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    return made


@pytest.mark.parametrize(
    "number",
    [None, signal.SIGINT, signal.SIGTERM, signal.SIGKILL],
    ids=["ends", "interrupted", "terminated", "killed"],
)
def test_nothing_is_left_behind(
    number: signal.Signals | None, temporary: Path, tmp_path: Path, wasmpack_command: str
) -> None:
    (tmp_path / "x.wasm").write_bytes(wat())
    more = ["--request", "/"] if number is None else []
    for _ in range(RUNS):
        process = subprocess.Popen(
            [*AS_FROM_A_TERMINAL, wasmpack_command, "run", tmp_path / "x.wasm", *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout
        process.stdout.readline()  # it serves, or has answered
        children = below(process.pid)
        if number is not None:
            assert children
            process.send_signal(number)
        process.communicate(timeout=120)
        until(lambda started=children: not started & parents().keys())
        until(lambda: not list(temporary.iterdir()))


def test_a_kill_while_it_starts_leaves_nothing(temporary: Path, tmp_path: Path) -> None:
    """The parent is gone before Envoy is told to start."""
    work = temporary / "work"
    work.mkdir()
    code = (
        "import os, subprocess, sys\nfrom wasmpack.confinement import kept\n"
        f"subprocess.Popen(kept(['/bin/sleep', '600'], {str(work)!r}, 1 << 20),"
        " stdin=subprocess.PIPE, start_new_session=True)\nos._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    until(lambda: not work.exists())


def test_the_keeper_ends_as_the_program_did(tmp_path: Path) -> None:
    from wasmpack.confinement import kept

    for script, status in (("exit 3", 3), ("kill -SEGV $$", -signal.SIGSEGV)):
        command = kept(["/bin/sh", "-c", script], str(tmp_path / "x"), 1 << 20)
        process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        assert process.stdin
        process.stdin.write(b"!")
        process.stdin.flush()
        assert process.wait(60) == status
        process.stdin.close()


def test_only_loopback_and_a_socket_of_the_user(temporary: Path) -> None:
    with running_proxy([Plugin(module=wat())]) as proxy:
        assert proxy.get("/").status == 200
        (work,) = temporary.iterdir()
        admin = (work / "admin").stat()
        assert stat.S_ISSOCK(admin.st_mode)
        assert stat.S_IMODE(admin.st_mode) == 0o600
        assert stat.S_IMODE(work.stat().st_mode) == 0o700
        maps = [Path(f"/proc/{one}/maps").read_text() for one in below(os.getpid())]
        listening = listening_addresses(proxy._process._process.pid)
    assert listening == {"0100007F"}
    assert not any("/dev/shm" in text for text in maps), "it would stay when Envoy is killed"
    assert not list(temporary.iterdir())


def listening_addresses(pid: int) -> set[str]:
    """IPv4 addresses on which a process or its children listen (proc(5), net/tcp)."""
    sockets = set()
    for one in {pid, *below(pid)}:
        for file in Path(f"/proc/{one}/fd").iterdir():
            try:
                sockets.add(str(file.readlink()))
            except OSError:
                continue
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                found.add(fields[1].partition(":")[0])
    return found


def test_nothing_of_our_environment_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    with running_proxy([Plugin(module=wat())]) as proxy:
        for one in below(os.getpid()) | {proxy._process._process.pid}:
            assert b"hush" not in Path(f"/proc/{one}/environ").read_bytes()


def test_an_interrupted_test_waits_for_nothing(
    temporary: Path, tmp_path: Path, wasmpack_command: str
) -> None:
    """It would take ten minutes."""
    (tmp_path / "x.wasm").write_bytes(wat())
    (tmp_path / "x.yaml").write_text(
        "plugin: x.wasm\ntests: [{name: slow, upstream: {delay: 60}, repeat: 10}]"
    )
    command = [*AS_FROM_A_TERMINAL, wasmpack_command, "test", tmp_path / "x.yaml", "-j", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        until(lambda: list(temporary.glob("*/admin")))
        process.send_signal(signal.SIGINT)
        assert process.wait(NET) == 130
    until(lambda: not list(temporary.iterdir()))


def test_a_long_temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than the address of a Unix socket may be (unix(7): 108 bytes)."""
    long = tmp_path / ("x" * 120)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with running_proxy([Plugin(module=wat())]) as proxy:
        assert proxy.get("/").status == 200


def test_requests_are_sent_at_the_same_time() -> None:
    """The upstream answers when all of them are there."""
    count = 8
    all_there = threading.Barrier(count)

    def behave(_request: Request) -> Answer:
        all_there.wait(60)
        return Answer(response=Response(body=b"all"))

    plan = Plan(chains=[Chain(plugins=[Plugin(module=wat())], upstream=behave)])
    with running_proxy(plan) as proxy:
        found = proxy.ask_together(Request(path="/x"), count, asleep=60)
    exchanges = [each for each in found if isinstance(each, Exchange)]
    assert [each.response.body for each in exchanges] == [b"all"] * count
    assert [len(each.reached) for each in exchanges] == [1] * count


def test_one_of_several_requests_that_kills_envoy_is_a_refusal() -> None:
    on_request = """(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (drop (call $continue (i32.const 1))) (i32.const 0))"""
    continues = '(import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))'
    with (
        pytest.raises(EnvoyRefused, match="request"),
        running_proxy([Plugin(module=wat(on_request, continues))]) as proxy,
    ):
        proxy.ask_together(Request(), 4)
