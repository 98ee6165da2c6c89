"""A work tree's repository under a configuration of our own.

git can be told to run programs in dozens of ways, and each release adds some: filters, hooks, file
system monitors, transports that fetch missing objects. All of them need a configuration or a hook.
So git gets a repository that has neither: a private directory with a copy of HEAD and of the index,
links to objects and refs, and a configuration that we write, of values that are known to be data.
It reads no other configuration, not even the user's. What somebody else writes into the original
meanwhile is data as well.
"""

import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from wasmpack.errors import WasmpackError
from wasmpack.files.directories import open_regular
from wasmpack.git.program import NO_GIT, run_git
from wasmpack.git.work_tree import WorkTree, check_owner, expand_home
from wasmpack.processes import allowed_environment

_COMPARING = (
    "autocrlf", "checkstat", "eol", "filemode", "ignorecase", "precomposeunicode",
    "sparsecheckout", "symlinks", "trustctime",
)  # fmt: skip
"""Of ``core``: how a file is compared with its blob."""
_FORMAT = ("core.repositoryformatversion", "extensions.objectformat", "extensions.refstorage")
"""How the repository is stored; git refuses what it does not know."""
_OTHER_EXTENSIONS = (
    "extensions.noop", "extensions.partialclone", "extensions.preciousobjects",
    "extensions.worktreeconfig", "extensions.compatobjectformat", "extensions.relativeworktrees",
)  # fmt: skip
"""Those that change nothing for whoever only reads (gitrepository-layout(5))."""
_CORE = rf"core\.({'|'.join(_COMPARING)})"
_USERS = rf"^({_CORE}|core\.attributesfile|safe\.directory)$"
_REPOSITORYS = rf"^({_CORE}|core\.repositoryformatversion|extensions\..*|remote\.origin\.url)$"
_LINKED = ("objects", "refs", "packed-refs", "reftable", "info/attributes")
_SHARED_INDEXES = 16
"""Most base files of a split index; git keeps one and what has not expired."""
_MAX_CONFIG = 1 << 22
_MAX_INDEX = 1 << 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What git is asked about."""

    directory: Path
    environment: dict[str, str]
    origin: str
    """URL of the remote ``origin``, as it is configured."""

    def git(self, *arguments: str, expected: Collection[int] = (0,)) -> tuple[int, bytes]:
        """:func:`run_git` in here."""
        return run_git(
            *arguments, directory=self.directory, environment=self.environment, expected=expected
        )


@contextmanager
def open_snapshot(tree: WorkTree) -> Iterator[Snapshot]:
    """Take a snapshot; it is gone after the ``with`` block.

    :raises WasmpackError: somebody else's work tree, a broken configuration, something too large
    """
    with TemporaryDirectory(prefix="wasmpack-git-") as name:
        directory = Path(name).resolve()
        users = _settings(directory, _USERS)
        check_owner(tree, (value for key, value in users if key == "safe.directory"))
        found = _repository_settings(tree, directory)
        origin = found.pop("remote.origin.url", "")
        environment = _mirror(tree, directory, _comparing(users) | found)
        yield Snapshot(directory=directory, environment=environment, origin=origin)


def _settings(directory: Path, names: str, *options: str) -> list[tuple[str, str]]:
    """The settings of these names; reading them starts no program. By default the user's."""
    _, listed = run_git(
        "config", *options, "-z", "--get-regexp", names,
        directory=directory, expected=(0, 1),
        environment=allowed_environment("HOME", "XDG_CONFIG_HOME") | {"GIT_DIR": str(directory)},
    )  # fmt: skip
    entries = (os.fsdecode(entry).partition("\n") for entry in listed.split(b"\0")[:-1])
    return [(key, value if equals else "true") for key, equals, value in entries]


def _comparing(users: list[tuple[str, str]]) -> dict[str, str]:
    """The user's part in how files are compared."""
    found = {key: value for key, value in users if key.startswith("core.")}
    default = f"{os.environ.get('XDG_CONFIG_HOME') or '~/.config'}/git/attributes"
    attributes = found.get("core.attributesfile", default)  # gitattributes(5)
    return found | {"core.attributesfile": expand_home(attributes)}


def _repository_settings(tree: WorkTree, directory: Path) -> dict[str, str]:
    """What the repository's configuration has to say; the files that it includes have nothing to.

    :raises WasmpackError: a repository that is stored in a way we do not know
    """
    copy = directory / "foreign-config"
    files = (tree.common_dir / "config", tree.git_dir / "config.worktree")
    copy.write_bytes(b"\n".join(_bounded(file, _MAX_CONFIG)[0] for file in files))
    found = dict(_settings(directory, _REPOSITORYS, "--file", str(copy), "--no-includes"))
    for key in [key for key in found if key.startswith("extensions.") and key not in _FORMAT]:
        if key not in _OTHER_EXTENSIONS:
            what = f"unknown repository extension {key}"
            raise WasmpackError(f"{tree.common_dir}: {what}", hint=NO_GIT)
        del found[key]
    return found


def _mirror(tree: WorkTree, directory: Path, settings: dict[str, str]) -> dict[str, str]:
    """Lay out the repository; returns the environment in which git sees it and nothing else."""
    git_dir = directory / "own"
    _lay_out(tree.git_dir, git_dir)
    (git_dir / "HEAD").write_bytes(tree.head)
    index, times = _bounded(tree.git_dir / "index", _MAX_INDEX)
    if times:
        (git_dir / "index").write_bytes(index)
        os.utime(git_dir / "index", ns=times)  # tells git which files changed after it was written
    for shared in islice(tree.git_dir.glob("sharedindex.*"), _SHARED_INDEXES):
        (git_dir / shared.name).symlink_to(shared)
    common_dir = git_dir
    if tree.common_dir != tree.git_dir:
        common_dir = directory / "common"
        _lay_out(tree.common_dir, common_dir)
        (git_dir / "commondir").write_text("../common\n")
    (common_dir / "config").write_bytes(b"".join(map(_config_line, settings.items())))
    return allowed_environment() | {
        "HOME": str(directory),
        "XDG_CONFIG_HOME": str(directory),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_DIR": str(git_dir),
        "GIT_WORK_TREE": str(tree.top),
    }


def _lay_out(source: Path, target: Path) -> None:
    (target / "info").mkdir(parents=True)
    for name in _LINKED:
        if (source / name).exists():
            (target / name).symlink_to(source / name)


def _config_line(setting: tuple[str, str]) -> bytes:
    """One value in the syntax of git-config(1), quoted."""
    section, _, name = setting[0].rpartition(".")
    value = re.sub(r'["\\]', r"\\\g<0>", setting[1]).replace("\n", r"\n")
    return os.fsencode(f'[{section}]\n\t{name} = "{value}"\n')


def _bounded(file: Path, limit: int) -> tuple[bytes, tuple[int, int] | None]:
    """A file's bytes and its times; nothing if it does not exist.

    :raises WasmpackError: more than ``limit`` bytes, or not a regular file
    """
    try:
        with open_regular(file) as opened:
            data, status = opened.read(limit + 1), os.fstat(opened.fileno())
    except FileNotFoundError:
        return b"", None
    if len(data) > limit:
        raise WasmpackError(f"{file}: more than {limit} bytes", hint=NO_GIT)
    return data, (status.st_atime_ns, status.st_mtime_ns)
