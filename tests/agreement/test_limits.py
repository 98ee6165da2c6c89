"""The limits of the section reader are those of the real Envoy's engine."""

from __future__ import annotations

import pytest
from support.limit_modules import BEYOND_WASMTIME, LIMITS

from wasmpack.dry_run.start_up import StartUp
from wasmpack.envoy import ask_envoy

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

BYTECODE = "Failed to load Wasm bytecode"
LONG = 600.0
"""Seconds of CPU time: a million exports take Envoy long."""


@pytest.mark.parametrize("name", LIMITS)
def test_as_many_load_and_one_more_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasmpack.envoy.process._ENVOY", 8 << 30)  # as much as Envoy itself takes
    limit = LIMITS[name]
    seen = ask_envoy(limit.make(limit.most), StartUp(seconds=LONG))
    assert seen.accepts or (not limit.envoy and BYTECODE not in " ".join(seen.words))
    more = ask_envoy(limit.make(limit.most + 1), StartUp(seconds=LONG))
    assert more.crashed or BYTECODE in " ".join(more.words)


@pytest.mark.parametrize("name", BEYOND_WASMTIME)
def test_envoy_loads_what_wasmtime_refuses(name: str) -> None:
    assert ask_envoy(BEYOND_WASMTIME[name]()).accepts
