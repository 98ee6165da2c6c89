"""Caches are believed only where nobody else could have written them, and only whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wasmpack.files.owned import make_room, read_owned, write_owned

LIMIT = 1000


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "cache" / "entry"
    write_owned(path, b"content")
    return path


def test_what_was_written_is_read(kept: Path) -> None:
    assert read_owned(kept, LIMIT) == b"content"
    assert kept.stat().st_mode & 0o077 == 0


def replaced_by_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replaced_by_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def replaced_by_a_link(path: Path) -> None:
    path.rename(path.with_name("other"))
    path.symlink_to("other")


def given_away(path: Path) -> None:
    os.chown(path, 12345, 12345)


def directory_given_away(path: Path) -> None:
    os.chown(path.parent, 12345, 12345)


NOT_BELIEVED: dict[str, Callable[[Path], object]] = {
    "absent": Path.unlink,
    "flipped": lambda path: path.write_bytes(path.read_bytes()[:-1] + b"T"),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"x"),
    "empty": lambda path: path.write_bytes(b""),
    "directory": replaced_by_a_directory,
    "pipe": replaced_by_a_pipe,
    "link": replaced_by_a_link,
    "group can write": lambda path: path.chmod(0o620),
    "others can write": lambda path: path.chmod(0o602),
    "directory others can write": lambda path: path.parent.chmod(0o777),
    "somebody else's": given_away,
    "directory somebody else's": directory_given_away,
}


@pytest.mark.parametrize("change", NOT_BELIEVED)
def test_what_is_as_if_absent(change: str, kept: Path) -> None:
    if "else's" in change and os.geteuid() != 0:
        pytest.skip("only root gives files away")
    NOT_BELIEVED[change](kept)
    assert read_owned(kept, LIMIT) is None


def test_more_than_the_limit_is_not_read(kept: Path) -> None:
    assert read_owned(kept, 3) is None


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "entry/below"])
def test_odd_names_are_absent(name: str, kept: Path) -> None:
    path = kept.parent / name
    write_owned(path.with_name("harmless"), b"")
    assert read_owned(path, LIMIT) is None


def test_nothing_is_written_where_others_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    write_owned(tmp_path / "entry", b"content")
    assert list(tmp_path.iterdir()) == []


def test_the_oldest_goes_first(tmp_path: Path) -> None:
    for number in range(4):
        write_owned(tmp_path / str(number), bytes(100))
        os.utime(tmp_path / str(number), (number, number))
    assert make_room(tmp_path, 2 * 132) == (2, 2 * 132)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2", "3"]
    assert make_room(tmp_path / "no such directory", 0) == (0, 0)
