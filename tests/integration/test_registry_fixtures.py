"""The registries of the fixtures behave like real ones, in a container and as a process."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import requests
from support.registries import (
    Backend,
    Kind,
    RegistryUnavailable,
    RunningRegistry,
    TokenRegistry,
    start_registry,
    start_token_registry,
)
from support.registries.client import (
    EMPTY_BLOB,
    TIMEOUT,
    ask_token,
    call,
    call_with_token,
    push_blob,
)
from support.registries.fixtures import skip_without_registry


@pytest.fixture(scope="module", params=get_args(Backend))
def backend(request: pytest.FixtureRequest) -> Backend:
    backend: Backend = request.param
    return backend


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registries")


@pytest.fixture(scope="module")
def open_one(folder: Path, backend: Backend) -> Iterator[RunningRegistry]:
    with skip_without_registry(), start_registry("open", folder, backend=backend) as registry:
        yield registry


@pytest.fixture(scope="module")
def htpasswd_one(folder: Path, backend: Backend) -> Iterator[RunningRegistry]:
    with skip_without_registry(), start_registry("htpasswd", folder, backend=backend) as registry:
        yield registry


@pytest.fixture(scope="module")
def token_pair(folder: Path, backend: Backend) -> Iterator[TokenRegistry]:
    with skip_without_registry(), start_token_registry(folder, backend=backend) as pair:
        yield pair


@pytest.fixture
def token_one(token_pair: TokenRegistry) -> TokenRegistry:
    """The token registry with a server that has its first settings and no memory."""
    tokens = token_pair.tokens
    tokens.expires_in, tokens.strict = 300, True
    tokens.clear_requests()
    return token_pair


def test_open_answers(open_one: RunningRegistry, backend: Backend) -> None:
    response = call("GET", open_one, "")
    assert response.status_code == 200
    assert response.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert (open_one.kind, open_one.backend, open_one.username) == ("open", backend, None)


def test_open_keeps_and_deletes_a_blob(open_one: RunningRegistry) -> None:
    assert push_blob(open_one, "kept/plugin").status_code == 201
    path = f"kept/plugin/blobs/{EMPTY_BLOB}"
    assert call("HEAD", open_one, path).status_code == 200
    assert call("DELETE", open_one, path).status_code == 202
    assert call("HEAD", open_one, path).status_code == 404


def test_log_shows_the_requests(open_one: RunningRegistry) -> None:
    call("GET", open_one, "logged/plugin/tags/list")
    deadline = time.monotonic() + 10  # the engine hands lines over a moment after the answer
    while "GET /v2/logged/plugin/tags/list" not in open_one.log():
        assert time.monotonic() < deadline, open_one.log()
        time.sleep(0.1)


def test_htpasswd_challenges(htpasswd_one: RunningRegistry) -> None:
    response = call("GET", htpasswd_one, "")
    assert response.status_code == 401
    assert response.headers["Www-Authenticate"] == 'Basic realm="wasmpack-test"'


def test_htpasswd_takes_the_right_password(htpasswd_one: RunningRegistry) -> None:
    auth = (htpasswd_one.username, htpasswd_one.password)
    assert call("GET", htpasswd_one, "", auth=auth).status_code == 200
    assert push_blob(htpasswd_one, "basic/plugin", auth=auth).status_code == 201


@pytest.mark.parametrize("user", ["user", "nobody"])
def test_htpasswd_refuses_a_wrong_login(htpasswd_one: RunningRegistry, user: str) -> None:
    assert call("GET", htpasswd_one, "", auth=(user, "wrong")).status_code == 401


def test_token_challenges_with_realm_and_scope(token_one: TokenRegistry) -> None:
    tokens = token_one.tokens
    base = f'Bearer realm="{tokens.realm}",service="{tokens.service}"'
    ping = call("GET", token_one.registry, "")
    assert (ping.status_code, ping.headers["Www-Authenticate"]) == (401, base)
    upload = call("POST", token_one.registry, "team/plugin/blobs/uploads/")
    assert upload.status_code == 401
    # The registry keeps the actions in a Go map: their order changes from one answer to the next.
    challenges = [
        f'{base},scope="repository:team/plugin:{order}"' for order in ("pull,push", "push,pull")
    ]
    assert upload.headers["Www-Authenticate"] in challenges


def test_token_to_pull_and_push_pushes(token_one: TokenRegistry) -> None:
    path = "team/plugin/blobs/uploads/"
    response = call_with_token(token_one, "POST", path, "repository:team/plugin:pull,push")
    assert response.status_code == 202


@pytest.mark.parametrize(
    ("scope", "user"),
    [
        pytest.param("repository:team/plugin:pull", "pusher", id="asked-for-pull-only"),
        pytest.param("repository:team/plugin:pull,push", "puller", id="may-pull-only"),
        pytest.param("repository:team/other:pull,push", "pusher", id="another-repository"),
        pytest.param("repository:team/plugin:pull,push", None, id="anonymous"),
        pytest.param("repository:public/plugin:pull,push", None, id="anonymous-public"),
    ],
)
def test_token_without_push_cannot_push(
    token_one: TokenRegistry, scope: str, user: str | None
) -> None:
    repository = "public/plugin" if "public/" in scope else "team/plugin"
    response = call_with_token(token_one, "POST", f"{repository}/blobs/uploads/", scope, user)
    assert response.status_code == 401
    assert 'error="insufficient_scope"' in response.headers["Www-Authenticate"]


def test_lenient_server_grants_more_than_asked(token_one: TokenRegistry) -> None:
    token_one.tokens.strict = False
    path = "team/plugin/blobs/uploads/"
    response = call_with_token(token_one, "POST", path, "repository:team/plugin:pull")
    assert response.status_code == 202


@pytest.mark.parametrize(("repository", "status"), [("public/plugin", 404), ("team/plugin", 401)])
def test_anonymous_reads_public_only(
    token_one: TokenRegistry, repository: str, status: int
) -> None:
    scope = f"repository:{repository}:pull"
    response = call_with_token(token_one, "HEAD", f"{repository}/manifests/none", scope, None)
    assert response.status_code == status


def test_expired_token_is_refused(token_one: TokenRegistry) -> None:
    token_one.tokens.expires_in = -3600
    response = call_with_token(token_one, "GET", "", "repository:team/plugin:pull")
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["Www-Authenticate"]


def test_token_server_refuses_a_wrong_password(token_one: TokenRegistry) -> None:
    tokens = token_one.tokens
    response = requests.get(
        tokens.realm,
        params={"service": tokens.service},
        auth=("pusher", "wrong"),
        timeout=TIMEOUT,
    )
    assert response.status_code == 401
    assert [(request.user, request.status) for request in tokens.requests] == [("pusher", 401)]


def test_token_server_takes_and_records_many_scopes(token_one: TokenRegistry) -> None:
    first, second, third = (f"repository:{name}:pull" for name in ("a", "host:5000/b", "c"))
    document = ask_token(token_one, [f"{first} {second}", third], "puller").json()
    assert document["scope"] == f"{first} {second} {third}"
    assert document["expires_in"] == 300
    (request,) = token_one.tokens.requests
    assert (request.method, request.path, request.user) == ("GET", "/token", "puller")
    assert request.scopes == (first, second, third)


def test_oauth2_password_then_refresh_token(token_one: TokenRegistry) -> None:
    tokens = token_one.tokens
    scope = "repository:team/plugin:pull,push"
    common = {"service": tokens.service, "client_id": "tests", "scope": scope}
    password = {"grant_type": "password", "access_type": "offline"} | {
        "username": tokens.pusher.name,
        "password": tokens.pusher.password,
    }
    first = requests.post(tokens.realm, data=common | password, timeout=TIMEOUT).json()
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = requests.post(tokens.realm, data=common | refresh, timeout=TIMEOUT).json()
    headers = {"Authorization": f"Bearer {second['access_token']}"}
    response = call("POST", token_one.registry, "team/plugin/blobs/uploads/", headers=headers)
    assert response.status_code == 202


@pytest.mark.parametrize("kind", get_args(Kind))
def test_session_fixture_answers(kind: Kind, request: pytest.FixtureRequest) -> None:
    given = request.getfixturevalue(f"{kind}_registry")
    registry = given.registry if isinstance(given, TokenRegistry) else given
    assert registry.kind == kind
    assert call("GET", registry, "").status_code == (200 if kind == "open" else 401)


def test_without_an_engine_it_is_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with skip_without_registry(), start_registry("open", tmp_path) as registry:
        assert registry.backend == "process"
        assert call("GET", registry, "").status_code == 200


def test_without_engine_and_binary_it_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RegistryUnavailable, match=r"no Docker engine answers.*PATH") as error:
        start_registry("open", tmp_path).__enter__()
    assert "\n" not in str(error.value)
