"""Whatever lies where git opens files: no waiting, no endless reading, no file of somebody else.

The paths are those that git opens for our commands (``strace -f -e trace=file``), and some that it
opens for others.
"""

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.effort import FACTOR
from support.git import facts, git, make_repository, write_files

from wasmpack.errors import WasmpackError

SECRET = "hunter2-s3cret"
SPARSE = 2 << 30
WAITED = re.compile("took more than|no answer|blocked")

STORAGE = [
    "packed-refs", "shallow", "info", "info/attributes", "info/exclude", "info/grafts",
    "info/sparse-checkout", "refs", "refs/heads", "refs/heads/main", "refs/tags", "refs/tags/v1",
    "refs/tags/below/x", "refs/remotes", "refs/remotes/origin/HEAD", "refs/bisect/x",
    "refs/replace/x", "refs/notes/x", "objects/LOOSE", "objects/ff", "objects/info",
    "objects/info/alternates", "objects/info/commit-graph", "objects/info/packs",
    "objects/info/commit-graphs", "objects/info/commit-graphs/commit-graph-chain",
    "objects/pack", "objects/pack/PACK.pack", "objects/pack/PACK.idx", "objects/pack/PACK.rev",
    "objects/pack/PACK.bitmap", "objects/pack/multi-pack-index", "objects/pack/pack-x.idx",
    "HEAD", "ORIG_HEAD", "FETCH_HEAD", "index", "index.lock", "sharedindex.SHARED", "config",
    "config.worktree", "commondir", "gitdir", "hooks", "hooks/post-index-change", "logs",
    "logs/HEAD", "reftable", "reftable/tables.list", "rebase-merge", "worktrees", "modules",
    "modules/module/HEAD", "modules/module/commondir", "modules/module/config",
    "modules/module/packed-refs", "modules/module/refs/heads/main", "modules/module/index",
]  # fmt: skip
"""Below ``.git``."""
CHECKOUT = [
    "a", "sub", "sub/deep/b", ".gitattributes", "sub/.gitattributes", "sub/deep/.gitattributes",
    ".gitmodules", ".gitignore", "sub/.gitignore", ".mailmap", "module", "module/.git",
]  # fmt: skip
LINKED = [
    "HEAD", "commondir", "gitdir", "index", "config.worktree", "packed-refs", "info",
    "info/attributes", "objects", "refs", "refs/bisect/x", "refs/worktree/x", "shallow",
]  # fmt: skip
"""Below the part of a linked work tree."""
BORROWED = ["info", "info/alternates", "info/commit-graph", "pack", "pack/x.idx", "LOOSE", "ff"]
"""Below an object directory that ``info/alternates`` names."""
PATHS = [*(f".git/{name}" for name in STORAGE), *CHECKOUT]

