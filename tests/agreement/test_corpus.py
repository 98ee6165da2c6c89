"""Our verdict on every module of the corpus beside those of real Envoys."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest
from support.envoy_batch import CRASH_LATER, DEAD, HANGS, LOADS, Subject, observe

from agreement.corpus import Case, corpus
from agreement.record import recorded
from agreement.verdict import Ours, envoy_target, our_verdict
from wasmpack.envoy import envoy_version, find_envoy

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

VERSIONS = sorted(recorded())
LATE = {DEAD, HANGS, CRASH_LATER}
LATE_WORDS = (
    "Function: ",
    "Failed to start",
    "Failed to configure",
    "Failed to create new Wasm inst",
)


@functools.cache
def cases(go_plugin: Path) -> tuple[Case, ...]:
    return tuple(corpus(go_plugin))


@pytest.mark.parametrize("version", VERSIONS)
def test_agreement(version: str, go_plugin: Path, record_property: Callable[..., None]) -> None:
    host, table = envoy_target(version).host, recorded()[version]
    known = {name: row[-1] for name, row in table.items()}
    assert known == {case.name: case.digest for case in cases(go_plugin)}, "record.py was not run"
    wrong = []
    for case in cases(go_plugin):
        ours = our_verdict(case.data, case.configuration, host)
        if ours.accepts != (table[case.name][0] == LOADS):
            wrong.append((case.name, table[case.name], ours))
    share = 100 * (1 - len(wrong) / len(table))
    print(f"Envoy {version}: we agree on {share:.2f} % of {len(table)} modules")
    record_property("agreement", share)
    assert wrong == []


BY_CHANCE = {"by hand: imports one memory twice", "by hand: imports one table twice"}
"""They load on a quiet machine, and crash most proxies on a busy one (MEM007)."""


def test_what_the_corpus_holds(go_plugin: Path) -> None:
    """It is as broad as it claims to be."""
    table = recorded()["1.40.0"]
    assert len(table) >= 250
    late = [name for name, (fate, words, *_) in table.items()
            if fate in LATE or str(words).startswith(LATE_WORDS) or ("start section" in name
            and fate != LOADS)]  # fmt: skip
    refused = [name for name, (fate, *_) in table.items() if fate != LOADS]
    assert len(late) >= 0.3 * len(refused), "enough of them fail only after instantiation"
    assert len(VERSIONS) >= 2


def test_the_record_is_what_this_envoy_says(go_plugin: Path) -> None:
    """A part of the corpus is asked again; which part depends on the number of modules.

    What differs is asked three more times: what the host does with memory that is no longer there
    depends on what else the machine does.
    """
    binary = find_envoy()
    table = recorded()[envoy_version(binary)]
    some = [case for case in cases(go_plugin)[::9]
            if table[case.name][0] != HANGS and case.name not in BY_CHANCE]  # fmt: skip
    for _ in range(4):
        seen = observe(binary, [Subject(case.data, case.configuration) for case in some])
        now = {case.name: outcome.fate for case, outcome in zip(some, seen, strict=True)}
        some = [case for case in some if now[case.name] != table[case.name][0]]
        if not some:
            break
    assert not {case.name: (now[case.name], table[case.name][0]) for case in some}


def test_a_module_that_raises_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr("agreement.verdict.examine", fail)
    assert our_verdict(b"", None, "") == Ours(None, ("RAISED KeyError",), ("'x'",))
