"""Annotations from the git work tree that a module lies in.

Facts like any other input: the same commit gives the same annotations on every machine. Whatever
would name this machine (a local remote, user-info in a URL) is left out.
"""

import os
import shutil
import subprocess
from pathlib import Path

from wasmpack.actions.git_source import source_url
from wasmpack.errors import WasmpackError

_PREFIX = "org.opencontainers.image."
_TIMEOUT = 30
_NO_GIT = "--no-git builds without annotations from git"


def git_annotations(directory: Path) -> dict[str, str]:
    """``revision`` (``-dirty`` if tracked files differ), ``source``, and ``version`` if tagged.

    Empty if git is not installed, or the directory lies in no work tree with a commit.

    :raises WasmpackError: a work tree whose facts git does not tell; never guessed, because they
        go into the digest
    """
    if shutil.which("git") is None or not _in_work_tree(directory):
        return {}
    revision = _git(directory, "rev-parse", "--quiet", "--verify", "HEAD")
    if not revision:
        return {}
    dirty = _git(directory, "status", "--porcelain", "--untracked-files=no", fatal=True)
    found = {f"{_PREFIX}revision": revision + ("-dirty" if dirty else "")}
    if source := source_url(_git(directory, "config", "--get", "remote.origin.url")):
        found[f"{_PREFIX}source"] = source
    version = _git(directory, "describe", "--tags", "--exact-match", "HEAD")
    if version and not dirty:
        found[f"{_PREFIX}version"] = version
    return found


def _in_work_tree(directory: Path) -> bool:
    return any((parent / ".git").exists() for parent in (directory, *directory.parents))


def _git(directory: Path, *arguments: str, fatal: bool = False) -> str:
    """What git prints; nothing if it fails, unless that is ``fatal``.

    git runs with the work tree's own configuration (its filters, say), as it does for the user;
    ``--no-git`` is for work trees one does not trust.
    """
    quiet = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", "-C", str(directory), *arguments],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            env={**quiet, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WasmpackError(f"git gave no answer in {directory}: {error}", hint=_NO_GIT) from error
    if done.returncode and (fatal or "dubious ownership" in done.stderr):
        reason = (done.stderr.strip() or "no reason given").splitlines()[0]
        raise WasmpackError(f"git {arguments[0]} failed in {directory}: {reason}", hint=_NO_GIT)
    return done.stdout.strip() if done.returncode == 0 else ""
