"""Challenges, credentials, loopback rules: what is decided before a registry is asked."""

import base64
import json
import stat
from dataclasses import replace
from pathlib import Path

import oras.provider
import pytest
import requests
import urllib3

from wasmpack.errors import AccessRefused, RegistryUnavailable
from wasmpack.oci.place import NamePlace
from wasmpack.oci.reference import Reference
from wasmpack.stores.registry.address import Address
from wasmpack.stores.registry.challenge import authorization, parse_challenges
from wasmpack.stores.registry.credentials import (
    Credential,
    erase_credential,
    find_credential,
    save_credential,
)
from wasmpack.stores.registry.exchange import Exchange, Request
from wasmpack.stores.registry.failures import Peer, unavailable
from wasmpack.stores.registry.options import RegistryOptions, _Owner, is_loopback
from wasmpack.stores.registry.transport import Transport
from wasmpack.stores.session import Session

pytestmark = pytest.mark.dependencies

CREDENTIAL = Credential(username="me", secret="pa:ss")
OPTIONS = RegistryOptions()


def basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_challenges() -> None:
    header = (
        'Bearer realm="https://auth.example/token",service="reg, one",'
        'scope="repository:a/b:pull,push", Basic realm="Registry Realm"'
    )
    bearer, plain = parse_challenges(header)
    assert (bearer.scheme, bearer.realm) == ("bearer", "https://auth.example/token")
    assert (bearer.service, bearer.scope) == ("reg, one", "repository:a/b:pull,push")
    assert (plain.scheme, plain.realm) == ("basic", "Registry Realm")
    assert parse_challenges("") == []


def test_basic_challenge_takes_no_realm_for_an_address() -> None:
    found = authorization('Basic realm="Registry Realm"', CREDENTIAL, [], never)
    assert found == f"Basic {basic('me:pa:ss')}"
    with pytest.raises(AccessRefused):
        authorization('Basic realm="x"', None, [], never)
    with pytest.raises(AccessRefused, match="no way to log in"):
        authorization("", CREDENTIAL, [], never)


def never(*_: object) -> tuple[int, object]:
    raise AssertionError("no token server should be asked")


def test_token_is_asked_with_the_scope_needed() -> None:
    asked = []

    def ask(method: str, url: str, fields: object, headers: object) -> tuple[int, object]:
        asked.append((method, url, fields, headers))
        return 200, {"token": "T"}

    header = 'Bearer realm="https://a/t",service="s",scope="repository:x:pull"'
    assert authorization(header, CREDENTIAL, ["repository:x:pull,push"], ask) == "Bearer T"
    assert asked == [
        (
            "GET",
            "https://a/t",
            {"service": "s", "scope": ["repository:x:pull,push"]},
            {"Authorization": f"Basic {basic('me:pa:ss')}"},
        )
    ]


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        (401, {}, AccessRefused),
        (500, {}, RegistryUnavailable),
        (200, {}, RegistryUnavailable),
        (200, [], RegistryUnavailable),
        (200, {"token": 3}, RegistryUnavailable),
        (200, {"token": "a\r\nb"}, RegistryUnavailable),
        (200, {"token": "ü"}, RegistryUnavailable),
    ],
)
def test_token_servers_that_do_not_help(
    status: int, answer: object, error: type[Exception]
) -> None:
    with pytest.raises(error):
        authorization('Bearer realm="https://a/t"', None, ["s"], lambda *_: (status, answer))


def test_realm_must_be_an_address() -> None:
    with pytest.raises(RegistryUnavailable, match="no usable token server"):
        authorization('Bearer realm="file:///etc/passwd"', None, ["s"], never)


def test_identity_token_is_exchanged() -> None:
    def ask(method: str, _url: str, fields: object, headers: object) -> tuple[int, object]:
        assert method == "POST"
        assert isinstance(fields, dict)
        assert fields["grant_type"] == "refresh_token"
        assert fields["refresh_token"] == "R"
        assert headers == {}
        return 200, {"access_token": "A"}

    credential = Credential(username="<token>", secret="R", identity_token=True)
    assert authorization('Bearer realm="https://a/t"', credential, ["s"], ask) == "Bearer A"


