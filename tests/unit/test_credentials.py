"""Credentials files of any shape: read as Docker reads them, or refused with file and key."""

from __future__ import annotations

import base64
import errno
import json
import os
from pathlib import Path
from typing import BinaryIO

import pytest

from wasmpack.errors import BadArtifact, NotFound, WasmpackError, WrongUsage
from wasmpack.stores.registry import auth_files as module
from wasmpack.stores.registry import credentials as module_of_credentials
from wasmpack.stores.registry.challenge import authorization
from wasmpack.stores.registry.credentials import Credential, find_credential
from wasmpack.stores.registry.options import RegistryOptions

OPTIONS = RegistryOptions()
ME = Credential(username="me", secret="pw:1")
ENCODED = base64.b64encode(b"me:pw:1").decode()


@pytest.fixture
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    (tmp_path / "docker").mkdir()
    return tmp_path / "docker" / "config.json"


def auths(entry: object, key: str = "quay.io") -> dict[str, object]:
    return {"auths": {key: entry}}


@pytest.mark.parametrize(
    "config",
    [
        {}, {"auths": None}, {"auths": {}}, auths({}), auths(None), {"credHelpers": None},
        {"credsStore": ""}, {"auths": []}, auths({"auth": ""}), auths({"email": "x"}),
        auths({"auth": 5}, "other.example"), auths({"username": "me"}),
    ],
    ids=str,
)  # fmt: skip
def test_nothing_of_use(config: object, docker_config: Path) -> None:
    docker_config.write_text(json.dumps(config))
    assert find_credential("quay.io", "me/x", OPTIONS) is None


def test_an_empty_file(docker_config: Path) -> None:
    docker_config.write_text("\n")
    assert find_credential("quay.io", "me/x", OPTIONS) is None


BROKEN: dict[str, tuple[object, str]] = {
    "auths a list": ({"auths": ["quay.io"]}, "auths: expected an object"),
    "auths a string": ({"auths": "quay.io"}, "auths: expected an object"),
    "credHelpers a list": ({"credHelpers": ["x"]}, "credHelpers: expected an object"),
    "an entry of text": (auths("bWU6"), "auths.quay.io: expected an object"),
    "an entry of numbers": (auths([1]), "auths.quay.io: expected an object"),
    "auth a number": (auths({"auth": 5}), "auths.quay.io.auth: expected a string"),
    "a token of another kind": (auths({"identitytoken": {"a": 1}}), "identitytoken: expected a"),
    "a user of another kind": (auths({"username": 5, "password": "x"}), "username: expected a"),
    "not base64": (auths({"auth": "***"}), "expected USER:PASSWORD in base64"),
    "not ASCII": (auths({"auth": "m\u00e9"}), "expected USER:PASSWORD in base64"),
    "not UTF-8": (auths({"auth": "//8="}), "expected USER:PASSWORD in base64"),
    "no colon": (auths({"auth": "bWU="}), "expected USER:PASSWORD in base64"),
    "no padding": (auths({"auth": "bWU6eA"}), "expected USER:PASSWORD in base64"),
}


def left_out(file: Path) -> str:
    """The warning of a file that is left out, which is an error where it was named."""
    notices: list[str] = []
    assert find_credential("quay.io", "me/x", OPTIONS, notices.append) is None
    with pytest.raises(BadArtifact) as caught:
        find_credential("quay.io", "me/x", RegistryOptions(registry_config=str(file)))
    assert notices == [f"warning: {caught.value.message}; going on without it"]
    assert str(file) in notices[0]
    return notices[0]


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_named_and_where(name: str, docker_config: Path) -> None:
    config, said = BROKEN[name]
    docker_config.write_text(json.dumps(config))
    assert said in left_out(docker_config)


@pytest.mark.parametrize(
    "raw",
    [b"[]", b"5", b"null", b"{", b"\xff\xfe", b"\0", b'{"auths":' + b"[" * 100_000,
     b'{"auths":%s}' % (b"9" * 5000), b'{"a":1,"a":2}', b'{"a":"\\ud800"}', b'{"a":NaN}'],
    ids=lambda raw: repr(raw)[:20],
)  # fmt: skip
def test_what_is_not_a_configuration(raw: bytes, docker_config: Path) -> None:
    docker_config.write_bytes(raw)
    left_out(docker_config)


def test_a_file_is_read_up_to_a_bound(docker_config: Path) -> None:
    with docker_config.open("wb") as file:
        file.truncate(100 << 20)
    assert "more than 4194304 bytes: not a credentials file" in left_out(docker_config)


@pytest.mark.parametrize(
    "entry", [{"auth": ENCODED}, {"username": "me", "password": "pw:1"},
              {"username": "me", "password": "pw:1", "auth": ""}],
)  # fmt: skip
def test_logins(entry: object, docker_config: Path) -> None:
    docker_config.write_text(json.dumps(auths(entry)))
    assert find_credential("quay.io", "me/x", OPTIONS) == ME


@pytest.mark.parametrize("scheme", ["", "http://", "https://"])
@pytest.mark.parametrize("tail", ["", "/", "/v1", "/v1/", "/v2", "/v2/"])
def test_keys_as_docker_wrote_them(scheme: str, tail: str, docker_config: Path) -> None:
    docker_config.write_text(json.dumps(auths({"auth": ENCODED}, f"{scheme}quay.io{tail}")))
    assert find_credential("quay.io", "me/x", OPTIONS) == ME


