"""Files that the user names to be read: bounded, and never waited for forever.

``/dev/stdin``, ``/dev/fd/N`` and named pipes are read to the end as long as they have a writer.
"""

import contextlib
import os
import select
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from wasmpack.errors import BadArtifact, NotFound, WasmpackError, WrongUsage
from wasmpack.files.directories import explained, refuse_endless
from wasmpack.files.links import followed, is_harmless_device
from wasmpack.redaction import note

WRITER_SECONDS = 10.0
"""How long a named pipe may be without a writer."""
MAX_CONFIGURATION = 16 << 20
"""Most bytes of a configuration file, a certificate or a password."""
_CHUNK = 1 << 20
_TURN = 0.02
"""Seconds between two checks whether the other end is open."""


def read_named(path: Path, limit: int) -> bytes:
    """The bytes of a file that the user named.

    :raises NotFound: no such file
    :raises BadArtifact: more bytes than the limit
    :raises WrongUsage: a directory, a device, a socket
    :raises WasmpackError: it cannot be read, or is a pipe without a writer
    """
    with explained(path), _opened(path) as handle:
        return _read(handle, str(path), limit)


def read_standard_input(limit: int) -> bytes:
    """As :func:`read_named`, of standard input.

    :raises NotFound: it is closed
    """
    what = "standard input"
    if sys.stdin is None:
        raise NotFound(f"{what} is closed", hint="name a file")
    with explained(what):
        return _read(sys.stdin.fileno(), what, limit)


def is_pipe(path: Path) -> bool:
    """True for a path that can only be read once."""
    with contextlib.suppress(OSError):
        mode = path.stat().st_mode
        return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
    return False


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    handle = _open(path)
    try:
        yield handle
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    status = path.stat()
    if stat.S_ISREG(status.st_mode):
        refuse_endless(status, path)
        return os.open(path, flags)
    with followed(path) as found:
        if found.descriptor is not None:
            return os.dup(found.descriptor)
        _refuse_devices(status, str(path), terminal=False)
        return os.open(found.name, flags | os.O_NOFOLLOW, dir_fd=found.directory)


def _refuse_devices(status: os.stat_result, what: str, *, terminal: bool) -> None:
    """Refuse devices: before opening one, and if one was already open."""
    mode = status.st_mode
    if stat.S_ISDIR(mode):
        raise WrongUsage(f"{what}: a directory, expected a file")
    if (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)) and not (terminal or is_harmless_device(status)):
        raise WrongUsage(f"{what}: a device, expected a file")


def _read(handle: int, what: str, limit: int) -> bytes:
    """Read to the end; a writer may take as long as it likes."""
    status = os.fstat(handle)
    _refuse_devices(status, what, terminal=os.isatty(handle))
    if stat.S_ISFIFO(status.st_mode):
        piece = _first_of_pipe(handle, what)
    else:
        piece = _read_some(handle, min(status.st_size, limit) + 1)
    pieces: list[bytes] = []
    left = limit
    while piece:
        pieces.append(piece)
        left -= len(piece)
        if left < 0:
            raise BadArtifact(f"{what}: more than {limit} bytes")
        piece = _read_some(handle, min(_CHUNK, left + 1))
    note(f"read {what}: {limit - left} bytes")
    return b"".join(pieces)


def _first_of_pipe(handle: int, what: str) -> bytes:
    """Wait for a writer, which may then be silent for long.

    :raises WasmpackError: no writer came in time
    """
    ready = select.poll()
    ready.register(handle, select.POLLIN)
    deadline = time.monotonic() + WRITER_SECONDS
    while True:
        ended = bool(ready.poll(0))  # asked first: a writer may come, write and go meanwhile
        try:
            piece = os.read(handle, _CHUNK)
        except BlockingIOError:  # not the end: it is open for writing (pipe(7))
            return _read_some(handle, _CHUNK)
        if piece or ended:
            return piece
        if time.monotonic() > deadline:
            raise WasmpackError(
                f"{what}: no process writes this pipe", hint="start its writer first"
            )
        time.sleep(_TURN)


def _read_some(handle: int, size: int) -> bytes:
    """Wait for some bytes; nothing at the end."""
    while True:
        try:
            return os.read(handle, size)
        except BlockingIOError:
            ready = select.poll()
            ready.register(handle, select.POLLIN)
            ready.poll()
