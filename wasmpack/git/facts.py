"""Annotations from the git work tree that a module lies in.

Facts like any other input: the same commit gives the same annotations on every machine. Whatever
would name this machine (a local remote, user-info in a URL) is left out.

Nothing that a work tree brings along is run, so it may be anybody's. The price: submodules are not
looked into, and the content of a file with a ``filter`` attribute (git-lfs) is not compared, since
only the filter knows what it stands for; that such a file is there still is.
"""

import re
import shutil
from pathlib import Path

from wasmpack.errors import WasmpackError
from wasmpack.git.checkout import prepare_checkout
from wasmpack.git.program import NO_GIT
from wasmpack.git.snapshot import Snapshot, open_snapshot
from wasmpack.git.source import source_url
from wasmpack.git.work_tree import find_work_tree

_PREFIX = "org.opencontainers.image."
_REVISION = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
"""SHA-1 or SHA-256."""
_MAX_VERSION = 255
_NO_FILTER = (":(attr:!filter)", ":(attr:-filter)", ":(attr:filter)")
"""Files whose attribute names no filter: unspecified, unset, set without a value."""


def git_annotations(directory: Path) -> dict[str, str]:
    """``revision`` (``-dirty`` if tracked files differ), ``source``, and ``version`` if tagged.

    Empty if git is not installed, or the directory lies in no work tree with a commit.

    :param directory: resolved
    :raises WasmpackError: a work tree whose facts git does not tell; never guessed, because they
        go into the digest
    """
    try:
        tree = find_work_tree(directory)
        if tree is None or shutil.which("git") is None:
            return {}
        with open_snapshot(tree) as snapshot:
            return _annotations(snapshot)
    except OSError as error:
        place = error.filename or directory
        raise WasmpackError(f"{place}: {error.strerror or error}", hint=NO_GIT) from error


def _annotations(snapshot: Snapshot) -> dict[str, str]:
    code, head = snapshot.git("rev-parse", "--quiet", "--verify", "HEAD", expected=(0, 1))
    if code or not _REVISION.fullmatch(head.strip()):
        return {}
    prepare_checkout(snapshot)
    dirty = _is_dirty(snapshot)
    found = {f"{_PREFIX}revision": head.strip().decode() + ("-dirty" if dirty else "")}
    if source := source_url(snapshot.origin):
        found[f"{_PREFIX}source"] = source
    if not dirty and (version := _version(snapshot)):
        found[f"{_PREFIX}version"] = version
    return found


def _is_dirty(snapshot: Snapshot) -> bool:
    """Whether a tracked file differs from the commit, be it staged or not."""
    snapshot.git("update-index", "-q", "--ignore-submodules", "--refresh", expected=(0, 1))
    comparisons = (
        ("diff-index", "--quiet", "--cached", "--ignore-submodules=none", "HEAD"),
        ("diff-files", "--quiet", "--ignore-submodules=all", "--diff-filter=DT"),
        ("diff-files", "--quiet", "--ignore-submodules=all", "--", *_NO_FILTER),
    )
    return any(snapshot.git(*arguments, expected=(0, 1))[0] for arguments in comparisons)


def _version(snapshot: Snapshot) -> str:
    """The tag of the commit; nothing if it has none, or one that is not plain text."""
    _, name = snapshot.git("describe", "--tags", "--exact-match", "HEAD", expected=(0, 128))
    try:
        version = name.decode().strip()
    except UnicodeDecodeError:
        return ""
    return version if version.isprintable() and len(version) <= _MAX_VERSION else ""
