"""Files whose names wasmpack chooses, inside a directory: whole, locked, never through a link.

For files that the user names see :mod:`wasmpack.files.outputs` and
:mod:`wasmpack.files.inputs`.
"""

import contextlib
import errno
import os
import stat
import time
import warnings
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from wasmpack.errors import BadArtifact, NotFound, WasmpackError, WasmpackWarning, WrongUsage
from wasmpack.files.links import followed, procfs_devices

TEMPORARY = ".wasmpack-tmp-"
"""Prefix of unfinished files; ``prune`` removes those that a killed process left."""
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF}
"""No locks, as on some NFS; EBADF: NFS locks only what is open for writing (flock(2))."""
LOCK_SECONDS = 30.0
"""Longest wait for a lock: others hold it while they copy an image."""
_TURN = 0.01
"""Seconds between two tries to get it."""
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_SUCH_NAME = {errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EISDIR}


def write_inside(root: Path, name: str, pieces: Iterable[bytes], *, durable: bool = True) -> None:
    """Write a file below a directory, whole; on any failure nothing is left.

    Missing directories are made. A link, a pipe or a device of that name is replaced; a link in
    place of a directory is refused.

    :param name: relative to ``root``, with slashes
    :param durable: wait until the disk has it, so that it outlives a power failure; what is
        verified by its digest whenever it is read can do without

    :raises WasmpackError: no space, no permission
    :raises BadArtifact: a link or a file in place of a directory
    """
    parent, _, last = name.rpartition("/")
    with (
        explained(root / name),
        inside(root, parent, make=True) as directory,
        temporary_file(directory) as (file, temporary),
    ):
        file.writelines(pieces)
        file.flush()
        if durable:
            sync(file.fileno())
        os.replace(temporary, last, src_dir_fd=directory, dst_dir_fd=directory)
        if durable:
            sync(directory)


@contextlib.contextmanager
def temporary_file(directory: int, mode: int = 0o666) -> Iterator[tuple[BinaryIO, str]]:
    """A new file and its name, which is removed unless the block gave it another.

    :param directory: open; the name is relative to it
    :param mode: less what the umask takes away
    """
    name = f"{TEMPORARY}{os.urandom(8).hex()}"
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(name, flags, mode, dir_fd=directory)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file, name
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=directory)


