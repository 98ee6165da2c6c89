"""Check the files of a repository before git opens them.

git opens whatever has the right name: it waits for a pipe, reads a device without end, follows a
link to a file elsewhere and repeats a line of it in a message. So it is given a repository only
after everything it could open is known to be a regular file or a directory.
"""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from wasmpack.errors import BadArtifact, WasmpackError
from wasmpack.files.directories import open_regular
from wasmpack.git.program import NO_GIT, Deadline

_MAX_ENTRIES = 1 << 20
"""Of all directories together; git packs long before (gc.auto, gc.autoPackLimit)."""
_OBJECT_DIRECTORY = re.compile(r"[0-9a-f]{2}|pack|info|commit-graphs|multi-pack-index\.d")
"""Places git looks in below an object directory (gitrepository-layout(5)), and no others."""
_MAX_ALTERNATES = 1 << 16
_QUOTE = b'"'


class Storage:
    """The files of one repository, counted as they are checked."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._entries = 0

    def file(self, path: Path) -> Path | None:
        """A regular file, links resolved; None if it does not exist.

        A link must lead to a file of the same name, as it does where clones share what they have:
        no other file of the user is called like that.

        :raises WasmpackError: something else of that name
        """
        found = Path(os.path.realpath(path))
        mode = _mode(found)
        if mode is not None and not (stat.S_ISREG(mode) and found.name == path.name):
            raise _refused(path, "a regular file")
        return found if mode else None

    def directory(self, path: Path) -> Path | None:
        """A directory, links resolved, and everything below it; None if it does not exist.

        :raises WasmpackError: something else of that name, or below it anything but files and
            directories
        """
        found = self._top(path)
        waiting = [found] if found else []
        while waiting:
            for entry in self.listed(waiting.pop()):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry))
                else:
                    _expect_file(entry)
        return found

    def objects(self, path: Path) -> Path | None:
        """As :meth:`directory`, for one of objects and those it borrows from.

        Its directories may lie elsewhere, as a large disk's do; git reads only objects from there.
        """
        found = self._top(path)
        waiting, seen = [found] if found else [], set[Path]()
        while waiting:
            top = waiting.pop()
            if top not in seen:
                seen.add(top)
                self._look_below(top)
                waiting += filter(None, map(self._top, self._alternates(top)))
        return found

    def listed(self, directory: Path) -> Iterator["os.DirEntry[str]"]:
        """The entries of a directory.

        :raises WasmpackError: too many, or too late
        """
        with os.scandir(directory) as entries:
            for entry in entries:
                self._deadline.left(str(directory))
                self._entries += 1
                if self._entries > _MAX_ENTRIES:
                    what = f"more than {_MAX_ENTRIES} files"
                    raise WasmpackError(f"{directory}: {what}", hint=NO_GIT)
                yield entry

    def _look_below(self, top: Path) -> None:
        waiting = [top]
        while waiting:
            for entry in self.listed(waiting.pop()):
                if not entry.is_dir():
                    _expect_file(entry)
                elif _OBJECT_DIRECTORY.fullmatch(entry.name):
                    waiting.append(Path(entry))

    def _alternates(self, top: Path) -> Iterator[Path]:
        """The object directories that one names (gitrepository-layout(5), "alternates")."""
        names, _ = bounded(top / "info/alternates", _MAX_ALTERNATES)
        for name in names.split(b"\n"):
            if name.startswith(_QUOTE):
                raise WasmpackError(f"{top}: quoted path in info/alternates", hint=NO_GIT)
            if name and not name.startswith(b"#"):
                yield top / os.fsdecode(name)

    def _top(self, path: Path) -> Path | None:
        found = Path(os.path.realpath(path))
        mode = _mode(found)
        if mode is not None and not stat.S_ISDIR(mode):
            raise _refused(path, "a directory")
        return found if mode else None


def bounded(file: Path, limit: int) -> tuple[bytes, tuple[int, int] | None]:
    """A file's bytes and its times; nothing if it does not exist.

    :raises WasmpackError: more than ``limit`` bytes, or not a regular file
    """
    try:
        with open_regular(file) as opened:
            data, status = opened.read(limit + 1), os.fstat(opened.fileno())
    except FileNotFoundError:
        return b"", None
    except BadArtifact as error:
        raise WasmpackError(error.message, hint=NO_GIT) from error
    if len(data) > limit:
        raise WasmpackError(f"{file}: more than {limit} bytes", hint=NO_GIT)
    return data, (status.st_atime_ns, status.st_mtime_ns)


def _mode(path: Path) -> int | None:
    try:
        return path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def _expect_file(entry: "os.DirEntry[str]") -> None:
    if not entry.is_file(follow_symlinks=False):
        raise _refused(Path(entry), "a regular file or a directory")


def _refused(path: Path, expected: str) -> WasmpackError:
    return WasmpackError(f"{path}: expected {expected}", hint=NO_GIT)
