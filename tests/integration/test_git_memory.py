"""Objects that fill the memory: git is ended, and the build says why."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Cli
from support.git import make_repository
from support.git_bombs import large_commit, large_delta, large_tag, large_tree
from support.peak import watched
from support.plugins import PLUGINS

PLUGIN = PLUGINS / "header-append-c.wasm"
SIZE = 1536 << 20
MOST = 1024
"""MiB resident."""
BOMBS = [large_commit, large_tree, large_tag, large_delta]


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda f: f.__name__)
def test_git_has_less_than_a_gibibyte(
    tmp_path: Path, wasmpack_command: str, cli: Cli, bomb: Callable[[Path, int], None]
) -> None:
    files = {"a": b"1\n", "plugin.wasm": PLUGIN.read_bytes()}
    repo = make_repository(tmp_path / "repo", files)
    bomb(repo, SIZE)
    disk = sum(file.stat().st_size for file in (repo / ".git").rglob("*") if file.is_file())
    assert disk < SIZE >> 8
    build = ("build", "plugin.wasm", "-o", "oci:../out:v1")
    done = watched(wasmpack_command, *build, cwd=repo)
    assert done.code == 1, done.err
    assert "MiB of memory, more than the 768 MiB allowed" in done.err
    assert "hint: --no-git builds without annotations from git" in done.err
    assert done.megabytes < MOST
    assert cli(*build, "--no-git", cwd=repo).code == 0
