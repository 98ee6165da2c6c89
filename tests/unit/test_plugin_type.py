"""HTTP and network plugins: what a proxy would call of a module."""

import pytest
from support.plugins import wat

from wasmpack.module_rules.check import examine, module_problems
from wasmpack.module_rules.plugin_type import is_network, type_problems
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.targets import target
from wasmpack.wasm.reader import read_module

HTTP = '(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 0))'
NETWORK = '(func (export "proxy_on_new_connection") (param i32) (result i32) (i32.const 0))'
START = '(func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))'
TICK = '(func (export "proxy_on_tick") (param i32))'
LOG = '(func (export "proxy_on_log") (param i32))'


@pytest.mark.parametrize(
    ("text", "network"),
    [
        pytest.param("", False, id="no callback"),
        pytest.param(HTTP, False, id="HTTP"),
        pytest.param(NETWORK, True, id="network"),
        pytest.param(HTTP + NETWORK, False, id="both, as SDKs export them"),
        pytest.param(LOG, False, id="the log alone"),
    ],
)
def test_what_a_module_can_be(text: str, network: bool) -> None:
    assert is_network(read_module(wat(text))) is network


@pytest.mark.parametrize(
    ("text", "network", "hint"),
    [
        pytest.param(HTTP, True, "type: HTTP", id="HTTP as network"),
        pytest.param(NETWORK, False, "type: NETWORK", id="network as HTTP"),
        pytest.param("", False, "export the callbacks that it needs", id="nothing as HTTP"),
        pytest.param("", True, "export the callbacks that it needs", id="nothing as network"),
        pytest.param(HTTP, False, None, id="HTTP"),
        pytest.param(NETWORK, True, None, id="network"),
        pytest.param(HTTP + NETWORK, True, None, id="both"),
        pytest.param(LOG, False, None, id="the log as HTTP"),
        pytest.param(LOG, True, None, id="the log as network"),
        pytest.param("", None, "export the callbacks that it needs", id="nothing at all"),
        pytest.param(START, None, "export the callbacks that it needs", id="a start alone"),
        pytest.param(HTTP, None, None, id="HTTP, for anything"),
        pytest.param(NETWORK, None, None, id="network, for anything"),
        pytest.param(LOG, None, None, id="the log, for anything"),
        pytest.param(TICK, None, None, id="a service of the proxy"),
        pytest.param(TICK, False, "export the callbacks that it needs", id="a service as HTTP"),
    ],
)
def test_a_plugin_of_another_type_does_nothing(
    text: str, network: bool | None, hint: str | None
) -> None:
    found = list(type_problems(read_module(wat(text)), network=network))
    assert [str(problem.hint) for problem in found] == ([] if hint is None else [hint])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "codes"),
    [
        pytest.param("", ["RUN014"], id="nothing"),
        pytest.param(HTTP, [], id="HTTP"),
        pytest.param('(func (export "_start") unreachable)', ["RUN001"], id="what never starts"),
    ],
)
def test_a_module_by_itself_that_does_nothing(text: str, codes: list[str]) -> None:
    found = module_problems(examine(PluginModule(wat(text))), target("envoy-1.40"))
    assert [problem.code for problem in found] == codes
