"""Credential helpers: which programs run, and what they may do to us."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from wasmpack.errors import BadArtifact, WasmpackError
from wasmpack.stores.registry.credentials import (
    Credential,
    erase_credential,
    find_credential,
    save_credential,
)
from wasmpack.stores.registry.options import RegistryOptions

OPTIONS = RegistryOptions()


@pytest.fixture
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    (tmp_path / "docker").mkdir()
    return tmp_path / "docker" / "config.json"


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


UNHELPFUL = [
    ("sleep 30 & sleep 30", "did not answer within 0.5 s"),
    ("exec >&-; sleep 30", "did not answer within 0.5 s"),
    ("echo the key ring is locked; exit 3", "failed with exit code 3: the key ring is locked"),
    ("echo secret-word >&2; exit 3", "failed with exit code 3"),
    ("echo secret-word", "gave no usable answer"),
    ('echo \'{"Username":"u","Secret":1,"x":"secret-word"}\'', "gave no usable answer"),
    ("echo '[\"secret-word\"]'", "gave no usable answer"),
    ("while :; do echo '[[[[[[[['; done", "wrote more than 1048576 bytes"),
    ("yes '[' | head -c 100000 | tr -d '\\n'", "gave no usable answer"),
    ("printf '\\377'", "not UTF-8"),
    (None, "is not on the PATH"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("script", "said"), UNHELPFUL)
def test_helpers_that_do_not_help(
    script: str | None,
    said: str,
    docker_config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "within" in said:
        monkeypatch.setattr("wasmpack.stores.registry.helpers._TIMEOUT", 0.5)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    if script is not None:
        program(tmp_path / "docker-credential-odd", script)
    docker_config.write_text(json.dumps({"credHelpers": {"quay.io": "odd"}}))
    told: list[str] = []
    assert find_credential("quay.io", "me/x", OPTIONS, told.append) is None
    assert [said in text for text in told] == [True]
    assert "secret-word" not in told[0]


def test_helpers_are_asked(
    docker_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(
        tmp_path / "docker-credential-test",
        "read server\n"
        'case "$1 $server" in "get good") echo \'{"Username":"u","Secret":"s"}\';;\n'
        '"get token") echo \'{"Username":"<token>","Secret":"t"}\';;\n'
        '"get none") echo "credentials not found in native keychain"; exit 1;;\n'
        "*) exit 3;; esac",
    )
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    docker_config.write_text(json.dumps({"credsStore": "test"}))
    good, token = (find_credential(r, "x", OPTIONS) for r in ("good", "token"))
    assert good == Credential(username="u", secret="s")
    assert token is not None
    assert token.identity_token
    assert find_credential("none", "x", OPTIONS) is None
    told: list[str] = []
    assert find_credential("broken", "x", OPTIONS, told.append) is None
    assert "failed with exit code 3" in told[0]
    with pytest.raises(WasmpackError, match="failed with exit code 3"):
        save_credential("broken", Credential(username="u", secret="s"), OPTIONS)


def test_an_empty_name_means_no_helper_for_this_host(docker_config: Path) -> None:
    config = {"credsStore": "none-such", "credHelpers": {"quay.io": ""}}
    docker_config.write_text(json.dumps(config))
    assert find_credential("quay.io", "me/x", OPTIONS) is None


NAMES = [
    "x/evil",
    "/bin/evil",
    "../evil",
    "x evil",
    "x;evil",
    "x\0",
    "é",
    "a" * 200,
    5,
    ["x"],
    {"x": 1},
]
KEYS = {
    "credsStore": lambda name: {"credsStore": name},
    "credHelpers.quay.io": lambda name: {"credHelpers": {"quay.io": name}},
}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("name", NAMES, ids=lambda n: repr(n)[:20])
def test_a_name_is_never_a_path(
    key: str,
    name: object,
    docker_config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """``docker-credential-x/evil`` would be a file of the working directory."""
    monkeypatch.chdir(tmp_path)
    program(tmp_path / "docker-credential-x" / "evil", f"touch {tmp_path}/ran")
    docker_config.write_text(json.dumps(KEYS[key](name)))
    told: list[str] = []
    assert find_credential("quay.io", "me/x", OPTIONS, told.append) is None
    assert f"{docker_config}: {key}: " in told[0]
    for act in (
        lambda: save_credential("quay.io", Credential(username="u", secret="s"), OPTIONS),
        lambda: erase_credential("quay.io", OPTIONS),
    ):
        with pytest.raises(BadArtifact) as caught:
            act()
        assert f"{docker_config}: {key}: " in caught.value.message
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("entries", ["", ":", ".", "./bin", "bin:.", ":/nowhere:"])
def test_relative_entries_of_the_path_do_not_count(
    entries: str, docker_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for Docker: the working directory may be anybody's."""
    monkeypatch.chdir(tmp_path)
    for folder in (".", "bin"):
        program(tmp_path / folder / "docker-credential-odd", f"touch {tmp_path}/ran")
    monkeypatch.setenv("PATH", entries)
    docker_config.write_text(json.dumps({"credsStore": "odd"}))
    told: list[str] = []
    assert find_credential("quay.io", "me/x", OPTIONS, told.append) is None
    assert "is not on the PATH" in told[0]
    assert not (tmp_path / "ran").exists()


def test_a_helper_has_the_whole_environment(
    docker_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the user's own program: a key ring needs its session."""
    script = """echo "{\\"Username\\":\\"u\\",\\"Secret\\":\\"$AWS_PROFILE\\"}\""""
    program(tmp_path / "docker-credential-env", script)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    docker_config.write_text(json.dumps({"credsStore": "env"}))
    assert find_credential("quay.io", "x", OPTIONS) == Credential(username="u", secret="mine")
