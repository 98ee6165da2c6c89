"""A look at the files of a work tree that git opens without asking what they are.

Tracked files are safe: git compares their kind first. It opens ``.gitmodules``, the
``.gitattributes`` of every directory, and the repositories of submodules, whatever they are.
"""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from wasmpack.errors import WasmpackError
from wasmpack.git.program import NO_GIT
from wasmpack.git.snapshot import Snapshot

_ENTRY = re.compile(rb"([0-7]{6}) [0-9a-f]+ [0-3]\t([^\0]+)\0")
"""Of ``git ls-files --stage -z``."""
_GITLINK = b"160000"
"""Mode of a submodule (gitformat-index(5))."""
_MAX_LISTED = 1 << 27
"""Bytes of names; a million files of a hundred."""
_MAX_DIRECTORIES = 1 << 17


def prepare_checkout(snapshot: Snapshot) -> None:
    """Refuse what git would wait for, and let it pass submodules by.

    :raises WasmpackError: a pipe, a device or a socket where git expects a file
    """
    _, listed = snapshot.git("ls-files", "--stage", "-z", output=_MAX_LISTED)
    _refuse_special(snapshot.top / ".gitmodules")
    for directory in _directories(listed):
        snapshot.deadline.left("git ls-files")
        _refuse_special(snapshot.top / os.fsdecode(directory) / ".gitattributes")
    submodules = [os.fsdecode(path) for mode, path in _entries(listed) if mode == _GITLINK]
    if submodules:
        snapshot.git("update-index", "--assume-unchanged", "--", *submodules)


def _entries(listed: bytes) -> Iterator[tuple[bytes, bytes]]:
    return ((found[1], found[2]) for found in _ENTRY.finditer(listed))


def _directories(listed: bytes) -> set[bytes]:
    """All that hold a tracked file, somewhere below."""
    found = {b""}
    for _, path in _entries(listed):
        parent = path.rpartition(b"/")[0]
        while parent not in found:
            found.add(parent)
            parent = parent.rpartition(b"/")[0]
        if len(found) > _MAX_DIRECTORIES:
            what = f"more than {_MAX_DIRECTORIES} directories of tracked files"
            raise WasmpackError(f"git ls-files: {what}", hint=NO_GIT)
    return found


def _refuse_special(path: Path) -> None:
    """git itself decides on a link, which it may follow."""
    try:
        mode = path.stat().st_mode
    except OSError:  # not there, or git cannot open it either
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise WasmpackError(f"{path}: expected a regular file", hint=NO_GIT)