Form = Callable[[Path], object]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that has one of everything."""
    place = tmp_path_factory.mktemp("original")
    inner = make_repository(place / "inner")
    files = {"a": b"1\n", "sub/deep/b": b"2\n", ".gitattributes": b"* -text\n"}
    repo = make_repository(place / "repo", files)
    git(repo, "submodule", "-q", "add", inner, "module")
    git(repo, "commit", "-qm", "second")
    git(repo, "tag", "packed")
    git(repo, "gc", "-q")
    write_files(repo, {"a": b"3\n"})
    git(repo, "commit", "-qam", "third")
    git(repo, "tag", "v1")
    git(repo, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(repo, "update-index", "--split-index")
    os.utime(repo / "a", ns=(10**18, 10**18))
    return repo


@pytest.fixture
def repo(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "repo", symlinks=True))


def located(repo: Path, name: str) -> Path:
    """A path of the list, with the names that differ from run to run."""
    head = git(repo, "rev-parse", "HEAD")
    (pack,) = (repo / ".git/objects/pack").glob("pack-*.idx")
    (shared,) = (repo / ".git").glob("sharedindex.*")
    name = name.replace("LOOSE", f"{head[:2]}/{head[2:]}").replace("PACK", pack.stem)
    return repo / name.replace("sharedindex.SHARED", shared.name)


def link(target: str) -> Callable[[Path], object]:
    return lambda path: path.symlink_to(target)


def link_to_a_pipe(path: Path) -> None:
    os.mkfifo(pipe := Path(tempfile.mkdtemp(dir=Path.cwd())) / path.name)
    path.symlink_to(pipe)


def link_to_a_secret(path: Path) -> None:
    secret = Path.cwd() / "token"
    secret.write_text(f"{SECRET}\n[{SECRET}\nref: {SECRET}\n")
    path.symlink_to(secret)


def link_to_a_directory_with_pipes(path: Path) -> None:
    outside = Path(tempfile.mkdtemp(dir=Path.cwd()))
    for name in ("alternates", "commit-graph", "attributes", "main", "v1", "HEAD", "pack-x.idx"):
        os.mkfifo(outside / name)
    path.symlink_to(outside)


def bound_socket(path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as short, socket.socket(socket.AF_UNIX) as made:
        made.bind(f"{short}/s")
        Path(short, "s").rename(path)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(SPARSE)


FORMS: dict[str, Form] = {
    "pipe": os.mkfifo,
    "link to a pipe": link_to_a_pipe,
    "link to pipes": link_to_a_directory_with_pipes,
    "link to a device": link("/dev/zero"),
    "link to a secret": link_to_a_secret,
    "link to the root": link("/"),
    "link to the kernel's files": link("/proc/self"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "socket": bound_socket,
    "directory": Path.mkdir,
    "large": sparse,
}


ALWAYS = ["pipe", "link to a secret"]
"""What git would wait for without end, and what it would tell."""
IN_TURN = [name for name in FORMS if name not in ALWAYS]


def places(names: list[str]) -> pytest.MarkDecorator:
    """Every place with what is worst there, and with one of the others in turn.

    Each of the others comes up at every ninth place of the lists, which are ordered by kind; all of
    them at all places are tried where the run is to be long (:mod:`support.effort`).
    """
    everywhere = IN_TURN if FACTOR > 1 else []
    pairs = [
        (name, form)
        for number, name in enumerate(names)
        for form in dict.fromkeys([*ALWAYS, IN_TURN[number % len(IN_TURN)], *everywhere])
    ]
    ids = [f"{name}-{form}" for name, form in pairs]
    return pytest.mark.parametrize(("name", "form"), pairs, ids=ids)


@places(PATHS)
def test_git_does_not_wait_and_tells_no_secret(repo: Path, name: str, form: str) -> None:
    attack(repo, located(repo, name), form)


@places(LINKED)
def test_nor_in_a_linked_work_tree(repo: Path, name: str, form: str) -> None:
    git(repo, "worktree", "add", "-q", repo.parent / "linked")
    attack(repo.parent / "linked", repo / ".git/worktrees/linked" / name, form)


@places(BORROWED)
def test_nor_among_borrowed_objects(repo: Path, name: str, form: str) -> None:
    objects = (repo / ".git/objects").rename(repo.parent / "borrowed")
    write_files(repo, {".git/objects/info/alternates": b"../../../borrowed\n"})
    head = git(repo, "rev-parse", "HEAD")
    attack(repo, objects / name.replace("LOOSE", f"{head[:2]}/{head[2:]}"), form)


def attack(directory: Path, path: Path, form: str) -> None:
    """Put it there, and ask for the facts."""
    revisions = git(directory, "log", "--format=%H").split()  # the branch is packed, an older one
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    FORMS[form](path)
    found, error = outcome(directory)
    if error is None:
        assert found.get("revision", revisions[0]).removesuffix("-dirty") in revisions
        assert SECRET not in str(found)
    else:
        assert not WAITED.search(error.message)
        assert SECRET not in error.message
        assert "--no-git" in error.hint


def outcome(repo: Path) -> tuple[dict[str, str], WasmpackError | None]:
    try:
        return facts(repo), None
    except WasmpackError as error:
        return {}, error
