"""Files written whole or not at all, and locks between processes."""

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from wasmpack.errors import BadArtifact, WasmpackError, WrongUsage

TEMPORARY = ".wasmpack-tmp-"
"""Prefix of files in the making; what a killed process leaves is swept by ``prune``."""


def write_whole(path: Path, pieces: Iterable[bytes], *, durable: bool = True) -> None:
    """Write to a temporary file beside ``path`` and rename it; on any failure nothing is left.

    :param durable: wait until the disk has it, so that it outlives a power failure; what is
        verified by its digest whenever it is read can do without

    :raises WasmpackError: no space, no permission
    """
    with explained(path):
        if path.exists() and not path.is_dir() and (not path.is_file() or _is_open_file(path)):
            with path.open("wb") as device:  # /dev/stdout, a named pipe: written, not replaced
                device.writelines(pieces)
            return
        handle, name = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
                os.fchmod(file.fileno(), 0o666 & ~_UMASK)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        if durable:
            _sync_directory(path.parent)


def _is_open_file(path: Path) -> bool:
    """``/dev/stdout``, ``/dev/fd/3``: a link to what this process has open."""
    return path.is_symlink() and str(path.readlink()).startswith("/proc/")


def open_regular(path: Path) -> BinaryIO:
    """A regular file for reading; never waits for a pipe, never reads a device.

    :raises FileNotFoundError: no such file
    :raises BadArtifact: something else of that name
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise BadArtifact(f"{path}: expected a regular file")
    return os.fdopen(handle, "rb")


def check_parent(path: Path) -> None:
    """Before work that cannot be undone: may a file be written there?

    :raises WrongUsage: no such directory, or a directory of that name
    """
    if path.is_dir() or not (path.exists() or os.access(path.parent, os.W_OK)):
        raise WrongUsage(
            f"{path}: cannot be written", hint="name a file in a directory that exists"
        )


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read, whole; its directory too if it is new."""
    with explained(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def locked(directory: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold an advisory lock on a directory; the kernel drops it when the process dies."""
    import fcntl

    with explained(directory):
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an operating system error into one that says what to do."""
    try:
        yield
    except OSError as error:
        hint = ""
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            hint = "free some space, or set WASMPACK_STORE to another disk; nothing was changed"
        elif error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            hint = "choose a place you may write to; WASMPACK_STORE moves the local store"
        raise WasmpackError(f"{path}: {error.strerror or error}", hint=hint) from error


def _umask() -> int:
    """The process's umask; it can only be read by setting it, which threads must not do."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


_UMASK = _umask()


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
