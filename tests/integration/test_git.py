"""``wasmpack build`` in a clone that somebody else made."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Cli
from support.git import git, make_repository, write_files
from support.plugins import PLUGINS

PLUGIN = PLUGINS / "header-append-c.wasm"
Lay = Callable[[Path, Path], None]
SECRETS = {"WASMPACK_PASSWORD": "s3cret", "GITHUB_TOKEN": "s3cret"}


def annotations(layout: Path) -> dict[str, str]:
    (entry,) = json.loads((layout / "index.json").read_text())["manifests"]
    digest = entry["digest"].removeprefix("sha256:")
    found: dict[str, str] = json.loads((layout / "blobs/sha256" / digest).read_text())[
        "annotations"
    ]
    return found


def bare_repository_as_files(repo: Path, evil: Path) -> None:
    inner = make_repository(repo.parent / "inner", {"plugin.wasm": b"1"})
    write_files(inner, {".git/info/attributes": b"* filter=x\n"})
    git(inner, "config", "core.worktree", str(repo / "dist"))
    git(inner, "config", "filter.x.clean", str(evil))
    git(inner, "config", "core.fsmonitor", str(evil))
    shutil.copytree(inner / ".git", repo / "dist", dirs_exist_ok=True)
    git(repo, "add", "--all", "--force")
    git(repo, "commit", "-qm", "bare")


def unpacked_with_filters(repo: Path, evil: Path) -> None:
    write_files(repo, {".git/info/attributes": b"* filter=x\n"})
    git(repo, "config", "filter.x.clean", str(evil))
    git(repo, "config", "core.fsmonitor", str(evil))


@pytest.mark.parametrize("lay", [bare_repository_as_files, unpacked_with_filters])
def test_a_hostile_clone_runs_nothing_and_is_annotated(cli: Cli, tmp_path: Path, lay: Lay) -> None:
    marker, evil = tmp_path / "marker", tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\nenv > '{marker}'\n")
    evil.chmod(0o755)
    repo = make_repository(tmp_path / "repo", {"dist/plugin.wasm": PLUGIN.read_bytes()})
    git(repo, "remote", "add", "origin", "https://me:s3cret@example.com/me/p.git")
    lay(repo, evil)
    done = cli("build", "dist/plugin.wasm", "-o", "oci:../out:v1", cwd=repo, env=SECRETS)
    assert (done.code, done.err) == (0, "")
    assert not marker.exists()
    assert annotations(tmp_path / "out") == {
        "org.opencontainers.image.revision": git(repo, "rev-parse", "HEAD"),
        "org.opencontainers.image.source": "https://example.com/me/p.git",
    }
    git(repo / "dist", "status", check=False, GITHUB_TOKEN="s3cret")
    assert "GITHUB_TOKEN=s3cret" in marker.read_text()


def test_facts_that_git_does_not_tell_are_an_error_with_a_hint(cli: Cli, tmp_path: Path) -> None:
    repo = make_repository(tmp_path / "repo", {"plugin.wasm": PLUGIN.read_bytes()})
    (repo / ".git/config").write_text("[\x1b[31m\n")
    refused = cli("build", "plugin.wasm", "-o", "oci:../out:v1", cwd=repo)
    assert refused.code == 1
    assert "bad config line 1" in refused.err
    assert "hint: --no-git builds without annotations from git" in refused.err
    assert cli("build", "plugin.wasm", "-o", "oci:../out:v1", "--no-git", cwd=repo).code == 0
