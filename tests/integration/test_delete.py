"""Images deleted in their registry, and the repositories of a registry."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from conftest import Cli
from support.faults.raw import RawServer, Script, answer
from support.faults.tidy import MANIFESTS, tidy
from support.images import image_of, put_by_hand
from support.registries import RunningRegistry, TokenRegistry

IMAGE = image_of(1, 500)


def test_an_image_is_deleted_by_its_digest(open_registry: RunningRegistry, cli: Cli) -> None:
    put_by_hand(open_registry, "delete/a", IMAGE)
    name = f"{open_registry.host}/delete/a:v1"
    asked = cli("delete", name)
    assert asked.code == 2
    assert f"hint: wasmpack delete {name}@{IMAGE.manifest.digest} --yes" in asked.err
    assert cli("digest", name).code == 0
    done = cli("delete", name, "--yes")
    assert (done.code, done.out.strip()) == (0, f"{name}@{IMAGE.manifest.digest}"), done.err
    assert cli("digest", name).code == 4
    again = cli("delete", name, "--yes")
    assert (again.code, "no such image" in again.err) == (4, True)


def test_rights_to_delete_are_asked_for(token_registry: TokenRegistry, cli: Cli) -> None:
    registry = token_registry.registry
    login = ("-u", str(registry.username), "--password-stdin")
    name = f"{registry.host}/delete/token:v1"
    password = str(registry.password).encode()
    assert cli("delete", name, *login, "--yes", stdin=password).code == 4


def odd(method: str, status: str) -> Script:
    answers = iter([answer(status)])
    return tidy(IMAGE, {f"{method} {MANIFESTS}": lambda _request, _headers: answers})


@pytest.mark.parametrize("status", ["405 Method Not Allowed", "400 Bad Request", "501 No"])
def test_a_registry_that_deletes_nothing(status: str, cli: Cli) -> None:
    with RawServer(odd("DELETE", status)) as server:
        done = cli("delete", f"{server.host}/a/b:v1", "--yes")
    assert done.code == 6
    assert f"registry answered: {status[:3]}" in done.err
    assert "hint: this registry deletes nothing for clients" in done.err


def test_repositories_of_a_registry(open_registry: RunningRegistry, cli: Cli) -> None:
    for path in ("catalog/b", "catalog/a"):
        put_by_hand(open_registry, path, IMAGE)
    done = cli("tags", open_registry.host)
    assert done.code == 0, done.err
    found = done.out.split()
    assert found == sorted(found)
    assert {"catalog/a", "catalog/b"} <= set(found)
    value = json.loads(cli("tags", open_registry.host, "--format", "json").out)
    assert (value["registry"], value["repositories"]) == (open_registry.host, found)


def paged(request: str, _headers: dict[str, str]) -> Iterator[bytes]:
    if "last=b" in request:
        yield answer(body=b'{"repositories": ["c"]}')
    else:
        link = {"Link": '</v2/_catalog?last=b&n=2>; rel="next"'}
        yield answer(body=b'{"repositories": ["b", "a"]}', headers=link)


def test_the_pages_of_a_catalog(cli: Cli) -> None:
    with RawServer(paged) as server:
        assert cli("tags", f"{server.host}/").out.split() == ["a", "b", "c"]


def test_a_registry_without_a_catalog(cli: Cli) -> None:
    with RawServer(lambda _request, _headers: iter([answer("404 Not Found")])) as server:
        done = cli("tags", server.host)
    assert (done.code, "this registry lists none" in done.err) == (4, True), done.err
