"""What host functions answer during a request: in real Envoys and in the dry run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agreement.record_requests import recorded
from agreement.request_answers import digest, our_answers, probes, their_answers
from wasmpack.envoy import envoy_version, find_envoy


@pytest.fixture(scope="module")
def ours() -> dict[str, str]:
    """Digests of our answers, by the key of a probe."""
    return {probe.key: digest(our_answers(probe)) for probe in probes()}


@pytest.mark.parametrize("version", sorted(recorded()))
def test_every_call_answers_as_in_envoy(
    version: str, ours: dict[str, str], record_property: Callable[..., None]
) -> None:
    theirs = recorded()[version]
    assert set(theirs) == set(ours), "record_requests.py was not run"
    calls = {probe.key: len(probe.steps) for probe in probes()}
    wrong = [probe.name for probe in probes() if ours[probe.key] != theirs[probe.key]]
    same = sum(count for key, count in calls.items() if ours[key] == theirs[key])
    print(f"Envoy {version}: {same} of {sum(calls.values())} host calls answer as in it")
    record_property("agreement", 100 * same / sum(calls.values()))
    assert wrong == []


def test_the_record_is_what_this_envoy_answers() -> None:
    """A part is asked again; which part depends on the number of probes."""
    binary = find_envoy()
    table = recorded()[envoy_version(binary)]
    some = probes()[::41]
    for probe, found in zip(some, their_answers(binary, some), strict=True):
        assert table[probe.key] == digest(found), f"{probe.name}: {found}"
