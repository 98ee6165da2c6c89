"""How a subject is validated, and what of that may be kept."""

from __future__ import annotations

import pytest
from support.desk import MODULES

import wasmpack
from wasmpack.actions.checks import Checks
from wasmpack.actions.validate import validate_module
from wasmpack.dry_run.start_up import StartUp


@pytest.mark.parametrize(
    ("checks", "kept"),
    [
        pytest.param(Checks(), True, id="nothing given"),
        pytest.param(Checks(start_up=StartUp(seconds=9.0)), True, id="a budget"),
        pytest.param(Checks(start_up=StartUp(root_id="in")), True, id="root id of the image"),
        pytest.param(Checks(start_up=StartUp(root_id="out")), False, id="another root id"),
        pytest.param(Checks(start_up=StartUp(plugin_config=b"")), False, id="configuration"),
        pytest.param(Checks(start_up=StartUp(vm_config=b"")), False, id="VM configuration"),
        pytest.param(Checks(start_up=StartUp(env=(("A", ""),))), False, id="variable"),
        pytest.param(Checks(start_up=StartUp(dry_run=False)), False, id="not started"),
        pytest.param(Checks(targets=["istio-1.29"]), False, id="target"),
        pytest.param(Checks(strict=True), False, id="strict"),
        pytest.param(Checks(envoy=True), False, id="a real Envoy"),
    ],
)
def test_a_verdict_is_kept_if_nothing_but_the_image_decides(checks: Checks, kept: bool) -> None:
    assert checks.depend_on_image_alone(["in", "out"]) == kept


@pytest.mark.stress
@pytest.mark.parametrize(
    ("module", "given", "verdict"),
    [
        ("refuses-env.wasm", {}, "accept"),
        ("refuses-env.wasm", {"env": {"A": "b"}}, "reject"),
        ("needs-vm-config.wasm", {}, "reject"),
        ("needs-vm-config.wasm", {"vm_config": b"x"}, "accept"),
    ],
)
def test_what_the_plugin_is_started_with(
    module: str, given: dict[str, object], verdict: str
) -> None:
    subject = wasmpack.PluginModule(MODULES[module])
    assert wasmpack.validate(subject, **given).verdict.value == verdict  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("in_resource", [True, False])
def test_a_vm_configuration_in_the_resource_reaches_every_mesh(in_resource: bool) -> None:
    subject = wasmpack.PluginModule(MODULES["needs-vm-config.wasm"])
    start_up = StartUp(vm_config=b"x", vm_config_in_resource=in_resource)
    report = validate_module(subject, Checks(targets=["istio-1.31"], start_up=start_up))
    assert report.accepted is in_resource
