"""Devices that tests can afford to lose: as root, broken code would replace the machine's own."""

import os
import signal
import stat
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

SAFETY_NET = 120
"""Seconds for a command that takes one."""
NULL, ZERO, FULL = 3, 5, 7
"""Minor numbers of the memory devices (Linux, admin-guide/devices.txt)."""
PRIVATE_DEV = """
mount -t tmpfs -o mode=755 none /dev || exit 98
for node in null:3 zero:5 full:7 random:8 urandom:9; do
  mknod -m 666 /dev/${node%:*} c 1 ${node#*:} || exit 98
done
mknod -m 666 /dev/tty c 5 0
ln -s /proc/self/fd /dev/fd
ln -s /proc/self/fd/0 /dev/stdin; ln -s /proc/self/fd/1 /dev/stdout; ln -s fd/2 /dev/stderr
"$@"
code=$?
[ -c /dev/null ] && [ -c /dev/zero ] && [ -c /dev/full ] && [ -L /dev/stdout ] || exit 99
exit $code
"""
"""Exit code 99: the command replaced one of them."""


def device(path: str | Path, minor: int) -> str:
    """A device of our own, if we may make one."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, minor))
    except PermissionError as error:
        missing(f"no devices can be made: {error}")
    return str(path)


def in_private_dev() -> list[str]:
    """What to put before a command: as root it gets devices of its own."""
    if os.geteuid() != 0:
        return []
    need_mounts()
    return ["unshare", "-m", "sh", "-c", PRIVATE_DEV, "sh"]


def run_there(
    command: Sequence[str | Path], *, stdin: bytes = b"", stdout: int = subprocess.PIPE,
    pass_fds: Sequence[int] = (), env: Mapping[str, str] | None = None, cwd: Path | None = None,
) -> subprocess.CompletedProcess[bytes]:  # fmt: skip
    """Run a command in such a /dev; one that hangs is ended with all it has started."""
    words = [*in_private_dev(), *map(str, command)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.PIPE, pass_fds=pass_fds,
        env={**os.environ, **(env or {})}, cwd=cwd, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            out, err = process.communicate(stdin, timeout=SAFETY_NET)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(words, process.returncode, out or b"", err)


def need_mounts() -> None:
    """Skip where there are no mount namespaces, unless nothing may be skipped."""
    try:
        done = subprocess.run(["unshare", "-m", "true"], capture_output=True, text=True)
    except FileNotFoundError as error:
        missing(f"no mount namespaces: {error}")
    else:
        if done.returncode:
            missing(f"no mount namespaces: {done.stderr.strip()}")


def missing(reason: str) -> None:
    """Skip, or fail where nothing may be skipped."""
    if os.environ.get("WASMPACK_TESTS_NO_SKIP") == "1":
        pytest.fail(f"{reason}, and WASMPACK_TESTS_NO_SKIP=1", pytrace=False)
    pytest.skip(reason)
