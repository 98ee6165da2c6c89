"""Caches that are trusted: files that nobody but this user could have written.

A cached result is not computed again, so a file counts only if it and its directory belong to this
user and nobody else can write them, and if its bytes are those that were written (their digest
comes first). Anything else there, of any kind, is as if it were absent. A directory is opened
once, never through a link, and files are read, written and removed in what was opened: a link in
its place must not lead a clean-up into other documents.
"""

import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from wasmpack.files.directories import TEMPORARY, temporary_file

_DIGEST = hashlib.sha256().digest_size
_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_KEPT = re.compile(r"[0-9a-f]{64}\.[a-z]+")
_IN_THE_MAKING = re.compile(re.escape(TEMPORARY) + "[0-9a-f]+")
_HOUR = 3600


class _NotOurs(OSError):
    """A directory that other users can write to."""


def read_owned(path: Path, limit: int) -> bytes | None:
    """Content that :func:`write_owned` wrote; None if it is absent, damaged, or another user's.

    :param limit: most bytes that are read
    """
    try:
        with _directory(path.parent) as directory:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            file = os.open(path.name, flags, dir_fd=directory)
        with os.fdopen(file, "rb") as opened:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode) or not _is_ours(found):
                return None
            digest, content = opened.read(_DIGEST), opened.read(limit + 1)
            if len(content) > limit or hashlib.sha256(content).digest() != digest:
                return None
            with contextlib.suppress(OSError):
                os.utime(file)  # the least recently used go first
    except (OSError, ValueError):
        return None
    return content


def write_owned(path: Path, content: bytes) -> None:
    """Store content if the directory belongs to this user alone; otherwise do nothing.

    :param path: named by a SHA-256 in hex and a suffix: no other name is ever removed
    """
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (
            _directory(path.parent) as directory,
            temporary_file(directory, 0o600) as (file, temporary),
        ):
            file.write(hashlib.sha256(content).digest() + content)
            file.flush()
            os.replace(temporary, path.name, src_dir_fd=directory, dst_dir_fd=directory)


def make_room(path: Path, limit: int) -> tuple[int, int]:
    """Remove the least recently used files, and what killed processes left.

    :param limit: bytes that may stay
    :returns: how many files were removed, and their bytes
    """
    total = removed = size = 0
    with contextlib.suppress(OSError), _directory(path) as directory:
        files = sorted(_files(directory), key=lambda row: row[1].st_mtime, reverse=True)
        for name, found in files:
            if _KEPT.fullmatch(name):
                total += found.st_size
            if total > limit or _is_left_over(name, found):
                with contextlib.suppress(OSError):
                    os.unlink(name, dir_fd=directory)
                    removed, size = removed + 1, size + found.st_size
    return removed, size


def held(path: Path) -> tuple[int, int]:
    """The number of files that are kept in a directory, and their bytes."""
    with contextlib.suppress(OSError), _directory(path) as directory:
        sizes = [found.st_size for name, found in _files(directory) if _KEPT.fullmatch(name)]
        return len(sizes), sum(sizes)
    return 0, 0


@contextlib.contextmanager
def _directory(path: Path) -> Iterator[int]:
    """Open a directory that is this user's own.

    :raises OSError: it is missing, a link, or writable by others
    """
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not _is_ours(os.fstat(handle)):
            raise _NotOurs(f"{path}: others can write to it")
        yield handle
    finally:
        os.close(handle)


def _files(directory: int) -> Iterator[tuple[str, os.stat_result]]:
    """Files whose names have our form."""
    for name in os.listdir(directory):
        if _KEPT.fullmatch(name) or _IN_THE_MAKING.fullmatch(name):
            with contextlib.suppress(OSError):
                found = os.stat(name, dir_fd=directory, follow_symlinks=False)
                if stat.S_ISREG(found.st_mode):
                    yield name, found


def _is_left_over(name: str, found: os.stat_result) -> bool:
    """True for a file that a killed process left behind."""
    import time

    return name.startswith(TEMPORARY) and time.time() - found.st_mtime > _HOUR


def _is_ours(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid() and not found.st_mode & _OTHERS
