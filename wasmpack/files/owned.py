"""Caches that are believed: files that nobody but this user could have written.

What a cache says is not worked out again, so a file counts only if it and its directory belong to
this user and no other can write them, and if its bytes are those that were written (a digest stands
before them). Anything else there, of whatever kind, is as if it were absent.
"""

import contextlib
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

_DIGEST = hashlib.sha256().digest_size
_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_NEW = ".new-"
_HOUR = 3600


def read_owned(path: Path, limit: int) -> bytes | None:
    """What :func:`write_owned` wrote; None if it is absent, damaged, or somebody else's.

    :param limit: most bytes that are read
    """
    try:
        if not _is_ours(path.parent.stat(follow_symlinks=False)):
            return None
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(file, "rb") as opened:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode) or not _is_ours(found):
                return None
            digest, content = opened.read(_DIGEST), opened.read(limit + 1)
    except (OSError, ValueError):
        return None
    if len(content) > limit or hashlib.sha256(content).digest() != digest:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # the least recently used go first
    return content


def write_owned(path: Path, content: bytes) -> None:
    """Keep something, if there is a directory for it that is this user's own; else do nothing."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_ours(path.parent.stat(follow_symlinks=False)):
            return
        file, name = tempfile.mkstemp(dir=path.parent, prefix=_NEW)  # mode 0600
        try:
            with os.fdopen(file, "wb") as opened:
                opened.write(hashlib.sha256(content).digest() + content)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)


def make_room(directory: Path, limit: int) -> tuple[int, int]:
    """Remove the least recently used files, and what killed processes left.

    :param limit: bytes that may stay
    :returns: how many files were removed, and their bytes
    """
    import time

    files = sorted(_files(directory), key=lambda row: row[1].st_mtime, reverse=True)
    total = removed = size = 0
    for path, found in files:
        in_the_making = path.name.startswith(_NEW)
        if not in_the_making:
            total += found.st_size
        if total > limit or (in_the_making and time.time() - found.st_mtime > _HOUR):
            with contextlib.suppress(OSError):
                path.unlink()
                removed, size = removed + 1, size + found.st_size
    return removed, size


def _files(directory: Path) -> Iterator[tuple[Path, os.stat_result]]:
    with contextlib.suppress(OSError):
        for path in directory.iterdir():
            with contextlib.suppress(OSError):
                found = path.stat(follow_symlinks=False)
                if stat.S_ISREG(found.st_mode):
                    yield path, found


def _is_ours(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid() and not found.st_mode & _OTHERS
