"""Where the search for a work tree ends, and whose work trees are refused."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.git import facts, git, make_repository, write_files

from wasmpack.errors import WasmpackError
from wasmpack.git.work_tree import check_owner, find_work_tree

pytestmark = pytest.mark.slow

NOBODY = 54321


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repo", {"a": b"1\n", "sub/b": b"2\n"})


def pretends(directory: Path) -> None:
    """Files at which git, but not a person, sees a bare repository."""
    git(directory, "init", "-q", "--bare")


def test_found_from_below(repo: Path) -> None:
    tree = find_work_tree(repo / "sub")
    assert tree
    assert (tree.top, tree.git_dir, tree.common_dir) == (repo, repo / ".git", repo / ".git")


def test_a_bare_repository_among_ordinary_files_is_not_one(repo: Path) -> None:
    pretends(repo / "sub")
    assert git(repo / "sub", "rev-parse", "--absolute-git-dir") == str(repo / "sub")
    tree = find_work_tree(repo / "sub")
    assert tree
    assert tree.top == repo


def test_a_bare_repository_outside_of_work_trees_is_not_one(tmp_path: Path) -> None:
    pretends(tmp_path)
    assert find_work_tree(tmp_path) is None


@pytest.mark.parametrize(
    "files",
    [
        {".git/x": b""},
        {".git/HEAD": b"ref: refs/heads/main\n", ".git/objects/x": b""},
        {".git/HEAD": b"ref: refs/heads/main\n", ".git/refs/x": b"", ".git/objects": b""},
        {".git/HEAD": b"ref: elsewhere\n", ".git/refs/x": b"", ".git/objects/x": b""},
        {".git/HEAD": b"root:x:0:0\n", ".git/refs/x": b"", ".git/objects/x": b""},
        {".git/HEAD": b"ref: refs/" + b"x" * 70000, ".git/refs/x": b"", ".git/objects/x": b""},
    ],
    ids=["hardly", "no refs", "objects a file", "head elsewhere", "no head", "endless head"],
)
def test_a_git_directory_that_is_not_one_is_passed_by(repo: Path, files: dict[str, bytes]) -> None:
    write_files(repo / "sub", files)
    tree = find_work_tree(repo / "sub")
    assert tree
    assert tree.top == repo


@pytest.mark.parametrize("special", ["pipe", "socket", "device", "loop"])
def test_a_head_that_is_not_a_file_is_not_waited_for(repo: Path, special: str) -> None:
    write_files(repo / "sub", {".git/refs/x": b"", ".git/objects/x": b""})
    head = repo / "sub/.git/HEAD"
    if special == "pipe":
        os.mkfifo(head)
    elif special == "socket":
        import socket

        with tempfile.TemporaryDirectory(dir="/tmp") as short, socket.socket(socket.AF_UNIX) as s:
            s.bind(f"{short}/s")
            Path(short, "s").rename(head)
    else:
        head.symlink_to("/dev/zero" if special == "device" else "HEAD")
    try:
        tree = find_work_tree(repo / "sub")
    except OSError:
        return
    assert tree
    assert tree.top == repo


@pytest.mark.parametrize(
    "pointer",
    [
        b"", b"gitdir:", b"gitdir: ", b"gitdir: /nowhere\n", b"gitdir: a\0b\n", b"gitdir: .\n",
        b"gitdir: ../../repo/.git/config\n", b"x" * 70000, b"gitdir: ../.git\nmore\n",
        b"\xff\xfe", b"[core]\n\tfsmonitor = evil\n",
    ],
    ids=[
        "empty", "no path", "empty path", "nowhere", "nul", "itself", "a file", "endless",
        "two lines", "bytes", "a configuration",
    ],
)  # fmt: skip
def test_a_pointer_to_nothing_ends_the_search(repo: Path, pointer: bytes) -> None:
    """What lies there belongs to another work tree than the one around it."""
    (repo / "sub/.git").write_bytes(pointer)
    assert find_work_tree(repo / "sub") is None
    assert facts(repo / "sub") == {}


def test_a_mount_point_ends_the_search(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_work_tree(repo / "sub")
    monkeypatch.setattr("os.path.ismount", lambda path: path == repo / "sub")
    assert find_work_tree(repo / "sub") is None
    assert find_work_tree(repo)


def owned_by(monkeypatch: pytest.MonkeyPatch, owner: Callable[[Path], int]) -> None:
    """Let files belong to other users, which only root could arrange."""
    real = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        values = list(real(path))
        values[4] = owner(path)
        return os.stat_result(values)

    monkeypatch.setattr(Path, "lstat", lstat)


@pytest.mark.parametrize("name", ["", ".git", "elsewhere.git"], ids=["top", "pointer", "directory"])
def test_somebody_elses_work_tree_is_an_error(
    repo: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    git(repo, "init", "-q", "--separate-git-dir", repo / "elsewhere.git")
    assert facts(repo)["revision"]
    owned_by(monkeypatch, lambda path: NOBODY if path == repo / name else os.geteuid())
    with pytest.raises(WasmpackError, match=f"dubious ownership: .*{name} belongs") as caught:
        facts(repo)
    assert f"git config --global --add safe.directory {repo}" in caught.value.hint
    assert "--no-git" in caught.value.hint


@pytest.mark.parametrize(
    ("values", "safe"),
    [
        (["{top}"], True), (["*"], True), (["{parent}/*"], True), (["{top}/"], True),
        (["~/repo"], True), (["/other", "{top}"], True), (["", "{top}"], True), (["/*"], True),
        ([], False), (["/other"], False), (["{parent}"], False), (["{top}", ""], False),
        (["{top}/sub"], False), (["{top}x"], False), (["{parent}/re*"], False), (["true"], False),
    ],
    ids=str,
)  # fmt: skip
def test_directories_that_the_user_declared_safe(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: list[str], safe: bool
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    owned_by(monkeypatch, lambda path: NOBODY)
    for value in values:
        place = value.format(top=repo, parent=repo.parent)
        git(repo, "config", "--global", "--add", "safe.directory", place)
    if safe:
        assert facts(repo)["revision"]
        return
    with pytest.raises(WasmpackError, match="dubious ownership"):
        facts(repo)


def test_a_work_tree_does_not_declare_itself_safe(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(repo, "config", "safe.directory", "*")
    owned_by(monkeypatch, lambda path: NOBODY)
    with pytest.raises(WasmpackError, match="dubious ownership"):
        facts(repo)


@pytest.mark.parametrize(
    ("user", "before", "refused"),
    [(0, "1000", False), (0, "1001", True), (0, "", True), (0, "1000x", True), (7, "1000", True)],
    ids=["sudo", "another", "root", "garbage", "not root"],
)
def test_root_works_for_whoever_called_sudo(
    repo: Path, monkeypatch: pytest.MonkeyPatch, user: int, before: str, refused: bool
) -> None:
    tree = find_work_tree(repo)
    assert tree
    owned_by(monkeypatch, lambda path: 1000)
    monkeypatch.setattr("os.geteuid", lambda: user)
    monkeypatch.setenv("SUDO_UID", before)
    if not refused:
        check_owner(tree, ())
        return
    with pytest.raises(WasmpackError, match="dubious ownership"):
        check_owner(tree, ())