@pytest.fixture
def denied(docker_config: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that we may not open, for root as well."""
    docker_config.write_text("{}")
    opened = module.open_regular

    def refuse(path: Path) -> BinaryIO:
        if path == docker_config:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path)

    monkeypatch.setattr(module, "open_regular", refuse)
    return docker_config


def test_a_file_that_nobody_named_and_we_may_not_read_is_left_out(
    denied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of root, whose environment a container or ``su`` has kept."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    other = tmp_path / "containers" / "auth.json"
    other.parent.mkdir()
    other.write_text(json.dumps(auths({"auth": ENCODED})))
    heard: list[str] = []
    assert find_credential("quay.io", "me/x", RegistryOptions(), heard.append) == ME
    assert heard == [f"{denied}: Permission denied; going on without it"]


def test_a_folder_is_left_out(docker_config: Path) -> None:
    docker_config.mkdir()
    heard: list[str] = []
    assert find_credential("quay.io", "me/x", RegistryOptions(), heard.append) is None
    assert heard == [f"{docker_config}: Is a directory; going on without it"]


def test_a_file_that_was_named_has_to_be_read(denied: Path, tmp_path: Path) -> None:
    for path, error, said in (
        (denied, WasmpackError, "Permission denied"),
        (tmp_path, WasmpackError, "Is a directory"),
        (tmp_path / "none", NotFound, "no such file"),
        (denied / "below", WrongUsage, "Not a directory"),
        (Path("/dev/null"), NotFound, "no such file"),
        (Path("a\0b"), WrongUsage, "invalid file name"),
    ):
        with pytest.raises(error, match=said):
            find_credential("quay.io", "x", RegistryOptions(registry_config=str(path)))


def test_a_pipe_is_as_if_absent(docker_config: Path) -> None:
    os.mkfifo(docker_config)
    assert find_credential("quay.io", "me/x", OPTIONS) is None


URLS = ["https://quay.io/path/", "http://quay.io/v1/x", "HTTPS://Quay.io", "https://quay.io/a/b/c"]


@pytest.mark.parametrize("key", URLS)
def test_a_url_counts_for_its_host_whatever_its_path(key: str, docker_config: Path) -> None:
    docker_config.write_text(json.dumps(auths({"auth": ENCODED}, key)))
    assert find_credential("quay.io", "me/x", OPTIONS) == ME
    assert find_credential("quay.io:443", "me/x", OPTIONS) is None
    assert find_credential("uay.io", "me/x", OPTIONS) is None
    assert module_of_credentials.erase_credential("quay.io", OPTIONS)
    assert find_credential("quay.io", "me/x", OPTIONS) is None


@pytest.mark.parametrize("key", ["https://index.docker.io/v1", "https://docker.io/x", "docker.io"])
def test_docker_hub_has_several_names(key: str, docker_config: Path) -> None:
    docker_config.write_text(json.dumps(auths({"auth": ENCODED}, key)))
    assert find_credential("docker.io", "me/x", OPTIONS) == ME


def test_a_path_without_a_scheme_is_podmans(docker_config: Path) -> None:
    docker_config.write_text(json.dumps(auths({"auth": ENCODED}, "quay.io/me")))
    assert find_credential("quay.io", "me/x", OPTIONS) == ME
    assert find_credential("quay.io", "other/x", OPTIONS) is None


def test_a_registry_token_is_sent_as_it_is(docker_config: Path) -> None:
    docker_config.write_text(json.dumps(auths({"registrytoken": "T"})))
    found = find_credential("quay.io", "me/x", OPTIONS)
    challenge = 'Bearer realm="https://quay.io/token"'
    assert authorization(challenge, found, ["repository:me/x:pull"], pytest.fail) == "Bearer T"


def test_podmans_file_of_a_user_without_a_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_RUN", tmp_path / "run" / "containers")
    path = tmp_path / "run" / "containers" / str(os.getuid()) / "auth.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(auths({"auth": ENCODED})))
    assert find_credential("quay.io", "me/x", OPTIONS) is None, "a session has its own"
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert find_credential("quay.io", "me/x", OPTIONS) == ME


def test_the_variable_comes_before_the_files(
    docker_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker_config.write_text(json.dumps(auths({"username": "other", "password": "x"})))
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps(auths({"auth": ENCODED})))
    assert find_credential("quay.io", "me/x", OPTIONS) == ME
    told: list[str] = []
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", '{"auths": secret')
    found = find_credential("quay.io", "me/x", OPTIONS, told.append)
    assert found == Credential(username="other", secret="x")
    assert "DOCKER_AUTH_CONFIG" in told[0]
    assert "secret" not in told[0]


def test_the_file_of_old_dockers(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".dockercfg").write_text(json.dumps({"https://quay.io/v1/": {"auth": ENCODED}}))
    assert find_credential("quay.io", "me/x", OPTIONS) == ME


@pytest.mark.parametrize(
    ("variable", "place", "said"),
    [
        ("REGISTRY_AUTH_FILE", "absent.json", "absent.json: No such file or directory"),
        ("DOCKER_CONFIG", "absent", "config.json: No such file or directory"),
        ("DOCKER_CONFIG", "", ""),
        ("REGISTRY_AUTH_FILE", "/dev/null", ""),
    ],
    ids=["a file", "a directory", "a directory without a configuration", "a device"],
)
def test_what_a_variable_names_is_missed(
    variable: str, place: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv(variable, str(tmp_path / place))
    notices: list[str] = []
    assert find_credential("quay.io", "me/x", OPTIONS, notices.append) is None
    assert len(notices) == bool(said), notices
    assert said in "".join(notices)
