"""Caches are believed only where nobody else could have written them, and only whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wasmpack.files.owned import make_room, read_owned, write_owned

LIMIT = 1000
NAME = "0123456789abcdef" * 4 + ".json"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "cache" / NAME
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


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, f"{NAME}/below"])
def test_odd_names_are_absent(name: str, kept: Path) -> None:
    path = kept.parent / name
    write_owned(path.with_name("harmless"), b"")
    assert read_owned(path, LIMIT) is None


def test_nothing_is_written_where_others_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    write_owned(tmp_path / NAME, b"content")
    assert list(tmp_path.iterdir()) == []


def numbered(directory: Path, number: int) -> Path:
    return directory / f"{number:064x}.json"


def test_the_oldest_goes_first(tmp_path: Path) -> None:
    for number in range(4):
        write_owned(numbered(tmp_path, number), bytes(100))
        os.utime(numbered(tmp_path, number), (number, number))
    assert make_room(tmp_path, 2 * 132) == (2, 2 * 132)
    assert set(tmp_path.iterdir()) == {numbered(tmp_path, 2), numbered(tmp_path, 3)}
    assert make_room(tmp_path / "no such directory", 0) == (0, 0)


LEFT = ".wasmpack-tmp-0123456789abcdef"


def test_what_a_killed_process_left_goes_after_an_hour(tmp_path: Path) -> None:
    (tmp_path / LEFT).write_bytes(b"half")
    assert make_room(tmp_path, LIMIT) == (0, 0)
    os.utime(tmp_path / LEFT, (1, 1))
    assert make_room(tmp_path, LIMIT) == (1, 4)


FOREIGN = ["letter.txt", "a.json", "0" * 63 + ".json", "0" * 64, NAME + ".bak", ".new-abc",
           ".wasmpack-tmp-notes"]  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_files_of_other_names_stay(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(bytes(10))
    os.utime(tmp_path / name, (1, 1))
    assert make_room(tmp_path, 0) == (0, 0)
    assert (tmp_path / name).exists()


@pytest.mark.parametrize("mode", [0o700, 0o777], ids=["its own", "others can write"])
def test_a_link_in_place_of_the_directory_leads_nowhere(mode: int, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    write_owned(tmp_path / "home" / NAME, b"precious")
    (tmp_path / "home").chmod(mode)
    link = tmp_path / "verdicts"
    link.symlink_to("home")
    assert read_owned(link / NAME, LIMIT) is None
    write_owned(link / f"{1:064x}.json", b"new")
    assert make_room(link, 0) == (0, 0)
    assert [path.name for path in (tmp_path / "home").iterdir()] == [NAME]


@pytest.mark.parametrize("change", ["directory others can write", "directory somebody else's"])
def test_nothing_is_removed_where_others_write(change: str, kept: Path) -> None:
    if "else's" in change and os.geteuid() != 0:
        pytest.skip("only root gives files away")
    NOT_BELIEVED[change](kept)
    assert make_room(kept.parent, 0) == (0, 0)
    assert kept.exists()
