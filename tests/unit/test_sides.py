"""``copy`` between two registries, each with its own TLS, login and patience."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import trustme
from conftest import Cli
from support.faults.raw import Pieces, RawServer, Script, answer
from support.faults.tidy import tidy
from support.images import image_of

from wasmpack.stores.registry.failures import Peer, unavailable
from wasmpack.stores.registry.options import RegistryOptions

IMAGE = image_of(1, 5000)
CHALLENGE = answer("401 Unauthorized", headers={"WWW-Authenticate": 'Basic realm="x"'})


def wanting_login(script: Script) -> Script:
    def wanting(request: str, headers: dict[str, str]) -> Pieces:
        known = any(key.lower() == "authorization" for key in headers)
        yield from script(request, headers) if known else iter([CHALLENGE])

    return wanting


@contextmanager
def registries(
    *, tls: ssl.SSLContext | None = None, login: bool = False
) -> Iterator[tuple[RawServer, RawServer]]:
    """One that has the image, and one that gets it."""
    scripts = tidy(IMAGE, {}), tidy(IMAGE, {}, empty=True)
    one, two = (wanting_login(script) if login else script for script in scripts)
    with RawServer(one, tls=tls) as source, RawServer(two) as target:
        yield source, target


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_an_authority_for_one_side(cli: Cli, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with registries(tls=context) as (source, target):
        ways = (f"docker://{source.host}/a/b:v1", f"{target.host}/a/b:v1", "--retries", "0")
        done = cli("copy", *ways, "--from-ca-file", "ca.pem")
        assert done.code == 0, done.err
        assert cli("copy", *ways, "--ca-file", "ca.pem").code == 6, "the plain one means both"
        assert cli("copy", *ways, "--to-ca-file", "ca.pem").code == 6


def test_a_hint_names_the_option_of_the_side(cli: Cli) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with registries(tls=context) as (tls, plain):
        ways = (f"docker://{tls.host}/a/b:v1", f"{plain.host}/a/b:v1", "--retries", "0")
        done = cli("copy", *ways)
        assert "hint: --from-ca-file FILE for a private authority; --from-insecure" in done.err
        done = cli("copy", *ways, "--from-insecure", "--to-insecure")
        assert "hint: --to-plain-http, if it speaks plain HTTP" in done.err, done.err
    error = requests.exceptions.SSLError("[SSL: WRONG_VERSION_NUMBER]")
    assert (
        unavailable(error, Peer(host="r.io", side="to-")).hint
        == "--to-plain-http, if that is meant"
    )


def test_a_hint_names_the_login_of_the_side(cli: Cli) -> None:
    with registries(login=True) as (source, target):
        ways = ("copy", f"docker://{source.host}/a/b:v1", f"{target.host}/a/b:v1")
        done = cli(*ways)
        assert done.code == 5
        login = f"wasmpack login {source.host}, or --from-username USER --from-password-stdin"
        assert f"hint: {login}" in done.err, done.err
        done = cli(*ways, "--from-username", "me", env={"WASMPACK_FROM_PASSWORD": "mine"})
        assert f"hint: wasmpack login {target.host}, or --to-username USER" in done.err, done.err


LOGINS = {
    "one each": (
        ["--from-username", "me", "--to-username", "you", "--to-password-stdin"],
        {"WASMPACK_FROM_PASSWORD": "mine"},
        (("me", "mine"), ("you", "typed")),
    ),
    "variables": (
        ["--from-username", "me", "--to-username", "you"],
        {"WASMPACK_FROM_PASSWORD": "mine", "WASMPACK_TO_PASSWORD": "yours"},
        (("me", "mine"), ("you", "yours")),
    ),
    "a common password": (
        ["--from-username", "me", "--to-username", "you"],
        {"WASMPACK_PASSWORD": "ours"},
        (("me", "ours"), ("you", "ours")),
    ),
    "a plain one is the destination's": (
        ["--from-username", "me", "--username", "you", "--password-stdin"],
        {"WASMPACK_FROM_PASSWORD": "mine"},
        (("me", "mine"), ("you", "typed")),
    ),
    "or the source's": (
        ["--username", "me", "--to-username", "you", "--password-stdin"],
        {"WASMPACK_TO_PASSWORD": "yours"},
        (("me", "typed"), ("you", "yours")),
    ),
}


@pytest.mark.parametrize(("options", "env", "expected"), LOGINS.values(), ids=LOGINS)
def test_a_login_for_each_side(
    options: list[str],
    env: dict[str, str],
    expected: tuple[tuple[str, str], tuple[str, str]],
    cli: Cli,
) -> None:
    with registries(login=True) as (source, target):
        ways = (f"docker://{source.host}/a/b:v1", f"{target.host}/a/b:v1")
        done = cli("copy", *ways, *options, env=env, stdin=b"typed\n")
        assert done.code == 0, done.err
        assert [source.authorizations, target.authorizations] == [{basic(*e)} for e in expected]


def test_another_option_of_a_side_leaves_the_login_where_it_is() -> None:
    both = RegistryOptions(username="me", password="secret")
    source, target = both.changed(timeout=3.0), both.changed()
    assert target.at("r.io").has_login
    assert not source.at("other.io").has_login
    assert source.shares_login_with(target)
    assert not both.changed(username="you").shares_login_with(both)


WRONG = {
    "two passwords": (
        [
            "--from-username",
            "a",
            "--from-password-stdin",
            "--to-username",
            "b",
            "--to-password-stdin",
        ],
        "--from-password-stdin and --to-password-stdin exclude each other",
    ),
    "no user": (["--from-password-stdin"], "--from-password-stdin needs --from-username"),
    "no password": (["--to-username", "a"], "--to-username needs a password"),
    "too long": (["--from-timeout", "1e9"], "--from-timeout 1000000000.0: expected seconds"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_wrong_usage(options: list[str], message: str, cli: Cli) -> None:
    done = cli("copy", "docker://r.io/x:v1", "r.io/y:v1", *options, stdin=b"x")
    assert (done.code, message in done.err) == (2, True), done.err
