"""Find the work tree that a directory lies in, without git.

git's own search also accepts a directory that merely looks like a repository (a "bare"
repository, which can be committed as ordinary files). Here it is a ``.git`` or nothing: a name that
git never checks out.
"""

import os
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wasmpack.errors import BadArtifact, WasmpackError
from wasmpack.files.directories import open_regular

_POINTER = 1 << 14
"""Most bytes of a file that holds a path or the name of a branch."""
_HEAD = re.compile(rb"ref:\s*refs/[^\0]+|[0-9a-f]{40}|[0-9a-f]{64}")
"""The content of a valid HEAD (git setup.c, validate_headref)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTree:
    """A checked-out tree and its repository; all paths are absolute."""

    top: Path
    dot_git: Path
    """``.git``: a directory, or a file that names one (linked work trees, submodules)."""
    git_dir: Path
    """HEAD and index."""
    common_dir: Path
    """Objects, refs and configuration; the same unless the work tree is a linked one."""
    head: bytes


def find_work_tree(directory: Path) -> WorkTree | None:
    """The work tree around a resolved directory; None if there is no work tree.

    A mount point ends the search, as it does in git.
    """
    for top in (directory, *directory.parents):
        dot_git = top / ".git"
        if dot_git.is_file():
            git_dir = _pointer(dot_git, rb"gitdir: (.+)")
            return _work_tree(top, git_dir) if git_dir else None
        if found := _work_tree(top, dot_git):
            return found
        if os.path.ismount(top):
            break
    return None


def check_owner(tree: WorkTree, safe: Iterable[str]) -> None:
    """Refuse another user's work tree, which git does unless given the repository's place.

    git setup.c, ensure_valid_ownership.

    :param safe: the values of ``safe.directory``
    :raises WasmpackError: another owner, and not declared safe
    """
    owners = {path: path.lstat().st_uid for path in (tree.dot_git, tree.top, tree.git_dir)}
    foreign = [path for path, owner in owners.items() if owner not in _own_ids()]
    if foreign and not _is_safe(tree.top, safe):
        place = shlex.quote(str(tree.top))
        raise WasmpackError(
            f"dubious ownership: {foreign[0]} belongs to another user ({owners[foreign[0]]})",
            hint=f"git config --global --add safe.directory {place} (or build with --no-git)",
        )


def expand_home(path: str) -> str:
    """A path of git's configuration (git-config(1), "pathname")."""
    home = os.environ.get("HOME")
    return f"{home}/{path[2:]}" if home and path.startswith("~/") else path


def _work_tree(top: Path, git_dir: Path) -> WorkTree | None:
    """None if that is not a repository (git setup.c, is_git_directory)."""
    common_dir = _pointer(git_dir / "commondir", rb"(.+)") or git_dir
    head = _content(git_dir / "HEAD")
    if not _HEAD.fullmatch(head.strip()):
        return None
    if not all((common_dir / name).is_dir() for name in ("objects", "refs")):
        return None
    return WorkTree(
        top=top,
        dot_git=top / ".git",
        head=head,
        git_dir=git_dir.resolve(),
        common_dir=common_dir.resolve(),
    )


def _pointer(file: Path, form: bytes) -> Path | None:
    """The path that a file holds, absolute or relative to its directory."""
    found = re.fullmatch(form, _content(file).rstrip(b"\r\n"))
    return file.parent / os.fsdecode(found[1]) if found and b"\0" not in found[1] else None


def _content(file: Path) -> bytes:
    """Of a small regular file; empty for anything else."""
    try:
        with open_regular(file) as opened:
            found = opened.read(_POINTER + 1)
    except (FileNotFoundError, NotADirectoryError, BadArtifact):
        return b""
    return found if len(found) <= _POINTER else b""


def _own_ids() -> set[int]:
    """This user, and for root the user who ran sudo."""
    user, before = os.geteuid(), os.environ.get("SUDO_UID", "")
    return {user, int(before)} if user == 0 and before.isdecimal() else {user}


def _is_safe(top: Path, values: Iterable[str]) -> bool:
    """``safe.directory`` as git-config(1) describes it: an empty value clears all before it."""
    safe = False
    for value in values:
        path = expand_home(value)
        below = path.endswith("/*") and top.is_relative_to(path[:-1])
        safe = bool(value) and (safe or path == "*" or below or Path(path).resolve() == top)
    return safe
