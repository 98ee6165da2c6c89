"""Findings of a module that depend on the resource which names it."""

from __future__ import annotations

import pytest

from wasmpack.actions.resource_problems import of_module
from wasmpack.kubeyaml.reader import read_documents
from wasmpack.mesh.plugin import Plugin
from wasmpack.module_rules.plugin_type import NO_CALLBACK, TYPE

ISTIO = """\
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: p}
spec:
  url: oci://r.example/p:v1
  type: HTTP
"""
TRAFFIC = """\
apiVersion: extensions.istio.io/v1alpha1
kind: TrafficExtension
metadata: {name: p}
spec:
  wasm:
    url: oci://r.example/p:v1
    type: HTTP
"""
HIGRESS = ISTIO.replace("istio", "higress").replace("  type: HTTP\n", "")
POLICY = """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {name: p}
spec:
  wasm:
    - name: p
      code: {type: Image, image: {url: r.example/p:v1}}
"""
FILTER = """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: p}
spec:
  configPatches:
    - patch:
        value:
          typed_config:
            "@type": t/envoy.extensions.filters.http.wasm.v3.Wasm
            config: {vm_config: {code: {local: {filename: /x.wasm}}}}
"""


def plugin(text: str) -> Plugin:
    (document,) = read_documents(text.encode(), "f")
    return Plugin.of(document)


ONLY = "runs HTTP filters only; Istio's WasmPlugin has type: NETWORK"


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        pytest.param(ISTIO, "f:6 spec.type", "type: NETWORK", id="WasmPlugin"),
        pytest.param(ISTIO.replace("  type: HTTP\n", ""), "f:4 spec.type", "type: NETWORK",
                     id="no type"),
        pytest.param(TRAFFIC, "f:7 spec.wasm.type", "type: NETWORK", id="TrafficExtension"),
        pytest.param(HIGRESS, "f:4 spec", f"Higress {ONLY}", id="Higress"),
        pytest.param(POLICY, "f:6 spec.wasm[0]", f"Envoy Gateway {ONLY}", id="policy"),
        pytest.param(FILTER, "f:6 spec.configPatches[0]", "a filter of the other type, whose name "
                     "has .filters.network. or .filters.http. in it", id="EnvoyFilter"),
    ],
)  # fmt: skip
def test_a_plugin_of_another_type_is_reported_at_its_type(text: str, where: str, hint: str) -> None:
    problem = NO_CALLBACK.problem(TYPE, "no callback", "type: NETWORK")
    found = of_module(problem, plugin(text))
    assert (found.where, str(found.hint)) == (where, hint)


def test_other_faults_of_a_module_are_at_its_url() -> None:
    found = of_module(NO_CALLBACK.problem("exports", "no callback", "x"), plugin(ISTIO))
    assert (found.where, str(found.hint)) == ("f:5 spec.url: exports", "x")
