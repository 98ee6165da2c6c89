"""Why a proxy does not run a plugin: the reason that our rules know."""

import pytest
from support.plugins import wat

from wasmpack.actions.plugin_chain import ChainedPlugin
from wasmpack.actions.run import explained
from wasmpack.dry_run.start_up import StartUp
from wasmpack.envoy import EnvoyRefused
from wasmpack.proxy_abi.module import PluginModule

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("hurried")
def test_an_endless_loop_is_not_given_an_option_of_another_command() -> None:
    module = PluginModule(wat('(func (export "_start") (loop $l (br $l)))'))
    plugin = ChainedPlugin(name="p", module=module, start_up=StartUp())
    hint = explained(EnvoyRefused("Envoy was stopped", ["busy"]), [plugin]).hint
    assert "_start was stopped by the dry run's bounds" in hint
    assert "wasmpack validate --dry-run-timeout SECONDS" in hint
    assert hint.count("--dry-run-timeout") == 1
