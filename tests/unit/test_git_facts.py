"""Annotations from work trees of every kind: right for a user, and nothing is guessed."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.git import age, facts, git, is_dirty, make_repository, write_files

from wasmpack.errors import WasmpackError
from wasmpack.git.facts import git_annotations

pytestmark = pytest.mark.slow

ATTRIBUTES = b"*.bin filter=lfs diff=lfs merge=lfs -text\n"
LFS = {".gitattributes": ATTRIBUTES, "model.bin": b"oid sha256:1\n", "a": b"1\n"}
CRLF = b"one\r\ntwo\r\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    found = tmp_path / "home"
    found.mkdir()
    return found


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repo", {"a": b"1\n", "sub/b": b"2\n"})


def test_revision_source_and_version(repo: Path) -> None:
    git(repo, "remote", "add", "origin", "https://u:p@example.com/p.git")
    git(repo, "tag", "v1.2.3")
    assert git_annotations(repo) == {
        "org.opencontainers.image.revision": git(repo, "rev-parse", "HEAD"),
        "org.opencontainers.image.source": "https://example.com/p.git",
        "org.opencontainers.image.version": "v1.2.3",
    }


def test_no_work_tree_no_annotations(tmp_path: Path) -> None:
    assert facts(tmp_path) == {}


def test_no_commit_no_annotations(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "repo")
    assert facts(tmp_path / "repo") == {}


def test_no_git_no_annotations(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert facts(repo) == {}


def test_a_git_in_the_current_directory_is_not_started(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = repo / "marker"
    (repo / "git").write_text(f"#!/bin/sh\ntouch '{marker}'\n")
    (repo / "git").chmod(0o755)
    monkeypatch.chdir(repo)
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}")
    assert facts(repo)["revision"] == git(repo, "rev-parse", "HEAD", PATH="/usr/bin:/bin")
    assert not marker.exists()


def test_a_tag_of_a_dirty_tree_is_not_its_version(repo: Path) -> None:
    git(repo, "tag", "v1")
    assert facts(repo)["version"] == "v1"
    (repo / "a").write_text("2\n")
    assert "version" not in facts(repo)


def edit(repo: Path) -> None:
    (repo / "a").write_bytes(b"2\n")


def stage(repo: Path) -> None:
    edit(repo)
    git(repo, "add", "a")


def stage_and_take_back(repo: Path) -> None:
    stage(repo)
    (repo / "a").write_bytes(b"1\n")


def merge_conflict(repo: Path) -> None:
    git(repo, "checkout", "-q", "-b", "other")
    (repo / "a").write_bytes(b"2\n")
    git(repo, "commit", "-q", "-am", "x")
    git(repo, "checkout", "-q", "main")
    (repo / "a").write_bytes(b"3\n")
    git(repo, "commit", "-q", "-am", "y")
    git(repo, "merge", "other", check=False)


DIRTY: dict[str, Callable[[Path], object]] = {
    "edited, same size and time": edit,
    "edited in a directory": lambda repo: (repo / "sub/b").write_bytes(b"longer\n"),
    "staged": stage,
    "staged, and taken back in the file only": stage_and_take_back,
    "deleted": lambda repo: (repo / "a").unlink(),
    "deleted and staged": lambda repo: git(repo, "rm", "-q", "a"),
    "added and staged": lambda repo: (write_files(repo, {"n": b""}), git(repo, "add", "n")),
    "made executable": lambda repo: (repo / "a").chmod(0o755),
    "replaced by a link": lambda repo: ((repo / "a").unlink(), (repo / "a").symlink_to("sub/b")),
    "replaced by a pipe": lambda repo: ((repo / "a").unlink(), os.mkfifo(repo / "a")),
    "renamed": lambda repo: git(repo, "mv", "a", "c"),
    "merge conflict": merge_conflict,
    "index lost": lambda repo: (repo / ".git/index").unlink(),
}


@pytest.mark.parametrize("change", DIRTY.values(), ids=DIRTY)
def test_a_change_of_a_tracked_file_is_dirty(repo: Path, change: Callable[[Path], object]) -> None:
    assert not is_dirty(repo)
    change(repo)
    assert is_dirty(repo)


CLEAN: dict[str, Callable[[Path], object]] = {
    "untracked": lambda repo: write_files(repo, {"new": b"", "sub/new": b""}),
    "ignored": lambda repo: write_files(repo, {".git/info/exclude": b"new\n", "new": b""}),
    "touched": age,
    "mode change where modes do not count": lambda repo: (
        git(repo, "config", "core.fileMode", "false"), (repo / "a").chmod(0o755),
    ),
    "declared unchanged": lambda repo: (
        git(repo, "update-index", "--assume-unchanged", "a"), edit(repo)
    ),
    "edited and taken back": lambda repo: (edit(repo), (repo / "a").write_bytes(b"1\n")),
}  # fmt: skip


@pytest.mark.parametrize("change", CLEAN.values(), ids=CLEAN)
def test_what_git_does_not_count_is_clean(repo: Path, change: Callable[[Path], object]) -> None:
    change(repo)
    assert not is_dirty(repo)


def packed_refs(repo: Path) -> Path:
    git(repo, "pack-refs", "--all")
    git(repo, "gc", "-q")
    return repo


def linked(repo: Path) -> Path:
    git(repo, "worktree", "add", "-q", "-b", "side", repo.parent / "linked tree")
    return repo.parent / "linked tree"


def linked_of_a_bare_repository(repo: Path) -> Path:
    git(repo.parent, "clone", "-q", "--bare", repo, "bare.git")
    git(repo.parent / "bare.git", "worktree", "add", "-q", repo.parent / "tree", "main")
    return repo.parent / "tree"


def submodule(repo: Path) -> Path:
    outer = make_repository(repo.parent / "outer", {"o": b"1\n"})
    git(outer, "submodule", "-q", "add", repo, "nested/module")
    return outer / "nested/module"


def clone(*options: str) -> Callable[[Path], Path]:
    def make(repo: Path) -> Path:
        git(repo, "config", "uploadpack.allowFilter", "true")
        place = repo if "--shared" in options else f"file://{repo}"
        git(repo.parent, "clone", "-q", *options, place, "clone")
        return repo.parent / "clone"

    return make


def relative_alternate(repo: Path) -> Path:
    cloned = clone("--shared")(repo)
    (cloned / ".git/objects/info/alternates").write_text("../../../repo/.git/objects\n")
    return cloned


def detached(repo: Path) -> Path:
    git(repo, "checkout", "-q", "--detach")
    return repo


def odd_names(repo: Path) -> Path:
    place = repo.rename(repo.parent / "ein Gerät\nmit \"Namen\" 'и'")
    write_files(place, {"päth with space/f\tg": b"1", "-rf": b"2", ":(attr:x)": b"3"})
    git(place, "add", "--all")
    git(place, "commit", "-qm", "odd")
    return place


def odd_branch(repo: Path) -> Path:
    git(repo, "checkout", "-q", "-b", os.fsdecode(b"gr\xfc\xe7e/\xf0\x9f\x98\x80-\xff"))
    return repo


def linked_git_directory(repo: Path) -> Path:
    (repo / ".git").rename(repo.parent / "elsewhere.git")
    (repo / ".git").symlink_to("../elsewhere.git")
    return repo


def separate_git_directory(repo: Path) -> Path:
    git(repo, "init", "-q", "--separate-git-dir", repo.parent / "elsewhere.git")
    return repo


def sparse(*options: str) -> Callable[[Path], Path]:
    def make(repo: Path) -> Path:
        git(repo, "sparse-checkout", "init", *options)
        git(repo, "sparse-checkout", "set", *(["a"] if "--no-cone" in options else []))
        assert not (repo / "sub").exists()
        return repo

    return make


def split_index(repo: Path) -> Path:
    git(repo, "update-index", "--split-index")
    assert list((repo / ".git").glob("sharedindex.*"))
    return repo


def index_of_version_4(repo: Path) -> Path:
    git(repo, "update-index", "--index-version", "4")
    return repo


def subdirectory(repo: Path) -> Path:
    return repo / "sub"


def per_worktree_branch(repo: Path) -> Path:
    side = linked(repo)
    git(side, "update-ref", "refs/worktree/mine", "HEAD")
    git(side, "symbolic-ref", "HEAD", "refs/worktree/mine")
    return side


KINDS: dict[str, Callable[[Path], Path]] = {
    "packed refs and objects": packed_refs,
    "linked work tree": linked,
    "linked work tree of a bare repository": linked_of_a_bare_repository,
    "branch of a linked work tree": per_worktree_branch,
    "submodule": submodule,
    "shallow clone": clone("--depth=1"),
    "partial clone": clone("--filter=blob:none"),
    "alternate": clone("--shared"),
    "relative alternate": relative_alternate,
    "detached": detached,
    "odd names": odd_names,
    "odd branch": odd_branch,
    "linked git directory": linked_git_directory,
    "separate git directory": separate_git_directory,
    "sparse checkout": sparse("--no-cone"),
    "sparse index": sparse("--cone", "--sparse-index"),
    "split index": split_index,
    "index of version 4": index_of_version_4,
    "subdirectory": subdirectory,
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_kinds_of_work_trees(repo: Path, kind: Callable[[Path], Path]) -> None:
    directory = kind(repo)
    git(directory, "tag", "-f", "v1")
    revision = git(directory, "rev-parse", "HEAD")
    top = Path(git(directory, "rev-parse", "--show-toplevel") if kind != odd_names else directory)
    for refreshed in (False, True):
        if refreshed:
            age(top)
        assert facts(directory).items() >= {"revision": revision, "version": "v1"}.items()
    (top / "a").write_bytes(b"2\n")
    assert facts(directory)["revision"] == f"{revision}-dirty"
    (top / "a").write_bytes(b"1\n")
    assert facts(directory)["revision"] == revision


def test_sha256_repository(tmp_path: Path) -> None:
    repo = make_repository(tmp_path / "repo", None, "--object-format=sha256")
    assert len(facts(repo)["revision"]) == 64
    age(repo)
    assert not is_dirty(repo)
    (repo / "a").write_text("2\n")
    assert is_dirty(repo)


def test_reftable_repository(tmp_path: Path) -> None:
    """Facts where git knows the format, and an error where it does not."""
    repo = make_repository(tmp_path / "repo")
    git(repo, "init", "-q", "--ref-format=reftable", tmp_path / "new", check=False)
    if (tmp_path / "new").exists():
        for directory in (new := make_repository(tmp_path / "new"), linked(new)):
            assert facts(directory)["revision"] == git(directory, "rev-parse", "HEAD")
        return
    git(repo, "config", "core.repositoryFormatVersion", "1")
    git(repo, "config", "extensions.refStorage", "reftable")
    with pytest.raises(WasmpackError, match="refstorage") as caught:
        facts(repo)
    assert "--no-git" in caught.value.hint


@pytest.mark.parametrize(
    ("setting", "match"),
    [
        (("extensions.encrypted", "true"), "unknown repository extension extensions.encrypted"),
        (("core.repositoryFormatVersion", "9"), "version"),
        (("extensions.objectFormat", "md5"), "md5"),
        (("core.autocrlf", "perhaps"), "perhaps"),
    ],
    ids=["extension", "version", "object format", "autocrlf"],
)
def test_a_repository_that_we_cannot_read_is_an_error(
    repo: Path, setting: tuple[str, str], match: str
) -> None:
    git(repo, "config", "core.repositoryFormatVersion", "1")
    git(repo, "config", *setting)
    with pytest.raises(WasmpackError, match=match) as caught:
        facts(repo)
    assert "--no-git" in caught.value.hint


def test_a_broken_configuration_is_an_error(repo: Path) -> None:
    (repo / ".git/config").write_text("[core\n")
    with pytest.raises(WasmpackError, match="bad config"):
        facts(repo)


def test_a_lost_object_is_an_error(repo: Path) -> None:
    (repo / ".git/index").unlink()
    tree = git(repo, "rev-parse", "HEAD^{tree}")
    (repo / ".git/objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(WasmpackError, match="git diff-index"):
        facts(repo)


def test_a_replaced_commit_does_not_hide_a_change(repo: Path) -> None:
    first = git(repo, "rev-parse", "HEAD")
    (repo / "a").write_bytes(b"2\n")
    git(repo, "commit", "-qam", "second")
    git(repo, "replace", first, "HEAD")
    git(repo, "update-ref", "HEAD", first)
    assert git(repo, "status", "--porcelain") == ""
    assert facts(repo)["revision"] == f"{first}-dirty"


def no_filter(repo: Path, home: Path) -> None:
    """Not installed: neither here nor for the user."""


def filter_here(repo: Path, home: Path) -> None:
    git(repo, "config", "filter.lfs.clean", "tr a-z A-Z")
    git(repo, "config", "filter.lfs.required", "true")


def filter_of_the_user(repo: Path, home: Path) -> None:
    (home / ".gitconfig").write_text('[filter "lfs"]\n\tclean = tr a-z A-Z\n\trequired = true\n')


FILTERS = [no_filter, filter_here, filter_of_the_user]


@pytest.mark.parametrize("install", FILTERS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("fresh", [True, False], ids=["as checked out", "touched"])
def test_smudged_files_are_clean(
    tmp_path: Path, home: Path, install: Callable[[Path, Path], None], fresh: bool
) -> None:
    repo = make_repository(tmp_path / "repo", LFS)
    git(repo, "tag", "v1")
    install(repo, home)
    (repo / "model.bin").write_bytes(b"what the pointer stands for\n")
    if not fresh:
        age(repo)
    assert facts(repo)["version"] == "v1"
    (repo / "a").write_bytes(b"2\n")
    assert is_dirty(repo)


@pytest.mark.parametrize("install", FILTERS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("change", ["deleted", "staged", "replaced by a link"])
def test_of_filtered_files_all_but_the_content_counts(
    tmp_path: Path, home: Path, install: Callable[[Path, Path], None], change: str
) -> None:
    repo = make_repository(tmp_path / "repo", LFS)
    file = repo / "model.bin"
    if change == "staged":
        file.write_bytes(b"oid sha256:2\n")
        git(repo, "add", "model.bin")
    install(repo, home)
    if change != "staged":
        file.unlink()
    if change == "replaced by a link":
        file.symlink_to("a")
    assert is_dirty(repo)


@pytest.mark.parametrize(
    "attributes",
    [
        b"*.bin filter=lfs\n",
        b"*.bin filter=\n",
        b"[attr]lfs filter=lfs -text\n*.bin lfs\n",
        b"* -filter\n*.bin filter=x\n",
    ],
    ids=["named", "empty name", "macro", "set again"],
)
def test_files_with_a_filter_are_not_compared(tmp_path: Path, attributes: bytes) -> None:
    repo = make_repository(tmp_path / "repo", LFS | {".gitattributes": attributes})
    (repo / "model.bin").write_bytes(b"else\n")
    assert not is_dirty(repo)


@pytest.mark.parametrize(
    "attributes",
    [b"", b"*.bin -filter\n", b"*.bin filter\n", b"*.bin filter=lfs\n*.bin !filter\n"],
    ids=["none", "unset", "set without a name", "unspecified again"],
)
def test_files_without_a_named_filter_are_compared(tmp_path: Path, attributes: bytes) -> None:
    repo = make_repository(tmp_path / "repo", LFS | {".gitattributes": attributes})
    assert not is_dirty(repo)
    (repo / "model.bin").write_bytes(b"else\n")
    assert is_dirty(repo)


def local_autocrlf(repo: Path, home: Path) -> None:
    git(repo, "config", "core.autocrlf", "true")


def global_autocrlf(repo: Path, home: Path) -> None:
    (home / ".gitconfig").write_text("[core]\n\tautocrlf = true\n")


def included_autocrlf(repo: Path, home: Path) -> None:
    (home / ".gitconfig").write_text("[include]\n\tpath = more\n")
    (home / "more").write_text("[core]\n\tautocrlf\n")


def xdg_autocrlf(repo: Path, home: Path) -> None:
    write_files(Path(os.environ["XDG_CONFIG_HOME"]), {"git/config": b"[core]\nautocrlf = input\n"})


def xdg_attributes(repo: Path, home: Path) -> None:
    write_files(Path(os.environ["XDG_CONFIG_HOME"]), {"git/attributes": b"* text=auto\n"})


def global_attributes(repo: Path, home: Path) -> None:
    (home / 'my "attributes"').write_text("* text=auto\n")
    git(repo, "config", "--global", "core.attributesFile", '~/my "attributes"')


def info_attributes(repo: Path, home: Path) -> None:
    (repo / ".git/info/attributes").write_text("* text eol=crlf\n")


def worktree_config(repo: Path, home: Path) -> None:
    git(repo, "config", "extensions.worktreeConfig", "true")
    git(repo, "config", "--worktree", "core.autocrlf", "true")


ENDINGS = [
    local_autocrlf, global_autocrlf, included_autocrlf, xdg_autocrlf, xdg_attributes,
    global_attributes, info_attributes, worktree_config,
]  # fmt: skip


@pytest.mark.parametrize("configure", ENDINGS, ids=lambda f: f.__name__)
def test_line_endings_that_git_converts_are_clean(
    tmp_path: Path, home: Path, configure: Callable[[Path, Path], None]
) -> None:
    repo = make_repository(tmp_path / "repo", {"a": CRLF.replace(b"\r\n", b"\n")})
    (repo / "a").write_bytes(CRLF)
    assert is_dirty(repo)
    configure(repo, home)
    git(repo, "add", "a")
    assert git(repo, "diff", "--cached", "--stat") == ""
    age(repo)
    assert not is_dirty(repo)
    (repo / "a").write_bytes(CRLF + CRLF)
    assert is_dirty(repo)


@pytest.mark.parametrize(
    ("attributes", "committed", "present"),
    [
        (b"* text=auto eol=crlf\n", b"1\n2\n", b"1\r\n2\r\n"),
        (b"* text\n", b"1\n", b"1\r\n"),
        (b"* ident\n", b"$Id$\n", b"$Id: 0123 $\n"),
        (b"* working-tree-encoding=ISO-8859-1\n", "ä\n".encode(), b"\xe4\n"),
    ],
    ids=["eol", "text", "ident", "encoding"],
)
def test_conversions_by_attributes_are_clean(
    tmp_path: Path, attributes: bytes, committed: bytes, present: bytes
) -> None:
    repo = make_repository(tmp_path / "repo", {"a": committed})
    blob = git(repo, "rev-parse", "HEAD:a")
    write_files(repo, {".gitattributes": attributes, "a": present})
    git(repo, "add", "--all")
    git(repo, "commit", "-qm", "attributes")
    assert git(repo, "rev-parse", "HEAD:a") == blob
    age(repo)
    assert not is_dirty(repo)


def test_a_submodule_is_not_looked_into_but_its_staged_commit_counts(repo: Path) -> None:
    inner = submodule(repo)
    outer = inner.parents[1]
    git(outer, "commit", "-qam", "submodule")
    (inner / "a").write_text("edited\n")
    assert not is_dirty(outer)
    git(inner, "commit", "-qam", "more")
    assert not is_dirty(outer)
    git(outer, "add", "nested/module")
    assert is_dirty(outer)


def test_a_file_put_where_a_sparse_checkout_has_none(repo: Path) -> None:
    sparse("--no-cone")(repo)
    write_files(repo, {"sub/b": b"other\n"})
    expected = git(repo, "status", "--porcelain", "--untracked-files=no") != ""
    assert is_dirty(repo) is expected


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("v1.0.0-rc.1+build", "v1.0.0-rc.1+build"),
        ("plugin/v1", "plugin/v1"),
        ("grün-1", "grün-1"),
        ("v1\u202e1", None),
        ("v1\u00a01", None),
        ("v1\u200b", None),
        (os.fsdecode(b"v1-\xff"), None),
        ("v" * 200, "v" * 200),
        ("/".join(["v" * 200] * 2), None),
    ],
    ids=["semver", "path", "umlaut", "bidi", "nbsp", "zero width", "latin-1", "long", "too long"],
)
def test_the_version_is_plain_text(repo: Path, tag: str, version: str | None) -> None:
    git(repo, "tag", tag)
    assert facts(repo).get("version") == version


def test_an_annotated_tag_that_calls_itself_something_else(repo: Path) -> None:
    head = git(repo, "rev-parse", "HEAD")
    text = f"object {head}\ntype commit\ntag v9\ntagger T <t@e> 1 +0000\n\nx\n"
    named = git(repo, "hash-object", "-t", "tag", "-w", "--stdin", stdin=text)
    git(repo, "update-ref", "refs/tags/v1", named)
    assert facts(repo)["version"] == git(repo, "describe", "--tags", "--exact-match")


def test_the_repository_is_not_written_to(repo: Path) -> None:
    age(repo)
    before = fingerprint(repo)
    facts(repo)
    assert fingerprint(repo) == before


def fingerprint(directory: Path) -> dict[str, tuple[int, str]]:
    return {
        str(path): (
            path.lstat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in directory.rglob("*")
    }


def test_nothing_is_left_in_the_temporary_directory(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    facts(repo)
    shutil.rmtree(repo / ".git/objects")
    (repo / ".git/objects").mkdir()
    with pytest.raises(WasmpackError):
        facts(repo)
    assert list(scratch.iterdir()) == []
