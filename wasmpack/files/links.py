"""The end of a path that the user names, followed link by link.

A link to a file is followed, as a shell's ``>`` does. The magic links in ``/proc``
(``PID/root``, ``PID/cwd``, ``PID/fd/N``) reach files that no name in this file system leads to: of
those only our own open files are accepted, as descriptors and not by name.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wasmpack.errors import WrongUsage

_MOST_LINKS = 40
"""Links in one path, as in Linux (``MAXSYMLINKS``, path_resolution(7))."""
_PROC_ROOT = 1
"""Inode of a procfs's top directory, whose links (``self``, ``mounts``) are names like any other
(``PROC_ROOT_INO``, linux/proc_ns.h)."""
_OWN_FILES = ("/proc/self/fd", "/proc/thread-self/fd", "/dev/fd")
_DIRECTORY = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The end of a path: a name in an open directory, and never a link."""

    directory: int
    name: str
    path: Path
    """The same as text, for people."""
    status: os.stat_result | None
    """None if nothing has that name yet."""
    elsewhere: bool
    """A link led into another directory than the one that the path names."""
    descriptor: int | None = None
    """The path is one of our own open files (``/dev/stdout``, ``/dev/fd/N``)."""


@contextlib.contextmanager
def followed(path: Path) -> Iterator[Found]:
    """Follow a path to its end; the directory found is open while the block runs.

    :raises OSError: as the kernel reports: no such directory, too many links, no permission
    :raises WrongUsage: it leads through a link of ``/proc``, or to a descriptor that is not open
    """
    walk = _Walk(path)
    try:
        yield walk.to_the_end()
    finally:
        os.close(walk.directory)


def is_harmless_device(status: os.stat_result) -> bool:
    """``/dev/null`` or the terminal; of other devices even opening one can do harm."""
    if stat.S_ISCHR(status.st_mode):
        for known in ("/dev/null", "/dev/tty"):
            with contextlib.suppress(OSError):
                if Path(known).stat().st_rdev == status.st_rdev:
                    return True
    return False


class _Walk:
    """A way through directories, each opened from the one before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._links = 0
        self._waiting: list[str] = []
        """Names still to come, the next one last."""
        self._at = ""
        self.directory = os.open(".", _DIRECTORY)
        self._turn(os.fspath(path))

    def to_the_end(self) -> Found:
        home: os.stat_result | None = None
        while True:
            name = self._waiting.pop()
            if not self._waiting and home is None:
                home = os.fstat(self.directory)
            if _is_own_file(self.directory, name):
                return self._found(name, None, home, _open_descriptor(self._path, name))
            status = self._status(name)
            if status is not None and stat.S_ISLNK(status.st_mode):
                self._follow(name)
            elif self._waiting:
                self._enter(name)
            else:
                return self._found(name, status, home)

    def _found(
        self,
        name: str,
        status: os.stat_result | None,
        home: os.stat_result | None,
        descriptor: int | None = None,
    ) -> Found:
        if descriptor is not None and self._waiting:
            raise self._refusal(name)
        moved = home is not None and not os.path.samestat(home, os.fstat(self.directory))
        return Found(
            directory=self.directory,
            name=name,
            path=Path(self._at, name),
            status=status,
            elsewhere=moved and descriptor is None,
            descriptor=descriptor,
        )

    def _status(self, name: str) -> os.stat_result | None:
        """Status of the name itself; the last one may be missing."""
        try:
            return os.stat(name, dir_fd=self.directory, follow_symlinks=False)
        except FileNotFoundError:
            if self._waiting:
                raise
            return None

    def _follow(self, name: str) -> None:
        self._links += 1
        if self._links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if _is_magic(self.directory):
            raise self._refusal(name)
        if not self._waiting:  # the kernel may forbid it: fs.protected_symlinks, proc(5)
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                os.stat(name, dir_fd=self.directory)
        self._turn(os.readlink(name, dir_fd=self.directory))

    def _turn(self, text: str) -> None:
        """Continue with the names of a path; a slash at its end asks for a directory."""
        if text.startswith("/"):
            self._enter("/")
        names = [name for name in text.split("/") if name not in {"", "."}]
        if not names or text.endswith(("/", "/.")):
            names.append(".")
        self._waiting += reversed(names)

    def _enter(self, name: str) -> None:
        directory = os.open(name, _DIRECTORY, dir_fd=self.directory)
        os.close(self.directory)
        self.directory = directory
        self._at = os.path.normpath(os.path.join(self._at, name))  # noqa: PTH118 - ".." is undone

    def _refusal(self, name: str) -> WrongUsage:
        return WrongUsage(
            f"{self._path}: leads through {Path(self._at, name)}, a link of the kernel",
            hint="name the file itself",
        )


def _is_own_file(directory: int, name: str) -> bool:
    if not (name.isascii() and name.isdecimal()):
        return False
    here = os.fstat(directory)
    for known in _OWN_FILES:
        with contextlib.suppress(OSError):
            if os.path.samestat(here, Path(known).stat()):
                return True
    return False


def _open_descriptor(path: Path, name: str) -> int:
    """The number of a file that our parent left open: ours are closed on exec.

    :raises WrongUsage: it is not open
    """
    import fcntl

    with contextlib.suppress(OSError, OverflowError):
        number = int(name)
        if not fcntl.fcntl(number, fcntl.F_GETFD) & fcntl.FD_CLOEXEC:
            return number
    raise WrongUsage(f"{path}: file descriptor {name} is not open")


def _is_magic(directory: int) -> bool:
    """True if links in this directory are the kernel's magic links (proc(5))."""
    here = os.fstat(directory)
    return here.st_dev in procfs_devices() and here.st_ino != _PROC_ROOT


def procfs_devices() -> set[int]:
    """Devices of all mounted procfs (proc_pid_mountinfo(5)); empty on systems without it."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return set()
    numbers = [line.split()[2].split(":") for line in lines if " - proc " in line]
    return {os.makedev(int(major), int(minor)) for major, minor in numbers}
