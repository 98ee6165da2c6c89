"""The examples of the public API, against a registry and a store of their own."""

from __future__ import annotations

import doctest
import importlib
import inspect
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Cli
from support.plugins import PLUGINS
from support.registries import RunningRegistry, TokenRegistry
from urllib3.connection import HTTPConnection

import wasmpack

FUNCTIONS = {
    name: getattr(wasmpack, name)
    for name in wasmpack.__all__
    if inspect.isfunction(getattr(wasmpack, name))
}
PRELUDE = importlib.import_module("wasmpack.api").__doc__ or ""


@pytest.fixture
def run(open_registry: RunningRegistry, tmp_path: Path, request: pytest.FixtureRequest) -> Run:
    """Runs the examples of a text, below a path of the registry that nobody else uses."""
    (tmp_path / "filter.wasm").write_bytes((PLUGINS / "header-append-c.wasm").read_bytes())
    path = f"examples-{request.node.name.partition('[')[2].strip(']').replace('_', '-') or 'all'}"
    names: dict[str, object] = {}

    def run_text(text: str) -> int:
        text = text.replace("quay.io/me", f"quay.io/{path}").replace("quay.io", open_registry.host)
        parser, runner = doctest.DocTestParser(), doctest.DocTestRunner()
        examples = parser.get_doctest(text, names, path, None, None)
        runner.run(examples, clear_globs=False)
        names.update(examples.globs)
        assert runner.failures == 0
        return len(examples.examples)

    return run_text


Run = Callable[[str], int]


def test_the_introduction(run: Run) -> None:
    assert run(PRELUDE)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_example(name: str, run: Run) -> None:
    run(PRELUDE.partition("Where a ``session``")[0])
    assert run(inspect.getdoc(FUNCTIONS[name]) or ""), "no example"


def test_work_that_shares_a_session_shares_tokens(token_registry: TokenRegistry) -> None:
    tokens, host = token_registry.tokens, token_registry.registry.host
    pusher = tokens.pusher
    session = wasmpack.Session().with_login(host, pusher.name, pusher.password)
    image = wasmpack.build_image(wasmpack.PluginModule(b"\0asm\1\0\0\0"))
    names = [f"{host}/shared:v{number}" for number in range(5)]
    before = len(tokens.requests)
    for name in names:
        wasmpack.push(image, name, session, validate=False)
    images = [wasmpack.open_image(f"docker://{name}", session) for name in names]
    checks = wasmpack.Checks(targets=["ossm-3.0"], start_up=wasmpack.StartUp(dry_run=False))
    reports = list(wasmpack.validate_all(images, checks))
    assert [report.subject for report in reports] == names
    assert [request.user for request in tokens.requests[before:]] == ["pusher"] * 2, "push, pull"


def test_work_that_shares_a_session_shares_a_connection(
    open_registry: RunningRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[HTTPConnection] = []
    connect = HTTPConnection._new_conn

    def counted(self: HTTPConnection) -> socket.socket:
        made.append(self)
        return connect(self)

    monkeypatch.setattr(HTTPConnection, "_new_conn", counted)
    session = wasmpack.Session()
    for number in range(5):
        with pytest.raises(wasmpack.NotFound):
            wasmpack.list_tags(f"{open_registry.host}/nothing/here{number}", session)
    assert len(made) == 1


def test_credentials_that_come_later_are_found(htpasswd_registry: RunningRegistry) -> None:
    """A session that was refused looks for them again."""
    registry, session = htpasswd_registry, wasmpack.Session()
    image = wasmpack.build_image(wasmpack.PluginModule(b"\0asm\1\0\0\0"))
    name = f"{registry.host}/later:v1"
    with pytest.raises(wasmpack.AccessRefused):
        wasmpack.push(image, name, session, validate=False)
    wasmpack.login(registry.host, str(registry.username), str(registry.password), session)
    assert wasmpack.push(image, name, session, validate=False).digest == image.digest


def test_many_are_validated_in_their_order_and_as_they_come() -> None:
    taken: list[int] = []
    count = 20 * (os.cpu_count() or 1)

    def modules() -> Iterator[wasmpack.PluginModule]:
        for number in range(count):
            taken.append(number)
            yield wasmpack.PluginModule(b"\0asm\1\0\0\0", f"{number}.wasm")

    checks = wasmpack.Checks(start_up=wasmpack.StartUp(dry_run=False))
    reports = wasmpack.validate_all(modules(), checks)
    assert next(reports).subject == "0.wasm"
    assert len(taken) < count / 4, "not all at once"
    assert [report.subject for report in reports] == [f"{n}.wasm" for n in range(1, count)]


def test_a_report_prints_as_the_command_line_does(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "bad.wasm").write_bytes(b"\0asm\1\0\0\0")
    done = cli("validate", "module", "bad.wasm")
    assert f"{wasmpack.validate(wasmpack.read_module('bad.wasm'))}\n" == done.out
