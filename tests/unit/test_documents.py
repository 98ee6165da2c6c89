"""runtime-config.json and reports."""

import json

import pytest

from wasmpack.errors import BadArtifact
from wasmpack.findings import Problem, Rule, Severity, Verdict, judge
from wasmpack.runtime_config import (
    RuntimeConfig,
    abi_problems,
    config_problems,
    parse_runtime_config,
)

pytestmark = pytest.mark.dependencies

SPELLINGS = [
    {"abiVersions": ["v0.2.1"], "config": {"rootIds": ["a"]}},
    {"abi_versions": ["v0.2.1"], "config": {"root_ids": ["a"]}},
    {"abiVersion": "v0.2.1", "config": {"rootIds": ["a"]}},
    {"abi_version": ["v0.2.1"], "config": {"root_ids": ["a"]}},
]


@pytest.mark.parametrize("value", SPELLINGS, ids=lambda v: next(iter(v)))
def test_all_spellings_are_read_and_one_written(value: dict[str, object]) -> None:
    found = parse_runtime_config(json.dumps({"type": "envoy_proxy", **value}).encode())
    assert json.loads(found.to_bytes()) == {
        "type": "envoy_proxy", "abiVersions": ["v0.2.1"], "config": {"rootIds": ["a"]},
    }  # fmt: skip


def test_what_we_do_not_know_is_kept() -> None:
    raw = b'{"type":"x","x-mine":{"a":1},"config":{"rootIds":["r"],"other":2}}'
    assert json.loads(parse_runtime_config(raw).to_bytes()) == json.loads(raw)


def test_default_for_a_module() -> None:
    found = RuntimeConfig.for_module("0.2.0", ["root"])
    assert found.as_json() == {
        "type": "envoy_proxy", "abiVersions": ["v0.2.0"], "config": {"rootIds": ["root"]},
    }  # fmt: skip
    assert RuntimeConfig.for_module(None).as_json() == {"type": "envoy_proxy"}


@pytest.mark.parametrize(
    ("raw", "places"),
    [
        (b"{}", ["$"]),
        (b'{"type": 1}', ["$.type"]),
        (b'{"type": "e", "abiVersions": "v"}', ["$.abiVersions"]),
        (b'{"type": "e", "abiVersions": ["v", 2], "config": {"rootIds": [3]}}',
         ["$.abiVersions[1]", "$.config.rootIds[0]"]),
        (b'{"type": "e", "abiVersion": "v", "abi_versions": ["v"]}', ["$.abiVersion"]),
        (b'{"type": "e", "config": []}', ["$.config"]),
    ],
)  # fmt: skip
def test_schema_errors_have_places(raw: bytes, places: list[str]) -> None:
    found = config_problems(raw)
    assert [problem.where for problem in found] == places
    assert {problem.code for problem in found} == {"CFG002"}
    with pytest.raises(BadArtifact, match=r"\$"):
        parse_runtime_config(raw)


@pytest.mark.stress
def test_many_faults_are_a_few_findings() -> None:
    raw = b'{"type": "e", "abiVersions": [%b]}' % b",".join([b"1"] * 5000)
    found = config_problems(raw)
    assert [len(found), found[-1].message[:9]] == [21, "980 more "]
    with pytest.raises(BadArtifact) as caught:
        parse_runtime_config(raw)
    assert caught.value.message.count("$.") == 20


def test_unknown_keys_are_compared_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[None] = []
    monkeypatch.setattr("difflib.get_close_matches", lambda *_: asked.append(None) or [])
    keys = {f"k{number}": 0 for number in range(3000)}
    value = {"type": "envoy_proxy", "config": dict(keys), **keys}
    assert config_problems(json.dumps(value).encode()) == []
    assert len(asked) == 2000


def test_what_is_too_large_is_not_looked_at() -> None:
    raw = b'{"type": "e", "abiVersions": [%b]}' % b",".join([b"1"] * 200_000)
    (found,) = config_problems(raw)
    assert (found.code, found.message[-17:]) == ("CFG001", "more than 256 KiB")
    with pytest.raises(BadArtifact, match="more than 256 KiB"):
        parse_runtime_config(raw)


def test_broken_json_has_line_and_column() -> None:
    (found,) = config_problems(b'{"type": "x",\n  "abiVersions": [,]}', "my.json")
    assert found.code == "CFG001"
    assert "line 2 column 19" in found.message


def test_other_runtimes_and_abis_are_doubts() -> None:
    assert [p.code for p in config_problems(b'{"type": "wasmtime"}')] == ["CFG003"]
    config = parse_runtime_config(b'{"type": "e", "abiVersions": ["v0.1.0"]}')
    assert [p.code for p in abi_problems(config, "0.2.1")] == ["CFG004"]
    assert abi_problems(config, "0.1.0") == []
    wasme = parse_runtime_config(b'{"type":"e","abiVersions":["v0-4689a30309abf31aee9ae36e73d3"]}')
    assert abi_problems(wasme, "0.2.1") == []


def rule(code: str) -> Rule:
    return Rule(code=code, title="t", severity=Severity.ERROR, fix="f")


E = rule("X").problem("w", "m")
W = E.rule.problem("w", "m", severity=Severity.WARNING)


@pytest.mark.parametrize(
    ("found", "named", "strict", "verdict", "severities"),
    [
        ({"a": [], "b": []}, False, False, "accept", []),
        ({"a": [E], "b": []}, False, False, "accept", ["warning"]),
        ({"a": [E], "b": [E]}, False, False, "reject", ["error"]),
        ({"a": [E], "b": []}, True, False, "reject", ["error"]),
        ({"a": [W], "b": [W]}, False, False, "accept", ["warning"]),
        ({"a": [W], "b": []}, False, True, "reject", ["warning"]),
        ({"a": [E], "b": []}, False, True, "reject", ["warning"]),
    ],
)
def test_verdict_over_targets(
    found: dict[str, list[Problem]], named: bool, strict: bool, verdict: str, severities: list[str]
) -> None:
    report = judge("s", "module", found, strict_targets=named, strict=strict)
    assert report.verdict.value == verdict
    assert [finding.severity.value for finding in report.findings] == severities


def test_all_reject_for_different_reasons() -> None:
    found = {"a": [rule("A").problem("w", "m")], "b": [rule("B").problem("w", "m")]}
    report = judge("s", "m", found, strict_targets=False)
    assert report.verdict is Verdict.REJECT
    assert [(f.code, f.severity.value, f.targets) for f in report.findings] == [
        ("A", "error", ("a",)), ("B", "error", ("b",)),
    ]  # fmt: skip


def test_report_as_json_is_the_contract() -> None:
    value = judge("s", "module", {"t": [E]}, strict_targets=True).as_json()
    assert list(value) == ["schemaVersion", "subject", "kind", "verdict", "targets", "findings"]
    (finding,) = value["findings"]  # type: ignore[misc]
    assert list(finding) == ["code", "severity", "where", "message", "hint", "url", "targets"]