def sync(handle: int) -> None:
    """Wait until the disk has it, on file systems that can be asked to (fsync(2))."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.EROFS, errno.ENOTSUP}:
            raise


@contextlib.contextmanager
def inside(root: Path, name: str = "", *, make: bool = False) -> Iterator[int]:
    """Open a directory below ``root``, no link followed on the way; ``root`` itself may be one.

    :param make: make what is missing
    :raises BadArtifact: a link or a file in place of a directory
    :raises WrongUsage: ``root`` leads through a link of ``/proc``
    """
    if make:
        with contextlib.suppress(FileNotFoundError), followed(root):
            pass  # refused before anything is made behind it
        root.mkdir(parents=True, exist_ok=True)
    handle = _open_root(root)
    try:
        for part in filter(None, name.split("/")):
            root /= part
            below = _open_below(handle, part, root, make=make)
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)


def _open_root(root: Path) -> int:
    with followed(root) as found:
        if found.descriptor is not None:
            return os.open(".", _DIRECTORY, dir_fd=found.descriptor)
        return os.open(found.name, _DIRECTORY, dir_fd=found.directory)


def _open_below(directory: int, name: str, path: Path, *, make: bool) -> int:
    if make:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=directory)
    try:
        return os.open(name, _DIRECTORY, dir_fd=directory)
    except OSError as error:
        if error.errno not in {errno.ENOTDIR, errno.ELOOP}:
            raise
        raise BadArtifact(
            f"{path}: a link or a file, expected a directory: links inside a layout are not "
            "written through",
            hint="choose a new directory",
        ) from error


def delete_below(root: Path, name: str, keep: Container[str]) -> list[int]:
    """Delete the files in the directories of ``name``, no link followed, but for names to keep.

    Returns the sizes of what is deleted.
    """
    sizes = []
    with inside(root, name) as directory, os.scandir(directory) as found:
        parts = [part.name for part in found if part.is_dir(follow_symlinks=False)]
    for part in parts:
        with inside(root, f"{name}/{part}") as directory, os.scandir(directory) as found:
            for file in list(found):
                if file.name not in keep and not file.is_dir(follow_symlinks=False):
                    sizes.append(file.stat(follow_symlinks=False).st_size)
                    os.unlink(file.name, dir_fd=directory)
    return sizes


def open_regular(path: Path) -> BinaryIO:
    """A regular file for reading; never waits for a pipe, never opens a device.

    :raises FileNotFoundError: no such file
    :raises BadArtifact: something else of that name
    """
    status = path.stat()
    if stat.S_ISREG(status.st_mode):
        refuse_endless(status, path)
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if stat.S_ISREG(os.fstat(handle).st_mode):
            return os.fdopen(handle, "rb")
        os.close(handle)
    raise BadArtifact(f"{path}: expected a regular file")


def refuse_endless(status: os.stat_result, path: Path) -> None:
    """Refuse kernel files that pretend to be regular, and block or never end (/proc/kmsg).

    :raises BadArtifact: it is one of them
    """
    if status.st_size == 0 and status.st_blocks == 0 and status.st_dev in procfs_devices():
        raise BadArtifact(f"{path}: a kernel file, expected a regular file")


@contextlib.contextmanager
def locked(root: Path, name: str = "", *, shared: bool = False) -> Iterator[None]:
    """Hold an advisory lock on a directory, found as :func:`inside` finds it."""
    with contextlib.ExitStack() as stack:
        with explained(root / name):
            directory = stack.enter_context(inside(root, name))
            lock(directory, root, shared=shared)
        yield


def lock(directory: int, path: Path, *, shared: bool = False) -> None:
    """Lock an open directory; the kernel drops the lock when it is closed.

    A file system without locks is used without, and a warning says so.

    :param path: names the directory in messages
    :raises WasmpackError: another process keeps it locked; read access suffices for that
    """
    import fcntl

    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    deadline = time.monotonic() + LOCK_SECONDS
    try:
        while not _is_locked(directory, kind):
            if time.monotonic() > deadline:
                raise WasmpackError(
                    f"{path}: locked by another process for {LOCK_SECONDS:g} s",
                    hint="try again when that process has ended",
                )
            time.sleep(_TURN)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        warnings.warn(
            f"{path}: this file system has no locks ({error.strerror}): only one process at a "
            "time may write there",
            WasmpackWarning,
            stacklevel=1,
        )


def _is_locked(directory: int, kind: int) -> bool:
    """Try to get the lock; True if we have it."""
    import fcntl

    try:
        fcntl.flock(directory, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def explained(path: Path | str) -> Iterator[None]:
    """Turn an operating system error into one that names the path and says what to do.

    :raises BrokenPipeError: unchanged: the reader has left, the path is fine
    """
    if "\0" in str(path):
        raise WrongUsage(f"{path!s}: invalid file name")
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise explanation(path, error) from error


def explanation(path: Path | str, error: OSError) -> WasmpackError:
    """Our error for one of the operating system."""
    text = f"{path}: {error.strerror or error}"
    if error.errno == errno.ENOENT:
        return NotFound(f"{path}: no such file")
    if error.errno == errno.EEXIST:  # of mkdir: what we create ourselves has names at random
        return WrongUsage(f"{path}: a file or a broken link, expected a directory")
    if error.errno in _NO_SUCH_NAME:
        return WrongUsage(text)
    if error.errno in _FULL:
        return WasmpackError(
            text, hint="free some space, or set WASMPACK_STORE to another disk; nothing was changed"
        )
    if error.errno in _FORBIDDEN:
        return WasmpackError(
            text, hint="choose a place you may write to; WASMPACK_STORE moves the local store"
        )
    return WasmpackError(text)
