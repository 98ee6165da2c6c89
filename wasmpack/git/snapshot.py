"""A work tree's repository under a configuration of our own.

git can be configured to run programs in dozens of ways, and each release adds some: filters,
hooks, file system monitors, transports that fetch missing objects. All of them need a configuration
or a hook. So git gets a repository that has neither: a private directory with a copy of HEAD and of
the index, links to objects and refs, and a configuration that we write, of values that are known to
be data. It reads no other configuration, not even the user's. Anything that others write into the
original meanwhile is data as well.
"""

import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from wasmpack.confinement import allowed_environment
from wasmpack.errors import WasmpackError
from wasmpack.git.program import NO_GIT, OUTPUT, Deadline, run_git
from wasmpack.git.storage import Storage, bounded
from wasmpack.git.work_tree import WorkTree, check_owner, expand_home

_CORE = (
    r"core\.(autocrlf|checkstat|eol|filemode|ignorecase|precomposeunicode|sparsecheckout|symlinks"
    r"|trustctime)"
)
"""How a file is compared with its blob."""
_FORMAT = ("core.repositoryformatversion", "extensions.objectformat", "extensions.refstorage")
"""How the repository is stored; git refuses unknown values."""
_OTHER_EXTENSIONS = (
    "extensions.noop",
    "extensions.partialclone",
    "extensions.preciousobjects",
    "extensions.worktreeconfig",
    "extensions.compatobjectformat",
    "extensions.relativeworktrees",
)
"""Extensions that change nothing for readers (gitrepository-layout(5))."""
_USERS = rf"^({_CORE}|core\.attributesfile|safe\.directory)$"
_REPOSITORYS = rf"^({_CORE}|core\.repositoryformatversion|extensions\..*|remote\.origin\.url)$"
_DIRECTORIES = ("refs", "reftable")
_FILES = ("packed-refs", "info/attributes")
_SHARED_INDEX = re.compile(r"sharedindex\.([0-9a-f]{40}|[0-9a-f]{64})")
"""The base file of a split index, which holds this digest (gitformat-index(5), "Split index")."""
_MAX_CONFIG = 1 << 22
_MAX_INDEX = 1 << 28
"""Of the index and its base file together."""
_BOUNDS = {"core.packedgitwindowsize": "32m", "core.packedgitlimit": "256m"}
"""Bytes of packs that git maps at a time, so that a large one stays below the memory limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The repository that git is run on."""

    top: Path
    """The work tree."""
    directory: Path
    environment: dict[str, str]
    deadline: Deadline
    origin: str
    """URL of the remote ``origin``, as it is configured."""

    def git(
        self, *arguments: str, expected: Collection[int] = (0,), output: int = OUTPUT
    ) -> tuple[int, bytes]:
        """:func:`run_git` in here."""
        return run_git(
            *arguments,
            directory=self.directory,
            environment=self.environment,
            deadline=self.deadline,
            expected=expected,
            output=output,
        )


@contextmanager
def open_snapshot(tree: WorkTree) -> Iterator[Snapshot]:
    """Take a snapshot; it is gone after the ``with`` block.

    :raises WasmpackError: somebody else's work tree, a broken configuration, something too large,
        something that is not a file
    """
    deadline = Deadline()
    with TemporaryDirectory(prefix="wasmpack-git-") as name:
        directory = Path(name).resolve()
        users = _settings(directory, deadline, _USERS)
        check_owner(tree, (value for key, value in users if key == "safe.directory"))
        found = _repository_settings(tree, directory, deadline)
        origin = found.pop("remote.origin.url", "")
        settings = _comparing(users) | found | _BOUNDS
        environment = _mirror(tree, directory, settings, Storage(deadline))
        yield Snapshot(
            top=tree.top,
            directory=directory,
            environment=environment,
            deadline=deadline,
            origin=origin,
        )