@pytest.mark.parametrize("status", [401, 404, 405])
def test_a_server_that_exchanges_no_identity_token_by_post(status: int) -> None:
    asked: list[tuple[str, object]] = []

    def ask(method: str, _url: str, _fields: object, headers: object) -> tuple[int, object]:
        asked.append((method, headers))
        return (status, None) if method == "POST" else (200, {"token": "T"})

    credential = Credential(username="<token>", secret="R", identity_token=True)
    assert authorization('Bearer realm="https://a/t"', credential, ["s"], ask) == "Bearer T"
    assert asked == [("POST", {}), ("GET", {"Authorization": f"Basic {basic('<token>:R')}"})]


OURS = "repository:x:pull,push"
SCOPES = {
    "the same": ("repository:x:pull", [OURS]),
    "another repository": ("repository:y:pull", [OURS, "repository:y:pull"]),
    "another right": ("repository:x:delete", [OURS, "repository:x:delete"]),
    "several": ("repository:x:push registry:catalog:*", [OURS, "registry:catalog:*"]),
    "none": ("", [OURS]),
}


@pytest.mark.parametrize(("named", "expected"), SCOPES.values(), ids=SCOPES)
def test_the_scope_of_a_challenge_is_asked_for_next_to_ours(
    named: str, expected: list[str]
) -> None:
    asked: list[object] = []

    def ask(_method: str, _url: str, fields: object, _headers: object) -> tuple[int, object]:
        assert isinstance(fields, dict)
        asked.append(fields["scope"])
        return 200, {"token": "T"}

    authorization(f'Bearer realm="https://a/t",scope="{named}"', None, [OURS], ask)
    assert asked == [expected]


@pytest.fixture
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    (tmp_path / "docker").mkdir()
    return tmp_path / "docker" / "config.json"


def entry(user: str) -> dict[str, str]:
    return {"auth": basic(f"{user}:secret")}


@pytest.mark.parametrize(
    ("registry", "repository", "user"),
    [
        ("quay.io", "me/a", "host"),
        ("quay.io", "me/special", "exact"),
        ("quay.io", "team/x", "namespace"),
        ("old.example", "x", "url"),
        ("docker.io", "library/x", "hub"),
        ("none.example", "x", None),
    ],
)
def test_most_specific_entry_wins(
    docker_config: Path, registry: str, repository: str, user: str | None
) -> None:
    auths = {
        "quay.io": entry("host"),
        "quay.io/me/special": entry("exact"),
        "quay.io/team": entry("namespace"),
        "https://old.example/v1/": entry("url"),
        "https://index.docker.io/v1/": entry("hub"),
    }
    docker_config.write_text(json.dumps({"auths": auths}))
    found = find_credential(registry, repository, OPTIONS)
    assert (found.username if found else None) == user


def test_files_in_their_order(
    docker_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    podman = tmp_path / "auth.json"
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(podman))
    docker_config.write_text(json.dumps({"auths": {"r": entry("docker"), "d": entry("docker")}}))
    podman.write_text(json.dumps({"auths": {"r": entry("podman")}}))
    users = [find_credential(registry, "x", OPTIONS) for registry in ("r", "d")]
    assert [u.username for u in users if u] == ["podman", "docker"]
    given = RegistryOptions(username="flag", password="p")
    found = find_credential("r", "x", given)
    assert found is not None
    assert found.username == "flag"


def test_login_keeps_what_else_is_there(docker_config: Path) -> None:
    docker_config.write_text(json.dumps({"auths": {"a": entry("a")}, "psFormat": "x"}))
    where = save_credential("quay.io", CREDENTIAL, OPTIONS)
    assert where == str(docker_config)
    assert stat.S_IMODE(docker_config.stat().st_mode) == 0o600
    value = json.loads(docker_config.read_text())
    assert value["psFormat"] == "x"
    assert find_credential("quay.io", "any", OPTIONS) == CREDENTIAL
    assert erase_credential("quay.io", OPTIONS)
    assert not erase_credential("quay.io", OPTIONS)
    assert find_credential("a", "x", OPTIONS) is not None


def test_secrets_stay_out_of_repr() -> None:
    assert "pa:ss" not in repr(CREDENTIAL)
    assert "secret" not in repr(RegistryOptions(username="u", password="secret"))


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True), ("localhost:5000", True), ("127.0.0.1:1", True), ("127.9.9.9", True),
        ("[::1]:5000", True), ("a.localhost:80", True), ("localhost.evil.com", False),
        ("10.0.0.1:5000", False), ("quay.io", False), ("[2001:db8::1]:5000", False),
    ],
)  # fmt: skip
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
    assert OPTIONS.uses_http(host) is loopback


