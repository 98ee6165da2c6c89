"""The Envoy that the user names: a program that is there, or an error that says what is wrong."""

from pathlib import Path

import pytest

from wasmpack.envoy import find_envoy
from wasmpack.errors import NotFound, WrongUsage


@pytest.mark.parametrize("by_variable", [False, True])
def test_it_must_be_a_program(
    by_variable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "envoy"
    if by_variable:
        monkeypatch.setenv("WASMPACK_ENVOY_PATH", str(file))
    named = None if by_variable else file
    with pytest.raises(NotFound, match="envoy: no such file"):
        find_envoy(named)
    file.write_text("#!/bin/sh\n")
    with pytest.raises(WrongUsage, match="envoy: not a program") as wrong:
        find_envoy(named)
    assert wrong.value.hint == f"chmod +x {file}"
    file.chmod(0o700)
    assert find_envoy(named) == file


def test_a_home_directory_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / "envoy"
    file.touch(0o700)
    assert find_envoy(Path("~/envoy")) == file


def test_a_relative_name_means_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Envoy is started in another directory, and a bare name would be looked for in the PATH."""
    monkeypatch.chdir(tmp_path)
    Path("envoy").touch(0o700)
    assert find_envoy(Path("envoy")) == tmp_path / "envoy"
    monkeypatch.setenv("WASMPACK_ENVOY_PATH", "./envoy")
    assert find_envoy() == tmp_path / "envoy"
