"""Hints for what a plugin was not given."""

import pytest

from wasmpack.actions.resource_problems import with_advice
from wasmpack.dry_run.start_up import StartUp
from wasmpack.kubeyaml.documents import Document
from wasmpack.mesh.plugin import Plugin
from wasmpack.module_rules.missing_input import GIVE, Missing, give
from wasmpack.module_rules.start_up import VM_START_REFUSED

NOTHING, FROM_PROXY = StartUp(), StartUp(host_env=("POD_NAME", "MODE"), env_complete=True)


@pytest.mark.parametrize("missing", Missing)
def test_a_value_of_the_proxy_is_not_to_be_added_again(missing: Missing) -> None:
    assert give(missing, NOTHING) == GIVE[missing]
    hint = give(missing, FROM_PROXY)
    assert (hint == GIVE[missing]) is (missing is not Missing.ENVIRONMENT)
    if missing is Missing.ENVIRONMENT:
        assert hint == (
            "the proxy's environment gives POD_NAME, MODE a value, which is not known here: "
            "wasmpack validate tries one with --env POD_NAME=VALUE"
        )


@pytest.mark.parametrize(
    ("group", "kind", "words"),
    [
        ("gateway.envoyproxy.io", "EnvoyExtensionPolicy", "hostKeys: [NAME]"),
        ("extensions.istio.io", "WasmPlugin", "--env NAME=VALUE"),
    ],
)
def test_variables_are_given_as_the_kind_takes_them(group: str, kind: str, words: str) -> None:
    value = {"apiVersion": f"{group}/v1alpha1", "kind": kind, "metadata": {"name": "p"}}
    problem = VM_START_REFUSED.problem("x", "no", give(Missing.ENVIRONMENT, NOTHING))
    found = with_advice(problem, Plugin.of(Document(source="f", value=value)))
    assert words in str(found.hint)
