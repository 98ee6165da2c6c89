"""Warm workers: a process that has loaded wasmtime, of which each dry run gets a fresh fork.

Starting Python and loading wasmtime takes most of a small module's dry run. Who validates many
modules starts one such process, the nursery, and every worker is forked from it before any module
was seen, so that none has anything of another. Budgets are per worker, as they are for those that
are started alone.

A worker is not our child, so the nursery waits for it: it sends the worker's process id and then
its exit status, and does not reap it until we have hung up. Until then the id cannot mean another.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import IO, NoReturn

from wasmpack.confinement import allowed_environment, end_with_parent, import_path

_NUMBER = struct.Struct("=i")
_PIPES = 4
"""Descriptors of a request: three standard streams, and its line to us."""
_CODE = (
    "import sys; sys.path[:] = {path!r}; "
    "from wasmpack.dry_run import nursery; nursery.serve({parent}, {line})"
)


class NurseryGone(Exception):
    """The nursery has ended; workers are started alone then."""


class ForkedWorker:
    """A worker of a nursery, with what :class:`subprocess.Popen` has of it."""

    def __init__(self, pid: int, line: socket.socket, streams: list[IO[bytes]]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin: IO[bytes] | None = streams[0]
        self.stdout: IO[bytes] | None = streams[1]
        self.stderr: IO[bytes] | None = streams[2]
        self._line = line
        self._waiting = threading.Lock()

    def wait(self) -> int:
        """Wait for its end; the exit status, negative for a signal."""
        with self._waiting:
            if self.returncode is None:
                status = self._line.recv(_NUMBER.size)
                self.returncode = _NUMBER.unpack(status)[0] if status else -signal.SIGKILL
                self._line.close()
        return self.returncode

    def kill(self) -> None:
        """End it, if it has not ended."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


class Nursery:
    """A process that forks workers until it is closed; used by several threads."""

    def __init__(self) -> None:
        """:raises OSError: it cannot be started"""
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        code = _CODE.format(path=import_path(), parent=os.getpid(), line=theirs.fileno())
        self._asking = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", code],
                stdin=subprocess.DEVNULL,
                env=allowed_environment(),
                pass_fds=[theirs.fileno()],
            )

    def fork(self) -> ForkedWorker:
        """:raises NurseryGone: it has ended"""
        ours, theirs = zip(*(_pipe(up=number > 0) for number in range(3)), strict=True)
        line, far_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with self._asking, contextlib.suppress(OSError):
                socket.send_fds(self._line, [b"fork"], [*theirs, far_end.fileno()])
        finally:
            far_end.close()
            for handle in theirs:
                os.close(handle)
        streams: list[IO[bytes]] = [
            os.fdopen(handle, "rb" if number else "wb") for number, handle in enumerate(ours)
        ]
        answer = line.recv(_NUMBER.size)
        if not answer:
            line.close()
            for stream in streams:
                stream.close()
            raise NurseryGone
        return ForkedWorker(_NUMBER.unpack(answer)[0], line, streams)

    def close(self) -> None:
        """End it."""
        self._line.close()
        self._process.kill()
        self._process.wait()


def _pipe(*, up: bool) -> tuple[int, int]:
    """Our end and theirs.

    :param up: they write
    """
    reader, writer = os.pipe()
    return (reader, writer) if up else (writer, reader)


_open: list[Nursery] = []


@contextlib.contextmanager
def warm_workers() -> Iterator[None]:
    """Let workers be forked from a nursery, where the system can do that (Linux)."""
    nursery = None
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            nursery = Nursery()
    if nursery is None:
        yield
        return
    _open.append(nursery)
    try:
        yield
    finally:
        _open.remove(nursery)
        nursery.close()


def warm_worker() -> ForkedWorker | None:
    """A worker of the nursery, if there is one."""
    for nursery in _open:
        with contextlib.suppress(NurseryGone, OSError):
            return nursery.fork()
    return None


def serve(parent: int, line: int) -> None:
    """The nursery's side: load what workers need, then fork one for each request."""
    end_with_parent(parent)
    from wasmpack.dry_run import worker

    worker.load()
    with socket.socket(fileno=line) as requests, selectors.DefaultSelector() as events:
        events.register(requests, selectors.EVENT_READ, lambda: _fork(requests, events))
        with contextlib.suppress(NurseryGone):
            while True:
                for key, _ in events.select():
                    key.data()


def _fork(requests: socket.socket, events: selectors.BaseSelector) -> None:
    """Start the worker that is asked for, and watch it.

    :raises NurseryGone: nobody will ask again
    """
    asked, handles, _, _ = socket.recv_fds(requests, len(b"fork"), _PIPES)
    if not asked:
        raise NurseryGone
    *streams, line = handles
    nursery, pid = os.getpid(), os.fork()
    if pid == 0:
        for key in events.get_map().values():
            os.close(key.fd)
        events.close()
        os.close(line)
        _work(nursery, streams)
    for handle in streams:
        os.close(handle)
    us, end = socket.socket(fileno=line), os.pidfd_open(pid)
    with contextlib.suppress(OSError):
        us.send(_NUMBER.pack(pid))
    events.register(end, selectors.EVENT_READ, lambda: _report(pid, end, us, events))


def _report(pid: int, end: int, us: socket.socket, events: selectors.BaseSelector) -> None:
    """Tell how a worker ended."""
    events.unregister(end)
    os.close(end)
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    exited = ended.si_code == os.CLD_EXITED
    with contextlib.suppress(OSError):
        us.send(_NUMBER.pack(ended.si_status if exited else -ended.si_status))
    events.register(us, selectors.EVENT_READ, lambda: _reap(pid, us, events))


def _reap(pid: int, us: socket.socket, events: selectors.BaseSelector) -> None:
    """They have hung up, and will not use the worker's id again."""
    events.unregister(us)
    us.close()
    os.waitpid(pid, 0)


def _work(nursery: int, streams: Sequence[int]) -> NoReturn:
    """The worker's side."""
    from wasmpack.dry_run import worker

    for target, handle in enumerate(streams):
        os.dup2(handle, target)
        os.close(handle)
    try:
        worker.run(nursery)
    except SystemExit:  # the other side is gone
        os._exit(0)
    except BaseException:  # noqa: BLE001 - as Python itself would end
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    os._exit(1)
