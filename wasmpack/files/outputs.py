"""Files that the user names for a result, treated as a shell's ``>`` treats them.

A regular file is replaced whole, at the end of the links that lead to it, and keeps its mode and
owner. Where a directory forbids that (a file that is mounted by itself, a directory that cannot be
written) the file is written in place. Pipes, the terminal, ``/dev/null`` and what is open already
(``/dev/stdout``, ``/dev/fd/N``) are written and never replaced.
"""

import contextlib
import errno
import io
import os
import select
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from wasmpack.errors import Notice, WasmpackError, WrongUsage
from wasmpack.files.directories import explained, lock, sync, temporary_file
from wasmpack.files.inputs import MAX_CONFIGURATION, read_named
from wasmpack.files.links import Found, followed, is_harmless_device, procfs_devices

_REFUSED = {errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EACCES, errno.EROFS, errno.ENOENT}
"""Errors where a file cannot be replaced, but perhaps written in place (ENOENT: procfs)."""
STDOUT = 1


def write_named(path: Path, pieces: Iterable[bytes], notice: Notice) -> None:
    """Write a file that the user named.

    :param notice: told where the bytes went, if a link led into another directory
    :raises WrongUsage: a directory or a device, or a link that only the kernel can follow
    :raises WasmpackError: no space, no permission, a pipe that nobody reads
    :raises BrokenPipeError: the reader left
    """
    with named_output(path, notice) as file, explained(path):
        file.writelines(pieces)


@contextlib.contextmanager
def named_output(path: Path, notice: Notice, *, private: bool = False) -> Iterator[BinaryIO]:
    """As :func:`write_named`, to be written in the block; the target changes when it ends well.

    What fails in the block is the block's to explain.

    :param private: for its owner alone, whatever its mode was
    """
    with contextlib.ExitStack() as stack:
        with explained(path):
            found = stack.enter_context(followed(path))
            _check(path, found)
            file = stack.enter_context(_opened(path, found, private=private))
        yield file
        with explained(path):
            stack.close()
    if found.elsewhere:
        notice(f"{path} is a link: written to {str(found.path)!r}")


def check_named(path: Path) -> Path | None:
    """Check that the file can be written, before work that cannot be undone.

    Returns the regular file that will be written; None for a pipe, a terminal, an open file.

    :raises WrongUsage: it cannot
    """
    try:
        with explained(path), followed(path) as found:
            _check(path, found)
            return found.path if _is_replaced(found) else None
    except WrongUsage:
        raise
    except WasmpackError as error:
        raise WrongUsage(
            f"{path}: cannot be written: {error.message.removeprefix(f'{path}: ')}",
            hint="name a file in a directory that exists and that you may write to",
        ) from error


def is_stdout(path: Path) -> bool:
    """True for our standard output, under any name."""
    with contextlib.suppress(OSError), followed(path) as found:
        return found.descriptor == STDOUT
    return False


