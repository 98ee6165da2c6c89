"""Annotations from the git work tree that a module lies in.

Facts like any other input: the same commit gives the same annotations on every machine. Whatever
would name this machine (a local remote, user-info in a URL) is left out.

Nothing that a work tree brings along is run, so the work tree need not be trusted. The price:
submodules are not examined, and of a file with a ``filter`` attribute (git-lfs) only the presence
is checked, not the content, which only the filter can restore.

git opens some files of a work tree without checking their kind. Tracked files are safe: git
compares their kind first. It opens ``.gitmodules``, the ``.gitattributes`` of every directory, and
the repositories of submodules, whatever they are: these are checked before.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from wasmpack.errors import WasmpackError
from wasmpack.git.program import NO_GIT
from wasmpack.git.work_tree import find_work_tree

if TYPE_CHECKING:
    from wasmpack.git.snapshot import Snapshot

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
    :raises WasmpackError: a work tree whose facts git does not report; never guessed, because they
        go into the digest
    """
    try:
        tree = find_work_tree(directory)
        if tree is None or shutil.which("git") is None:
            return {}
        from wasmpack.git.snapshot import open_snapshot

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
    """Return True if a tracked file differs from the commit, staged or not."""
    snapshot.git("update-index", "-q", "--ignore-submodules", "--refresh", expected=(0, 1))
    comparisons = (
        ("diff-index", "--quiet", "--cached", "--ignore-submodules=none", "HEAD"),
        ("diff-files", "--quiet", "--ignore-submodules=all", "--diff-filter=DT"),
        ("diff-files", "--quiet", "--ignore-submodules=all", "--", *_NO_FILTER),
    )
    return any(snapshot.git(*arguments, expected=(0, 1))[0] for arguments in comparisons)


def _version(snapshot: Snapshot) -> str:
    """The tag of the commit; empty without one, or if it is not plain text."""
    _, name = snapshot.git("describe", "--tags", "--exact-match", "HEAD", expected=(0, 128))
    try:
        version = name.decode().strip()
    except UnicodeDecodeError:
        return ""
    return version if version.isprintable() and len(version) <= _MAX_VERSION else ""


_MAX = 2048
_USER = r"A-Za-z0-9._~!$&'()*+,;=%\-"
"""RFC 3986 section 3.2.1 (and a ``:`` before the password); an ``@`` in it must be encoded."""
_HOST = r"(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])"
_SEGMENT = r"(?!\.{1,2}(?:/|$))(?:[A-Za-z0-9._~+-]|%20|%[89A-Fa-f][0-9A-Fa-f])+"
"""A segment of a path. No ``:``, ``@`` or ``%40``: these are how a URL with credentials goes on."""
_PATH = rf"{_SEGMENT}(?:/{_SEGMENT})*/?"
_TAIL = r"(?:[?#][!-?A-~]*)?"
"""Query and fragment, which are dropped; with an ``@`` they are more likely part of a password."""
_URL = re.compile(
    rf"(?P<scheme>https?|ssh|git)://(?:[{_USER}:]*@)?{_HOST}(?::(?P<port>[0-9]{{1,5}}))?"
    rf"/(?P<path>{_PATH}){_TAIL}",
    re.ASCII | re.IGNORECASE,
)
_SCP = re.compile(rf"(?P<user>[{_USER}]+@)?{_HOST}:/?(?P<path>{_PATH})")
"""The short form of ssh (git-fetch(1), "GIT URLS")."""
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


def source_url(remote: str) -> str:
    """A remote's URL without user-info, query and fragment; ``https`` for ssh; else nothing.

    >>> source_url("git@example.com:me/plugin.git")
    'https://example.com/me/plugin.git'
    >>> source_url("https://me:token@example.com/me/plugin.git")
    'https://example.com/me/plugin.git'
    >>> source_url("/srv/git/plugin.git")
    ''
    """
    if len(remote) > _MAX:
        return ""
    if url := _URL.fullmatch(remote):
        scheme, port = url["scheme"].lower(), int(url["port"] or 0)
        if not _is_host(url["host"].lower()) or (url["port"] and not 0 < port < 1 << 16):
            return ""
        kept = f":{port}" if port and scheme.startswith("http") else ""
        shown = "http" if scheme == "http" else "https"
        return f"{shown}://{url['host'].lower()}{kept}/{url['path']}"
    scp = _SCP.fullmatch(remote)
    if scp is None or not _is_host(scp["host"].lower()):
        return ""
    # `https:/path`, `C:/path` and `alias:path` look like it; a host has a dot, or a user before it
    if not scp["user"] and "." not in scp["host"]:
        return ""
    return f"https://{scp['host'].lower()}/{scp['path']}"


def _is_host(host: str) -> bool:
    """A name as in RFC 1123 section 2.1, or an IP address, which the last label tells apart."""
    last = host.rpartition(".")[2]
    if host.startswith("[") or last.isdecimal():
        try:
            ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            return False
        return host.startswith("[") == (":" in host)
    return len(host) <= 253 and all(map(_LABEL.fullmatch, host.split(".")))


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
