"""What may lie in a repository, and where its links may lead."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.git import facts, git, make_repository, write_files

from wasmpack.errors import WasmpackError
from wasmpack.git import program as git_program
from wasmpack.git import storage as git_storage
from wasmpack.git.program import Deadline
from wasmpack.git.storage import Storage

pytestmark = pytest.mark.slow


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    made = make_repository(tmp_path / "repo")
    git(made, "tag", "v1")
    return made


@pytest.fixture
def storage() -> Storage:
    return Storage(Deadline())


def refused(call: Callable[[], object], match: str) -> None:
    with pytest.raises(WasmpackError, match=match) as caught:
        call()
    assert "--no-git" in caught.value.hint


@pytest.mark.parametrize("name", ["packed-refs", "info/attributes"])
@pytest.mark.parametrize("target", ["pipe", "/dev/zero", "token", ".", "packed-refs"])
def test_a_file_that_is_refused(repo: Path, storage: Storage, name: str, target: str) -> None:
    write_files(repo, {"token": b"s3cret\n"})
    os.mkfifo(repo / "pipe")
    path = repo / ".git" / name
    if target == "packed-refs":
        path.unlink(missing_ok=True)
        path.mkdir()
    else:
        path.unlink(missing_ok=True)
        path.symlink_to(repo / target)
    refused(lambda: facts(repo), "expected a regular file")
    refused(lambda: storage.file(path), f"{name}: expected a regular file")


def test_a_link_to_a_file_of_the_same_name_is_followed(storage: Storage, tmp_path: Path) -> None:
    write_files(tmp_path, {"there/packed-refs": b""})
    (tmp_path / "packed-refs").symlink_to("there/packed-refs")
    assert storage.file(tmp_path / "packed-refs") == tmp_path / "there/packed-refs"


@pytest.mark.parametrize("target", [None, "nowhere", "packed-refs/x"])
def test_what_does_not_exist(storage: Storage, tmp_path: Path, target: str | None) -> None:
    write_files(tmp_path, {"packed-refs": b""})
    path = tmp_path / "name"
    if target:
        path.symlink_to(target)
    assert storage.file(path) is None
    assert storage.directory(path) is None
    assert storage.objects(path) is None


@pytest.mark.parametrize("target", ["/", "/dev/zero", "/proc/self", "pipe", ".", "main"])
@pytest.mark.parametrize("name", ["refs/heads/x", "refs/x", "refs/tags/a/b"])
def test_no_link_below_refs(repo: Path, name: str, target: str) -> None:
    os.mkfifo(repo / "pipe")
    path = repo / ".git" / name
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(repo / "pipe" if target == "pipe" else target)
    refused(lambda: facts(repo), f"{path}: expected a regular file or a directory")


@pytest.mark.parametrize("name", ["info/alternates", "info/commit-graph", "pack/pack-x.idx"])
@pytest.mark.parametrize("form", ["pipe", "link"])
def test_only_files_among_the_objects(repo: Path, name: str, form: str) -> None:
    path = repo / ".git/objects" / name
    path.parent.mkdir(exist_ok=True)
    if form == "pipe":
        os.mkfifo(path)
    else:
        write_files(repo, {"token": b"s3cret\n"})
        path.symlink_to(repo / "token")
    refused(lambda: facts(repo), f"{path}: expected a regular file or a directory")


def test_the_objects_of_an_alternate_are_looked_at(repo: Path, tmp_path: Path) -> None:
    """And of its own alternates, which git follows as well."""
    for name, borrows in (("one", "two"), ("two", "one")):
        write_files(tmp_path, {f"{name}/info/alternates": f"# x\n\n../{borrows}\n".encode()})
    write_files(repo, {".git/objects/info/alternates": f"{tmp_path}/one\n".encode()})
    assert facts(repo)["version"] == "v1"
    (tmp_path / "two/pack").mkdir()
    os.mkfifo(tmp_path / "two/pack/multi-pack-index")
    refused(lambda: facts(repo), "two/pack/multi-pack-index: expected")


@pytest.mark.parametrize(
    ("alternates", "match"),
    [(b'"a\\nb"\n', "quoted path"), (b"x" * 70000, "more than 65536 bytes")],
    ids=["quoted", "too long"],
)
def test_alternates_that_are_not_read(repo: Path, alternates: bytes, match: str) -> None:
    write_files(repo, {".git/objects/info/alternates": alternates})
    refused(lambda: facts(repo), match)


@pytest.mark.parametrize("name", ["objects/ff", "refs/tags"])
def test_the_entries_are_counted(repo: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(git_storage, "_MAX_ENTRIES", 100)
    assert facts(repo)["version"] == "v1"
    write_files(repo, {f".git/{name}/{number:038x}": b"" for number in range(101)})
    refused(lambda: facts(repo), "more than 100 files")


def test_the_look_ends_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {"a": b""})
    monkeypatch.setattr(git_program, "_TIMEOUT", 0.0)
    storage = Storage(Deadline())
    refused(lambda: storage.directory(tmp_path), "took more than 0 seconds")


def elsewhere(*names: str) -> Callable[[Path, Path], None]:
    """These parts of a repository, replaced by links to another place."""

    def move(repo: Path, place: Path) -> None:
        for name in names:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (repo / ".git" / name).rename(place / name)
            (repo / ".git" / name).symlink_to(place / name)

    return move


def packs_elsewhere(repo: Path, place: Path) -> None:
    git(repo, "gc", "-q")
    elsewhere("objects/pack", "objects/info")(repo, place)


def renamed_objects(repo: Path, place: Path) -> None:
    (repo / ".git/objects").rename(place)
    (repo / ".git/objects").symlink_to(place)


def shared_with_another_clone(repo: Path, place: Path) -> None:
    """As ``git-new-workdir`` and ``repo`` do."""
    write_files(repo, {".git/info/attributes": b"* -text\n"})
    git(repo, "gc", "-q")
    elsewhere("objects", "refs", "packed-refs", "info", "config")(repo, place)


HONEST = {
    "objects elsewhere": elsewhere("objects"),
    "objects under another name": renamed_objects,
    "packs elsewhere": packs_elsewhere,
    "refs elsewhere": elsewhere("refs"),
    "shared with another clone": shared_with_another_clone,
    "locks": lambda repo, _: write_files(repo, {".git/refs/heads/main.lock": b""}),
    "what git does not look at": lambda repo, _: os.mkfifo(repo / ".git/pipe"),
}


@pytest.mark.parametrize("arrange", HONEST.values(), ids=HONEST)
def test_honest_repositories(
    repo: Path, tmp_path: Path, arrange: Callable[[Path, Path], None]
) -> None:
    arrange(repo, tmp_path / "elsewhere")
    assert facts(repo) == {"revision": git(repo, "rev-parse", "HEAD"), "version": "v1"}
    write_files(repo, {"a": b"2\n"})
    assert facts(repo)["revision"].endswith("-dirty")
