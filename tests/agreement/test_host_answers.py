"""What host functions answer at start-up: in this Envoy and in the dry run."""

from __future__ import annotations

import pytest
from support.envoy_batch import CRASH, LOADS, Subject, observe

from agreement.host_answers import Call, answer, calls, prober
from wasmpack.dry_run.budget import Budget
from wasmpack.dry_run.result import Outcome, RunRequest
from wasmpack.dry_run.runs import compiled_plugin, dry_runs
from wasmpack.dry_run.start_up import StartUp
from wasmpack.envoy import envoy_version, find_envoy

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

CONFIGURATION = b"hello"


def test_every_call_answers_as_in_envoy() -> None:
    binary = find_envoy()
    assert envoy_version(binary).startswith("1.40."), "the answers of other versions may differ"
    asked = calls()
    modules = [prober(call) for call in asked]
    theirs = observe(binary, [Subject(data, CONFIGURATION) for data in modules], exchange=None)
    wrong = []
    for call, data, seen in zip(asked, modules, theirs, strict=True):
        ours = _ours(call, data)
        told = answer(call, seen.log) if seen.fate == LOADS else seen.fate
        if ours != told:
            wrong.append((call, ours, told))
    print(f"{len(asked) - len(wrong)} of {len(asked)} host calls answer as in Envoy")
    assert wrong == []


def _ours(call: Call, data: bytes) -> str:
    versions = {"0.1.0": b"_0_1_0", "0.2.0": b"_0_2_0", "0.2.1": b"_0_2_1"}
    version = next(v for v, mark in versions.items() if b"proxy_abi_version" + mark in data)
    request = RunRequest(abi_version=version, start_up=StartUp(plugin_config=CONFIGURATION))
    (run,) = dry_runs(compiled_plugin(data), [request], Budget.of(len(data)).running)
    if run.failed and run.failed.outcome is Outcome.CRASH:
        return CRASH
    return answer(call, run.log) if run.failed is None else run.failed.reason
