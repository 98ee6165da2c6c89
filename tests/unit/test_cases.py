"""Test files: defaults, parameters, and what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from wasmpack.errors import BadArtifact
from wasmpack.request_tests.cases import Case, read_cases


def cases(text: str) -> tuple[Case, ...]:
    return read_cases(text.encode(), Path("dir/x.yaml"))


def test_the_smallest_file() -> None:
    (case,) = cases(
        "plugin: p.wasm\ntests:\n  - name: adds\n    request: {method: GET, path: /hello}\n"
        "    response: {status: 200, headers: {x-wat: hello}}\n"
    )
    assert (case.name, case.where, case.plugins) == ("adds", "dir/x.yaml:3", ("p.wasm",))
    (step,) = case.steps
    assert step.request.start == "GET /hello"
    assert step.response == {"status": 200, "headers": {"x-wat": "hello"}}
    assert not case.alone


def test_a_test_goes_before_its_file() -> None:
    first, second = cases(
        "plugin: p.wasm\nenv: {A: '1'}\nrequest: {path: /a, headers: {a: 1, b: 2}}\n"
        "tests:\n  - name: first\n"
        "  - {name: second, plugin: q.wasm, env: {B: '2'}, request: {headers: {b: [3, 4]}}}\n"
    )
    assert first.steps[0].request.headers == (("a", "1"), ("b", "2"))
    assert second.plugins == ("q.wasm",)
    assert second.settings == {"env": {"A": "1", "B": "2"}}
    assert second.steps[0].request.path == "/a"
    assert second.steps[0].request.headers == (("a", "1"), ("b", "3"), ("b", "4"))


def test_parameters() -> None:
    one, two = cases(
        "plugin: p-${of}.wasm\ntests:\n  - name: t\n    parameters: [{of: 1}, {of: 2}]\n"
        "    request: {path: '/${of}'}\n    response: {status: '${of}'}\n"
    )
    assert (one.name, two.name) == ("t[1]", "t[2]")
    assert (two.plugins, two.steps[0].request.path) == (("p-2.wasm",), "/2")
    assert two.steps[0].response == {"status": 2}


@pytest.mark.parametrize(
    ("fields", "meant"),
    [
        ("respons: {}", "did you mean response?"),
        ("response: {statuss: 200}", "did you mean status?"),
        ("request: {pth: /a}", "did you mean path?"),
        ("zzz: 1", ""),
        ("response: {status: {no: 1}}", ""),
    ],
)
def test_an_unknown_key_may_be_a_known_one(fields: str, meant: str) -> None:
    with pytest.raises(BadArtifact) as caught:
        cases(f"plugin: p\ntests:\n  - name: a\n    {fields}")
    assert caught.value.hint == f"{meant} docs/testing.md; wasmpack test --schema".strip()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tests: [", "x.yaml:2"),
        ("tests: []", "x.yaml:1 tests: "),
        ("plugin: p\ntests:\n  - name: a\n    respons: {}", "x.yaml:3 tests[0]: "),
        ("plugin: p\ntests:\n  - name: a\n    response: {status: {no: 1}}", "x.yaml:4"),
        ("plugin: p\ntests: [{name: a, response: {body: {equl: 1}}}]", "'equl' was unexpected"),
        ("plugin: p\ntests: [{name: a, log: [{leval: info}]}]", "'leval' was unexpected"),
        ("tests: [{name: a}]", "no plugin"),
        ("plugin: p\ntests: [{name: a}, {name: a}]", "a second test of the name 'a'"),
        ("plugin: p\ntests: [{name: '${x}', parameters: [{y: 1}]}]", "${x}: no such parameter"),
        ("plugin: p\ntests: [{name: a, request: {path: x}}]", "invalid path 'x'"),
        ("plugin: p\ntests: [{name: a, request: {path: '/x y'}}]", "invalid path"),
        ("plugin: p\ntests: [{name: a, request: {method: 'A B'}}]", "invalid method"),
        ("plugin: p\ntests: [{name: a, calls: {x: []}}]", "x is not among the services"),
        ("a: 1\n---\nb: 2", "expected one document, found 2"),
    ],
    ids=lambda text: text.replace("\n", "; ")[:40],
)
def test_a_file_that_is_wrong_says_where(text: str, words: str) -> None:
    with pytest.raises(BadArtifact) as raised:
        cases(text)
    assert words in raised.value.message
