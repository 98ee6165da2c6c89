"""Files of the work tree that git opens without asking what they are."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.git import facts, git, make_repository, write_files

from wasmpack.errors import WasmpackError
from wasmpack.git import facts as git_facts
from wasmpack.git import program as git_program

pytestmark = pytest.mark.slow


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repo", {"a": b"1\n", "sub/deep/b": b"2\n"})


@pytest.fixture
def module(repo: Path) -> Path:
    """A submodule's repository."""
    git(repo, "submodule", "-q", "add", make_repository(repo.parent / "inner"), "module")
    git(repo, "commit", "-qm", "module")
    return repo / ".git/modules/module"


def link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("form", [os.mkfifo, link_to_a_device], ids=["pipe", "link to a device"])
@pytest.mark.parametrize(
    "name",
    [".gitattributes", "sub/.gitattributes", "sub/deep/.gitattributes", ".gitmodules"],
)
def test_what_is_not_a_file_is_refused(
    repo: Path, name: str, form: Callable[[Path], object]
) -> None:
    form(repo / name)
    with pytest.raises(WasmpackError, match=f"{name}: expected a regular file") as caught:
        facts(repo)
    assert "--no-git" in caught.value.hint


@pytest.mark.parametrize(
    "arrange",
    [
        lambda repo: (repo / "sub/.gitattributes").symlink_to("../a"),
        lambda repo: (repo / "sub/.gitattributes").symlink_to("nowhere"),
        lambda repo: (repo / "sub/.gitattributes").mkdir(),
        lambda repo: (write_files(repo, {"new/x": b""}), os.mkfifo(repo / "new/.gitattributes")),
        lambda repo: os.mkfifo(repo / "sub/.gitignore"),
    ],
    ids=["link to a file", "dangling link", "directory", "of untracked files", "not read"],
)
def test_what_git_does_not_wait_for_is_left_to_it(
    repo: Path, arrange: Callable[[Path], object]
) -> None:
    arrange(repo)
    assert facts(repo)["revision"] == git(repo, "rev-parse", "HEAD")


SUBMODULES = ["HEAD", "commondir", "config", "refs/heads/main", "packed-refs"]


@pytest.mark.parametrize("name", SUBMODULES)
def test_a_submodule_is_not_opened(repo: Path, module: Path, name: str) -> None:
    (module / name).unlink(missing_ok=True)
    os.mkfifo(module / name)
    assert facts(repo) == {"revision": git(repo, "rev-parse", "HEAD")}


@pytest.mark.parametrize("change", ["staged", "another file"])
def test_a_submodule_does_not_hide_a_change(repo: Path, module: Path, change: str) -> None:
    if change == "staged":
        write_files(repo / "module", {"a": b"2\n"})
        git(repo / "module", "commit", "-qam", "more")
        git(repo, "add", "module")
    else:
        write_files(repo, {"a": b"2\n"})
    assert facts(repo)["revision"].endswith("-dirty")


def test_the_directories_are_counted(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_facts, "_MAX_DIRECTORIES", 3)
    assert facts(repo)["revision"]
    write_files(repo, {"more/c": b""})
    git(repo, "add", "more")
    with pytest.raises(WasmpackError, match="more than 3 directories"):
        facts(repo)


def test_a_repository_in_place_of_a_tracked_file_holds_nobody_up(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git looks whether it is a submodule now; nothing but the limits is in its way."""
    (repo / "a").unlink()
    make_repository(repo / "a")
    (repo / "a/.git/HEAD").unlink()
    os.mkfifo(repo / "a/.git/HEAD")
    monkeypatch.setattr(git_program, "_TIMEOUT", 60.0)
    with pytest.raises(WasmpackError, match="git diff-files: blocked for") as caught:
        facts(repo)
    assert "--no-git" in caught.value.hint
