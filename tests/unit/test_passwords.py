"""Passwords as PowerShell, editors and shells hand them over."""

from __future__ import annotations

import os

import pytest

from wasmpack.cli.passwords import password_from_environment, password_from_stdin
from wasmpack.errors import WrongUsage

GIVEN = {
    "plain": b"p\xc3\xa4ss",
    "a line end": "päss\n".encode(),
    "a line end of Windows": "päss\r\n".encode(),
    "a byte order mark": "\ufeffpäss\r\n".encode(),
    "UTF-16, little endian": b"\xff\xfe" + "päss\r\n".encode("utf-16-le"),
    "UTF-16, big endian": b"\xfe\xff" + "päss\n".encode("utf-16-be"),
}
REFUSED = {
    "Latin-1": "päss".encode("latin-1"),
    "half a character": b"\xff\xfep",
    "UTF-16 without a mark": "päss".encode("utf-16-le"),
    "UTF-32": "päss".encode("utf-32"),
}


def piped(data: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("wasmpack.files.inputs.read_standard_input", lambda _limit: data)
    return password_from_stdin()


@pytest.mark.parametrize("name", GIVEN)
def test_a_password_is_decoded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert piped(GIVEN[name], monkeypatch) == "päss"
    if b"\0" not in GIVEN[name]:  # which no variable can hold
        monkeypatch.setitem(os.environb, b"WASMPACK_PASSWORD", GIVEN[name])
        assert password_from_environment() == "päss"


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_text_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WrongUsage, match=r"is not UTF-8|contains NUL"):
        piped(REFUSED[name], monkeypatch)


def test_one_line_end_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    assert piped(b"p\n\n", monkeypatch) == "p\n"
    assert piped(b" p ", monkeypatch) == " p "
    with pytest.raises(WrongUsage, match="is empty"):
        piped(b"\r\n", monkeypatch)


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WASMPACK_PASSWORD", "")
    assert password_from_environment() is None
