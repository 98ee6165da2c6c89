"""Git repositories for tests, made by the real git."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from wasmpack.git.facts import git_annotations

PREFIX = "org.opencontainers.image."
_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "T"), ("EMAIL", "t@example.com"))
}


def git(
    directory: Path, *arguments: str | Path, check: bool = True, stdin: str = "", **env: str
) -> str:
    """What plain git prints, with the repository's own configuration."""
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *map(str, arguments)],
        cwd=directory,
        check=check,
        capture_output=True,
        input=stdin.encode(),
        env={**os.environ, **_IDENTITY, **env},
        timeout=300,
    )
    return done.stdout.decode(errors="surrogateescape").strip()


def make_repository(
    path: Path, files: Mapping[str, bytes] | None = None, *init: str, message: str = "first"
) -> Path:
    """A repository with one commit of these files."""
    path.mkdir(parents=True, exist_ok=True)
    git(path, "init", "-q", "-b", "main", *init)
    write_files(path, files or {"a": b"1\n"})
    git(path, "add", "--all")
    git(path, "commit", "-q", "-m", message)
    return path


def write_files(directory: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(data)


def age(directory: Path) -> None:
    """Give every file another time, so that git has to compare its content."""
    for path in directory.rglob("*"):
        if ".git" not in path.parts and path.is_file():
            os.utime(path, ns=(10**18, 10**18))


def facts(directory: Path) -> dict[str, str]:
    """The annotations, by the last part of their names."""
    return {key.removeprefix(PREFIX): value for key, value in git_annotations(directory).items()}


def is_dirty(directory: Path) -> bool:
    revision = facts(directory)["revision"]
    assert revision.removesuffix("-dirty") == git(directory, "rev-parse", "HEAD")
    return revision.endswith("-dirty")