def update_named(path: Path, change: Callable[[bytes], bytes], notice: Notice) -> None:
    """Change a private configuration file, which need not be there, under a lock.

    :param change: from what it holds, nothing if it is new, to what it is to hold
    """
    with explained(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with followed(path) as found:
            directory = os.open(".", os.O_RDONLY | os.O_CLOEXEC, dir_fd=found.directory)
        try:
            lock(directory, found.path.parent)
            held = read_named(path, MAX_CONFIGURATION) if path.exists() else b""
            with named_output(path, notice, private=True) as file:
                file.write(change(held))
        finally:
            os.close(directory)


def _is_replaced(found: Found) -> bool:
    """A regular file, or none yet."""
    if found.descriptor is not None:
        return False
    return found.status is None or stat.S_ISREG(found.status.st_mode)


def _check(path: Path, found: Found) -> None:
    """:raises WrongUsage, PermissionError: it cannot be written."""
    if found.descriptor is not None:
        import fcntl

        if fcntl.fcntl(found.descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise WrongUsage(f"{path}: open for reading, expected a file open for writing")
        return
    status, name = found.status, found.name
    if os.fstat(found.directory).st_dev in procfs_devices():
        raise WrongUsage(f"{path}: a kernel setting, expected a file")
    if status is None:
        name = "."
    elif stat.S_ISDIR(status.st_mode):
        raise WrongUsage(f"{path}: a directory, expected a file")
    elif not (_is_replaced(found) or stat.S_ISFIFO(status.st_mode) or is_harmless_device(status)):
        raise WrongUsage(
            f"{path}: a device or a socket, expected a file",
            hint="use a file, a named pipe, /dev/null, /dev/tty or /dev/stdout",
        )
    if not os.access(name, os.W_OK, dir_fd=found.directory):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@contextlib.contextmanager
def _opened(path: Path, found: Found, *, private: bool) -> Iterator[BinaryIO]:
    if _is_replaced(found):
        with _replacing(found, private=private) as file:
            yield file
        return
    if sys.stdout is not None:
        sys.stdout.flush()
    handle = _open_stream(path, found)
    with io.BufferedWriter(_Stream(handle), 1 << 16) as stream:
        yield stream


@contextlib.contextmanager
def _replacing(found: Found, *, private: bool) -> Iterator[BinaryIO]:
    """A file to fill that takes the place of the target, or is copied into it."""
    most = 0o600 if private else 0o777
    name: str | None = None
    with contextlib.ExitStack() as stack:
        try:
            neighbour = temporary_file(found.directory, most & 0o666)
            file, name = stack.enter_context(neighbour)
        except OSError as error:
            if found.status is None or error.errno not in _REFUSED:
                raise
            from tempfile import TemporaryFile

            file = stack.enter_context(TemporaryFile())
        yield file
        file.flush()
        if name is None or not _renamed(file, name, found, most):
            _copy_into(found, file, most)


def _renamed(file: BinaryIO, name: str, found: Found, most: int) -> bool:
    """Give the file the target's name; False if this is refused and the target can be written."""
    directory = found.directory
    _resemble(file, found.status, most)
    sync(file.fileno())
    try:
        os.replace(name, found.name, src_dir_fd=directory, dst_dir_fd=directory)
    except OSError as error:
        if found.status is None or error.errno not in _REFUSED:
            raise
        return False
    with contextlib.suppress(PermissionError):  # a directory that cannot be read
        handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
        try:
            sync(handle)
        finally:
            os.close(handle)
    return True


def _copy_into(found: Found, file: BinaryIO, most: int) -> None:
    """Write in place, into the very file that was found."""
    flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(found.name, flags, dir_fd=found.directory), "wb") as target:
        if found.status is None or not os.path.samestat(found.status, os.fstat(target.fileno())):
            raise OSError(errno.EBUSY, "replaced by another file meanwhile")
        _resemble(target, found.status, most)
        file.seek(0)
        target.truncate(0)
        shutil.copyfileobj(file, target)
        target.flush()
        sync(target.fileno())


def _resemble(file: BinaryIO, status: os.stat_result | None, most: int) -> None:
    """Owner and mode as they were; whoever may not give a file away keeps it."""
    if status is not None:
        with contextlib.suppress(PermissionError):
            os.fchown(file.fileno(), status.st_uid, status.st_gid)
        with contextlib.suppress(PermissionError):
            os.fchmod(file.fileno(), stat.S_IMODE(status.st_mode) & most)


def _open_stream(path: Path, found: Found) -> int:
    if found.descriptor is not None:
        return os.dup(found.descriptor)
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return os.open(found.name, flags, dir_fd=found.directory)
    except OSError as error:
        if error.errno != errno.ENXIO:  # fifo(7)
            raise
        raise WasmpackError(
            f"{path}: no process reads this pipe", hint="start its reader first"
        ) from error


class _Stream(io.RawIOBase):
    """An output that cannot be replaced; waits for a slow reader even if it is non-blocking."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        while True:
            try:
                return os.write(self._handle, data)  # type: ignore[arg-type]  # a buffer
            except BlockingIOError:
                ready = select.poll()
                ready.register(self._handle, select.POLLOUT)
                ready.poll()

    def close(self) -> None:
        if not self.closed:
            os.close(self._handle)
        super().close()