def test_tls_options_mean_tls_on_loopback_too() -> None:
    assert not RegistryOptions(insecure=True).uses_http("localhost:5000")
    assert not RegistryOptions(ca_file="x").uses_http("localhost:5000")
    assert RegistryOptions(plain_http=True).uses_http("quay.io")


def _all(base: type[Exception]) -> list[type[Exception]]:
    found = [base]
    for sub in base.__subclasses__():
        found += _all(sub)
    return found


@pytest.mark.parametrize(
    "kind", _all(requests.exceptions.RequestException), ids=lambda k: k.__name__
)
def test_every_exception_of_the_transport_has_words(kind: type[Exception]) -> None:
    try:
        error = kind("went wrong")
    except TypeError:
        error = kind("went wrong", "", 0)
    found = unavailable(error, Peer(host="r.example"))
    assert isinstance(found, RegistryUnavailable)
    assert "r.example" in found.message


@pytest.mark.parametrize(
    ("noun", "way"), [("registry", "--plain-http"), ("server", "http:// in the URL")]
)
def test_a_server_that_ends_the_handshake_may_have_no_tls(noun: str, way: str) -> None:
    said = "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol (_ssl.c:1)"
    found = unavailable(requests.exceptions.SSLError(said), Peer(host="r.io:80", noun=noun))
    assert found.message == f"{noun} r.io:80: TLS: EOF occurred in violation of protocol"
    assert found.hint == f"{way}, if it speaks plain HTTP"


def test_transport_is_oras() -> None:
    from wasmpack.oci.reference import Reference
    from wasmpack.stores.registry.transport import Transport

    transport = Transport(Reference.parse("localhost:5000/x"), OPTIONS, "pull")
    assert isinstance(transport, oras.provider.Registry)
    assert transport.session.trust_env is False, "no .netrc"
    assert urllib3.__name__
    transport.session.close()


LOGIN = RegistryOptions(username="u", password="secret", cert_file="c.pem", key_file="k.pem")


def login_of(options: RegistryOptions) -> tuple[str | None, ...]:
    return options.username, options.password, options.cert_file, options.key_file


GIVEN, NONE = login_of(LOGIN), (None,) * 4


def test_a_login_is_for_the_first_registry_that_gets_it() -> None:
    options = replace(LOGIN, _owner=_Owner())
    assert login_of(options.at("quay.io")) == GIVEN
    assert login_of(options.at("QUAY.io")) == GIVEN
    assert login_of(options.at("ghcr.io")) == NONE
    assert login_of(replace(options, timeout=1.0).at("ghcr.io")) == NONE, "a copy is no other login"


def test_of_a_copy_the_destination_has_the_login() -> None:
    session = Session(registry=replace(LOGIN, _owner=_Owner()))
    places = [NamePlace(Reference.parse(name)) for name in ("quay.io/a/b", "ghcr.io/a/b")]
    assert login_of(session.reading(*places).registry.at("quay.io")) == NONE
    assert login_of(session.writing.at("ghcr.io")) == GIVEN


def test_a_transport_has_the_login_of_its_own_registry_only() -> None:
    options = RegistryOptions(username="u", password="secret")
    first = Transport(Reference.parse("quay.io/a/b"), options, "pull")
    second = Transport(Reference.parse("ghcr.io/a/b"), options, "pull")
    assert first.options.username == "u"
    assert login_of(second.options) == NONE


def test_another_login_is_for_the_registry_that_it_is_given_for() -> None:
    options = replace(LOGIN, _owner=_Owner()).at("quay.io").with_login("ghcr.io", "me", "pw")
    assert login_of(options.at("ghcr.io")) == ("me", "pw", None, None)
    assert login_of(options.at("quay.io")) == NONE


@pytest.mark.parametrize(("hurry", "seconds"), [(True, 3.0), (False, 90.0)])
def test_a_question_that_the_work_does_not_hang_on_has_three_seconds_in_all(
    hurry: bool, seconds: float
) -> None:
    base = Address.parse("https://quay.io/")
    request = Request(method="GET", address=base, headers={}, hurry=hurry)
    assert Exchange("quay.io", base, OPTIONS).deadline(request).seconds == seconds
