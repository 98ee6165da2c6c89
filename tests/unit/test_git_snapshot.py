"""No program that a repository brings along is started, and no secret of ours reaches git.

Each attack leaves a marker behind. That it is one at all is proven with plain git, afterwards and
in the same repository, wherever there is a command of git that falls for it.
"""

import contextlib
import os
import shlex
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.git import age, facts, git, make_repository, write_files

from wasmpack.errors import WasmpackError
from wasmpack.git import snapshot as git_snapshot
from wasmpack.git.work_tree import find_work_tree

pytestmark = pytest.mark.slow

SECRETS = {
    "WASMPACK_PASSWORD": "s3cret", "AWS_SECRET_ACCESS_KEY": "s3cret", "GITHUB_TOKEN": "s3cret",
    "SSH_AUTH_SOCK": "/tmp/s3cret", "LD_PRELOAD_": "s3cret", "GIT_ASKPASS": "s3cret",
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    found = tmp_path / "home"
    found.mkdir()
    return found


class Trap:
    """A program that leaves a marker."""

    def __init__(self, directory: Path) -> None:
        self.marker = directory / "marker"
        self.program = directory / "evil"
        self.program.write_text(f"#!/bin/sh\necho \"$0 $*\" >> '{self.marker}'\n")
        self.program.chmod(0o755)

    def sprung(self) -> bool:
        found = self.marker.exists()
        self.marker.unlink(missing_ok=True)
        return found


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    files = {".gitattributes": b"*.x filter=x diff=x merge=x\n", "f.x": b"1\n", "a": b"1\n"}
    made = make_repository(tmp_path / "repo", files)
    write_files(made, {"a": b"2\n"})
    git(made, "commit", "-qam", "second")
    return made


Setting = Callable[[Path, Trap], object]


def config(*settings: str) -> Setting:
    """Settings ``KEY=VALUE``, with the program for ``EVIL``."""

    def configure(repo: Path, trap: Trap) -> None:
        for setting in settings:
            key, _, value = setting.replace("EVIL", str(trap.program)).partition("=")
            git(repo, "config", "--add", key, value)

    return configure


def lost_tree(*settings: str) -> Setting:
    """A partial clone that lacks the tree of its commit, so that git fetches it when it looks."""
    partial = ("core.repositoryFormatVersion=1", "extensions.partialClone=origin",
               "remote.origin.promisor=true")  # fmt: skip

    def configure(repo: Path, trap: Trap) -> None:
        config(*partial, *settings)(repo, trap)
        tree = git(repo, "rev-parse", "HEAD^{tree}")
        (repo / ".git/objects" / tree[:2] / tree[2:]).unlink()
        (repo / ".git/index").unlink()

    return configure


def hook(repo: Path, trap: Trap) -> None:
    for name in ("post-index-change", "reference-transaction", "pre-commit", "fsmonitor-watchman"):
        shutil.copy(trap.program, repo / ".git/hooks" / name)


def hooks_elsewhere(repo: Path, trap: Trap) -> None:
    write_files(repo, {"hooks/x": b""})
    shutil.copy(trap.program, repo / "hooks/post-index-change")
    git(repo, "config", "core.hooksPath", "hooks")


def included(repo: Path, trap: Trap) -> None:
    write_files(repo, {"more": f"[core]\n\tfsmonitor = {trap.program}\n".encode()})
    git(repo, "config", "include.path", str(repo / "more"))


def included_if(repo: Path, trap: Trap) -> None:
    write_files(repo, {"more": f"[core]\n\tfsmonitor = {trap.program}\n".encode()})
    git(repo, "config", "includeIf.gitdir:/.path", str(repo / "more"))


def worktree_configuration(repo: Path, trap: Trap) -> None:
    git(repo, "config", "extensions.worktreeConfig", "true")
    git(repo, "config", "--worktree", "core.fsmonitor", str(trap.program))


def monitored_index(repo: Path, trap: Trap) -> None:
    """An index with an fsmonitor extension, whose files count as unchanged if it says so."""
    config("core.fsmonitor=EVIL", "core.fsmonitorHookVersion=2")(repo, trap)
    git(repo, "update-index", "--fsmonitor")
    trap.sprung()


def attributes_of_the_repository(repo: Path, trap: Trap) -> None:
    write_files(repo, {".git/info/attributes": b"* filter=y\n"})
    config("filter.y.clean=EVIL")(repo, trap)


def global_configuration(repo: Path, trap: Trap) -> None:
    names = ("core.fsmonitor", "filter.x.clean", "core.pager")
    for name in names:
        git(repo, "config", "--global", name, str(trap.program))
    git(repo, "config", "--global", "core.hooksPath", str(trap.program.parent))


def submodule_with(key: str, value: str = "EVIL") -> Setting:
    def configure(repo: Path, trap: Trap) -> None:
        inner = make_repository(
            repo.parent / "inner", {".gitattributes": b"* filter=x\n", "a": b"1"}
        )
        git(repo, "submodule", "-q", "add", inner, "module")
        git(repo, "commit", "-qm", "module")
        config(f"{key}={value}")(repo / "module", trap)
        age(repo / "module")

    return configure


def bare_repository(repo: Path, trap: Trap) -> None:
    """The module's directory, committed as ordinary files, is a repository with a work tree."""
    inner = make_repository(repo.parent / "inner", {"f.x": b"1\n"})
    write_files(inner, {".git/info/attributes": b"* filter=x\n"})
    config("core.bare=false", f"core.worktree={repo / 'dist'}", "core.fsmonitor=EVIL",
           "filter.x.clean=EVIL")(inner, trap)  # fmt: skip
    (inner / ".git").rename(repo / "dist")
    git(repo, "add", "--force", "dist")
    git(repo, "commit", "-qm", "dist")


def alternate(repo: Path, trap: Trap) -> None:
    git(repo.parent, "clone", "-q", repo, "other")
    (repo / ".git/objects/info/alternates").write_text(f"{repo.parent}/other/.git/objects\n")
    config("core.alternateRefsCommand=EVIL")(repo, trap)


@dataclass(frozen=True)
class Attack:
    """What is laid out, and the command of plain git that falls for it (None: none here)."""

    lay: Setting
    command: Sequence[str] | None = ("status",)
    place: str = "."


SSH = "remote.origin.url=ssh://localhost/x"
ATTACKS = {
    "file system monitor": Attack(config("core.fsmonitor=EVIL")),
    "file system monitor, in the index": Attack(monitored_index),
    "hook": Attack(hook),
    "hooks elsewhere": Attack(hooks_elsewhere),
    "clean filter": Attack(config("filter.x.clean=EVIL")),
    "clean filter, required": Attack(config("filter.x.clean=EVIL", "filter.x.required=true")),
    "filter process": Attack(config("filter.x.process=EVIL", "filter.x.required=true")),
    "smudge filter": Attack(config("filter.x.smudge=EVIL"), ("checkout-index", "-f", "f.x")),
    "filter of info/attributes": Attack(attributes_of_the_repository),
    "external diff": Attack(config("diff.external=EVIL"), ("diff", "HEAD~", "HEAD")),
    "diff command": Attack(
        config("diff.x.command=EVIL"), ("diff", "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "HEAD")
    ),
    "textconv": Attack(
        config("diff.x.textconv=EVIL"), ("diff", "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "HEAD")
    ),
    "merge driver": Attack(config("merge.x.driver=EVIL %O %A %B", "merge.default=x"), None),
    "pager": Attack(config("core.pager=EVIL", "pager.config=EVIL", "pager.describe=EVIL"), None),
    "editor": Attack(config("core.editor=EVIL"), ("commit", "--amend")),
    "sequence editor": Attack(config("sequence.editor=EVIL"), ("rebase", "-i", "HEAD~")),
    "alias": Attack(config("alias.pwn=!EVIL", "alias.rev-parse=!EVIL"), ("pwn",)),
    "aliases of commands we use": Attack(
        config("alias.update-index=!EVIL", "alias.diff-files=!EVIL", "alias.config=!EVIL"), None
    ),
    "signature program": Attack(
        config("gpg.program=EVIL", "log.showSignature=true"), ("commit", "--amend", "-S", "-m", "x")
    ),
    "credential helper": Attack(config("credential.helper=!EVIL"), ("credential", "fill")),
    "askpass": Attack(config("core.askPass=EVIL"), ("credential", "fill")),
    "ssh for a lost object": Attack(lost_tree(SSH, "core.sshCommand=EVIL")),
    "helper for a lost object": Attack(
        lost_tree("remote.origin.url=ext::EVIL", "protocol.ext.allow=always")
    ),
    "upload-pack for a lost object": Attack(
        lost_tree("remote.origin.url=../repo", "remote.origin.uploadpack=EVIL")
    ),
    "proxy for a lost object": Attack(
        lost_tree("remote.origin.url=git://localhost/x", "core.gitProxy=EVIL")
    ),
    "rewritten url for a lost object": Attack(
        lost_tree("remote.origin.url=https://localhost/x", "protocol.ext.allow=always",
                  "url.ext::EVIL .insteadOf=https://")
    ),
    "refs of an alternate": Attack(alternate, ("fetch", "-q", "../other")),
    "included file": Attack(included),
    "conditionally included file": Attack(included_if),
    "configuration of the work tree": Attack(worktree_configuration),
    "monitor of a submodule": Attack(submodule_with("core.fsmonitor")),
    "filter of a submodule": Attack(submodule_with("filter.x.clean")),
    "submodule update": Attack(config("submodule.x.update=!EVIL", "submodule.recurse=true"), None),
    "bare repository among ordinary files": Attack(bare_repository, place="dist"),
    "configuration of the user": Attack(global_configuration),
    "trace": Attack(config("trace2.eventTarget=/tmp/EVIL", "trace2.normalTarget=EVIL"), None),
    "background jobs": Attack(config("gc.auto=1", "maintenance.auto=true", "gc.pruneExpire=now",
                                     "gc.recentObjectsHook=EVIL"), None),
    "interactive filter": Attack(config("interactive.diffFilter=EVIL"), None),
    "remote program": Attack(config("remote.origin.vcs=x", "remote.origin.receivepack=EVIL"), None),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_nothing_foreign_runs(repo: Path, home: Path, trap: Trap, attack: Attack) -> None:
    attack.lay(repo, trap)
    trap.sprung()
    age(repo)
    if "partialClone" in (repo / ".git/config").read_text():
        with pytest.raises(WasmpackError, match="git diff-index failed"):
            facts(repo)
    else:
        assert facts(repo / attack.place) == {"revision": git(repo, "rev-parse", "HEAD")}
    assert not trap.sprung()
    if attack.command is not None:
        request = "protocol=https\nhost=example.com\n\n"
        git(repo / attack.place, *attack.command, check=False, stdin=request)
        assert trap.sprung(), "plain git does not fall for it either: the attack is not one"


def write_program(path: Path, *lines: str) -> None:
    """A shell script in place of git, which goes on as the real one."""
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, f'exec {shutil.which("git")} "$@"\n']))
    path.chmod(0o755)


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """For each call of git: its arguments, its environment, and the configuration it reads."""
    log = tmp_path / "calls"
    real = shutil.which("git")
    write_program(
        tmp_path / "bin/git",
        f"exec 3>>'{log}'",
        'echo "CALL $1" >&3',
        "env | sed 's/^/ENV /' >&3",
        f"{real} config --list --show-origin --includes | sed 's/^/CONFIG /' >&3",
        "exec 3>&-",
    )
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return log


HOSTILE_ENVIRONMENT = {
    "GIT_DIR": "/nowhere", "GIT_WORK_TREE": "/nowhere", "GIT_INDEX_FILE": "/nowhere",
    "GIT_OBJECT_DIRECTORY": "/nowhere", "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.bare",
    "GIT_CONFIG_VALUE_0": "perhaps", "GIT_CONFIG_PARAMETERS": "'core.bare=perhaps'",
    "GIT_CONFIG_GLOBAL": "/dev/zero", "GIT_EXEC_PATH": "/nowhere", "GIT_TRACE": "{home}/trace",
    "GIT_TRACE2": "{home}/trace", "GIT_EXTERNAL_DIFF": "/nowhere", "GIT_PAGER": "/nowhere",
    "GIT_REPLACE_REF_BASE": "refs/heads/", "GIT_NAMESPACE": "x", "GIT_ATTR_SOURCE": "nothing",
    "GIT_DEFAULT_HASH": "sha256", "GIT_CEILING_DIRECTORIES": "/", "GIT_LITERAL_PATHSPECS": "1",
}  # fmt: skip


def test_git_gets_no_secret_and_no_setting_from_our_environment(
    repo: Path, home: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = facts(repo)
    calls.unlink()
    for name, value in (SECRETS | HOSTILE_ENVIRONMENT).items():
        monkeypatch.setenv(name, value.format(home=home))
    assert facts(repo) == expected
    seen = {
        line.removeprefix("ENV ").partition("=")[0]
        for line in calls.read_text().splitlines()
        if line.startswith("ENV ")
    }
    ours = {"GIT_DIR", "GIT_WORK_TREE", "GIT_CONFIG_NOSYSTEM", "GIT_NO_REPLACE_OBJECTS"}
    shells = {"PWD", "OLDPWD", "SHLVL", "_"}
    coverage = {name for name in seen if name.startswith("COVERAGE_")}
    assert seen - shells - coverage - {"TMPDIR", "LANG"} == {
        "PATH", "HOME", "XDG_CONFIG_HOME", "LC_ALL", *ours,
    }  # fmt: skip
    assert "s3cret" not in calls.read_text()
    assert not (home / "trace").exists()


def test_git_sees_the_repository_under_our_configuration_only(
    repo: Path, home: Path, calls: Path, tmp_path: Path
) -> None:
    linked = tmp_path / "linked"
    git(repo, "worktree", "add", "-q", linked)
    (home / ".gitconfig").write_text("[user]\n\tname = me\n[core]\n\tautocrlf = false\n")
    git(repo, "config", "user.email", "me@example.com")
    calls.unlink()
    facts(linked)
    (listed, *_), *others = [call.splitlines() for call in calls.read_text().split("CALL ")[1:]][1:]
    assert listed == "config"
    assert [call[0] for call in others] == [
        "rev-parse", "ls-files", "update-index", "diff-index", "diff-files", "diff-files",
        "describe",
    ]  # fmt: skip
    for call in others:
        settings = [line.partition("\t") for line in call if line.startswith("CONFIG ")]
        origins = {origin.rpartition("wasmpack-git-")[2][8:] for origin, _, _ in settings}
        assert origins == {"/common/config"}
        assert {setting.partition("=")[0] for _, _, setting in settings} <= {
            "core.attributesfile", "core.autocrlf", "core.filemode", "core.ignorecase",
            "core.packedgitlimit", "core.packedgitwindowsize", "core.precomposeunicode",
            "core.repositoryformatversion", "core.symlinks",
        }  # fmt: skip


def test_a_repository_that_turns_hostile_while_it_is_looked_at(
    repo: Path, home: Path, trap: Trap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before each command of ours, all that it could have been checked for is replaced."""
    evil, real = shlex.quote(str(trap.program)), shutil.which("git")
    write_program(
        tmp_path / "bin/git",
        f"(unset GIT_DIR GIT_WORK_TREE; cd {shlex.quote(str(repo))}",
        f"{real} config core.fsmonitor {evil}; {real} config filter.x.clean {evil}",
        "echo '* filter=x' > .git/info/attributes",
        f"cp {evil} .git/hooks/post-index-change)",
    )
    age(repo)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    facts(repo)
    assert not trap.sprung()
    git(repo, "status")
    assert trap.sprung()


def test_where_the_configuration_says_the_work_tree_is_does_not_count(
    repo: Path, tmp_path: Path
) -> None:
    write_files(tmp_path, {"elsewhere/a": b"3\n"})
    git(repo, "config", "core.worktree", str(tmp_path / "elsewhere"))
    assert git(repo, "status", "--porcelain") != ""
    assert facts(repo)["revision"] == git(repo, "rev-parse", "HEAD")


def test_an_included_file_says_nothing_about_the_source(repo: Path) -> None:
    write_files(repo, {"more": b'[remote "origin"]\n\turl = https://example.com/p\n'})
    git(repo, "config", "include.path", "../more")
    assert git(repo, "config", "remote.origin.url") == "https://example.com/p"
    assert "source" not in facts(repo)


QUOTED = [
    'say "hi"',
    "back\\slash\\",
    "two\nlines",
    '"\n[core]\n\tfsmonitor = evil\n',
    "\ttab; #",
    "ü ",
]


@pytest.mark.parametrize("value", QUOTED, ids=ascii)
def test_a_setting_is_written_as_it_was_read(
    repo: Path, home: Path, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(repo, "config", "--global", "core.attributesFile", value)
    tree = find_work_tree(repo)
    assert tree
    with git_snapshot.open_snapshot(tree) as snapshot:
        _, listed = snapshot.git("config", "-z", "--list")
    own = dict(entry.split("\n", 1) for entry in listed.decode().split("\0")[:-1])
    assert own["core.attributesfile"] == value
    assert "core.fsmonitor" not in own


@contextlib.contextmanager
def limited(monkeypatch: pytest.MonkeyPatch, name: str, limit: int) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(git_snapshot, name, limit)
        yield


@pytest.mark.parametrize(
    ("limit", "file"), [("_MAX_CONFIG", "config"), ("_MAX_INDEX", "index")], ids=["config", "index"]
)
def test_a_file_that_is_too_large_is_an_error(
    repo: Path, monkeypatch: pytest.MonkeyPatch, limit: str, file: str
) -> None:
    size = (repo / ".git" / file).stat().st_size
    with limited(monkeypatch, limit, size):
        assert facts(repo)["revision"]
    with limited(monkeypatch, limit, size - 1):
        with pytest.raises(WasmpackError, match=f"{file}: more than {size - 1} bytes") as caught:
            facts(repo)
        assert "--no-git" in caught.value.hint


def test_an_endless_configuration_is_an_error(repo: Path) -> None:
    with (repo / ".git/config").open("ab") as file:
        file.truncate(1 << 40)
    with pytest.raises(WasmpackError, match="config: more than"):
        facts(repo)


@pytest.mark.parametrize("name", ["config", "index", "config.worktree"])
def test_a_pipe_is_not_waited_for(repo: Path, name: str) -> None:
    (repo / ".git" / name).unlink(missing_ok=True)
    os.mkfifo(repo / ".git" / name)
    with pytest.raises(WasmpackError, match="expected a regular file"):
        facts(repo)


def test_many_branches_and_remotes_are_no_trouble(repo: Path) -> None:
    with (repo / ".git/config").open("a") as file:
        for number in range(20000):
            file.write(f'[branch "b{number}"]\n\tremote = origin\n\tmerge = refs/heads/b{number}\n')
    assert facts(repo)["revision"]


@pytest.fixture
def shared(repo: Path) -> Path:
    """The base file of a split index."""
    git(repo, "update-index", "--split-index")
    (found,) = (repo / ".git").glob("sharedindex.*")
    return found


def test_the_time_of_a_shared_index_is_not_changed(repo: Path, shared: Path) -> None:
    os.utime(shared, ns=(10**18, 10**18))
    age(repo)  # so that git writes the index, and marks its base file as used
    assert facts(repo)["revision"] == git(repo, "rev-parse", "HEAD")
    assert shared.stat().st_mtime_ns == 10**18


def test_a_link_in_place_of_a_shared_index_changes_no_other_file(repo: Path, shared: Path) -> None:
    victim = shared.rename(repo.parent / "victim")
    os.utime(victim, ns=(10**18, 10**18))
    shared.symlink_to(victim)
    age(repo)
    with pytest.raises(WasmpackError, match="expected a regular file") as caught:
        facts(repo)
    assert "--no-git" in caught.value.hint
    assert victim.stat().st_mtime_ns == 10**18


def test_many_shared_indexes_are_no_trouble(repo: Path, shared: Path) -> None:
    """git keeps those of two weeks (splitIndex.sharedIndexExpire); one counts."""
    for number in range(100):
        (shared.parent / f"sharedindex.{number:040x}").write_bytes(b"another")
    assert facts(repo)["revision"] == git(repo, "rev-parse", "HEAD")


def test_the_index_and_its_shared_one_have_one_limit(
    repo: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (repo / ".git/index").stat().st_size + shared.stat().st_size
    with limited(monkeypatch, "_MAX_INDEX", size):
        assert facts(repo)["revision"]
    with (
        limited(monkeypatch, "_MAX_INDEX", size - 1),
        pytest.raises(WasmpackError, match=r"sharedindex\..*: more than"),
    ):
        facts(repo)