def _settings(
    directory: Path, deadline: Deadline, names: str, *options: str
) -> list[tuple[str, str]]:
    """The settings of these names; reading them starts no program. By default the user's."""
    _, listed = run_git(
        "config",
        *options,
        "-z",
        "--get-regexp",
        names,
        directory=directory,
        deadline=deadline,
        expected=(0, 1),
        environment=allowed_environment("HOME", "XDG_CONFIG_HOME") | {"GIT_DIR": str(directory)},
    )
    entries = (os.fsdecode(entry).partition("\n") for entry in listed.split(b"\0")[:-1])
    return [(key, value if equals else "true") for key, equals, value in entries]


def _comparing(users: list[tuple[str, str]]) -> dict[str, str]:
    """The user's part in how files are compared."""
    found = {key: value for key, value in users if key.startswith("core.")}
    default = f"{os.environ.get('XDG_CONFIG_HOME') or '~/.config'}/git/attributes"
    attributes = found.get("core.attributesfile", default)  # gitattributes(5)
    return found | {"core.attributesfile": expand_home(attributes)}


def _repository_settings(tree: WorkTree, directory: Path, deadline: Deadline) -> dict[str, str]:
    """Settings from the repository's configuration, without the files that it includes.

    :raises WasmpackError: a repository that is stored in a way we do not know
    """
    copy = directory / "foreign-config"
    files = (tree.common_dir / "config", tree.git_dir / "config.worktree")
    copy.write_bytes(b"\n".join(bounded(file, _MAX_CONFIG)[0] for file in files))
    options = ("--file", str(copy), "--no-includes")
    found = dict(_settings(directory, deadline, _REPOSITORYS, *options))
    for key in [key for key in found if key.startswith("extensions.") and key not in _FORMAT]:
        if key not in _OTHER_EXTENSIONS:
            what = f"unknown repository extension {key}"
            raise WasmpackError(f"{tree.common_dir}: {what}", hint=NO_GIT)
        del found[key]
    return found


def _mirror(
    tree: WorkTree, directory: Path, settings: dict[str, str], storage: Storage
) -> dict[str, str]:
    """Lay out the repository; returns the environment in which git sees it and nothing else."""
    git_dir = directory / "own"
    _lay_out(tree.git_dir, git_dir, storage)
    (git_dir / "HEAD").write_bytes(tree.head)
    _copy_index(tree.git_dir, git_dir, storage)
    common_dir = git_dir
    if tree.common_dir != tree.git_dir:
        common_dir = directory / "common"
        _lay_out(tree.common_dir, common_dir, storage)
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


def _lay_out(source: Path, target: Path, storage: Storage) -> None:
    (target / "info").mkdir(parents=True)
    found = {"objects": storage.objects(source / "objects")}
    found |= {name: storage.directory(source / name) for name in _DIRECTORIES}
    found |= {name: storage.file(source / name) for name in _FILES}
    for name, place in found.items():
        if place:
            (target / name).symlink_to(place)


def _copy_index(source: Path, target: Path, storage: Storage) -> None:
    """And the base file of a split index, whose time git would change."""
    index, left = _copy(source / "index", target, _MAX_INDEX, storage)
    for entry in storage.listed(source):
        shared = _SHARED_INDEX.fullmatch(entry.name)
        if shared and bytes.fromhex(shared[1]) in index:
            _, left = _copy(source / entry.name, target, left, storage)


def _copy(source: Path, target: Path, limit: int, storage: Storage) -> tuple[bytes, int]:
    """A file with its times, which tell git what changed after it was written.

    Returns its bytes, and how many are left of the limit.
    """
    data, times = bounded(file, limit) if (file := storage.file(source)) else (b"", None)
    if times:
        (target / source.name).write_bytes(data)
        os.utime(target / source.name, ns=times)
    return data, limit - len(data)


def _config_line(setting: tuple[str, str]) -> bytes:
    """One value in the syntax of git-config(1), quoted."""
    section, _, name = setting[0].rpartition(".")
    value = re.sub(r'["\\]', r"\\\g<0>", setting[1]).replace("\n", r"\n")
    return os.fsencode(f'[{section}]\n\t{name} = "{value}"\n')
