"""Rules of Envoy Gateway's EnvoyExtensionPolicy, by release.

Source: envoyproxy/gateway api/v1alpha1 envoyextensionpolicy_types.go and wasm_types.go.
"""

from collections.abc import Iterator

from wasmpack.findings import Problem
from wasmpack.mesh.api_rules import API_REFUSES, UNKNOWN_TO_RELEASE
from wasmpack.mesh.mappings import mapping, mappings
from wasmpack.mesh.plugin import GATEWAY_GROUP, Plugin
from wasmpack.mesh.releases import OLDEST_POLICY, Release
from wasmpack.oci.canonical import JsonObject

POLICY_KINDS: dict[str, Release] = {
    **dict.fromkeys(
        ("Gateway", "HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute"), OLDEST_POLICY
    ),
    "ListenerSet": (1, 9),
}
"""Kinds that a policy can be attached to, and the first release that can."""
_ENV: Release = (1, 3)
_SOURCES = {"HTTP": "http", "Image": "image"}


def policy_problems(plugin: Plugin, release: Release) -> Iterator[Problem]:
    """Findings of a release of Envoy Gateway, beyond the schema."""
    named = f"Envoy Gateway {release[0]}.{release[1]}"
    if plugin.fields.get("vmConfig") and release < _ENV:
        message = f"{named} has no field env (since 1.3): it is refused, or dropped silently"
        yield plugin.problem(UNKNOWN_TO_RELEASE, "vmConfig", message, "leave it out")
    if not plugin.alone:
        return
    spec = mapping(plugin.value.get("spec"))
    refs = [*mappings(spec.get("targetRefs")), *filter(None, [mapping(spec.get("targetRef"))])]
    for ref in refs:
        since = POLICY_KINDS.get(str(ref.get("kind")))
        if since is None or release < since:
            known = ", ".join(kind for kind, first in POLICY_KINDS.items() if release >= first)
            message = f"{named} cannot attach to a {ref.get('kind')}"
            yield plugin.problem(API_REFUSES, ("spec", "targetRefs"), message, f"one of {known}")
        if ref.get("group") != GATEWAY_GROUP:
            message = f"this policy can only have a targetRefs[*].group of {GATEWAY_GROUP}"
            yield plugin.problem(
                API_REFUSES, ("spec", "targetRefs"), message, f"group: {GATEWAY_GROUP}"
            )
    if not refs and not spec.get("targetSelectors"):
        message = "either targetRef, targetRefs or targetSelectors must be used"
        yield plugin.problem(API_REFUSES, ("spec",), message, "targetRefs: [{kind: Gateway, …}]")
    yield from _sources(plugin, spec)


def _sources(plugin: Plugin, spec: JsonObject) -> Iterator[Problem]:
    """The CEL rules of ``WasmCodeSource``."""
    for number, item in enumerate(mappings(spec.get("wasm"))):
        code = mapping(item.get("code"))
        for kind, name in _SOURCES.items():
            if (code.get("type") == kind) != (name in code):
                message = f"if type is {kind}, the field {name} needs to be set, and only then"
                at = ("spec", "wasm", number, "code")
                yield plugin.problem(API_REFUSES, at, message, f"type: {kind}")
