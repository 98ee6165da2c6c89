"""What a valid resource does that its author may not expect, by release.

Sources: istio pkg/wasm/cache.go (digests, pull policy), pilot/pkg/model/extensions.go
(configuration, pull secret, file URLs), pilot/pkg/networking/core/listener_builder.go (order).
"""

import math
from collections.abc import Iterator
from typing import Any

from wasmpack.findings import Problem, Severity
from wasmpack.mesh.plugin import Plugin, mapping, mappings
from wasmpack.mesh.releases import (
    BOTH_DIRECTIONS,
    HONOURS_PULL_FIELDS,
    OLDEST,
    Release,
    known_since,
)
from wasmpack.mesh.url import MeshUrl
from wasmpack.oci.canonical import JsonValue, canonical_json
from wasmpack.oci.reference import LATEST

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
ROOT_NAMESPACE = "istio-system"
_EXACT = 1 << 53
"""Integers beyond it are not all doubles (IEEE 754), and pluginConfig holds doubles."""
GATEWAY_LABELS = ("ingressgateway", "egressgateway")
_OF_IMAGES_ONLY = ("sha256", "imagePullPolicy", "imagePullSecret")


def behaviour_problems(plugin: Plugin, url: MeshUrl, release: Release) -> Iterator[Problem]:
    """All of it, for one resource on one release."""
    for fault in url.faults:
        yield plugin.problem("WPL005", fault.severity, "url", fault.message, fault.hint)
    yield from digest_problems(plugin, url)
    yield from _pulling(plugin, url, release)
    yield from _without_effect(plugin, url)
    yield from _failing(plugin, release)
    yield from _direction(plugin, release)
    yield from _configuration(plugin)
    yield from _scope(plugin)


def checksum(plugin: Plugin, url: MeshUrl) -> str:
    """The digest that the mesh compares, in hex; empty if there is none (cache.go)."""
    given = plugin.text("sha256")
    if given or url.reference is None or url.reference.digest is None:
        return given
    return url.reference.digest.hex


def digest_problems(plugin: Plugin, url: MeshUrl) -> Iterator[Problem]:
    """Two digests that disagree can never both match."""
    given = plugin.text("sha256")
    digest = url.reference.digest if url.reference else None
    if digest is None:
        return
    if digest.algorithm != "sha256":
        message = f"the mesh knows sha256 digests only, not {digest.algorithm}"
        yield plugin.problem("WPL006", _ERROR, "url", message)
    elif given and given != digest.hex:
        message = f"is not the digest of the URL ({digest.hex}): the mesh refuses the image"
        yield plugin.problem("WPL006", _ERROR, "sha256", message, "keep one of them")


def plugin_configuration(value: JsonValue) -> bytes:
    """The text that the plugin gets: JSON with sorted keys, numbers as doubles; empty for none.

    As pilot does: a ``google.protobuf.Struct`` through its JSON form.
    """
    return canonical_json(_doubles(value)) if isinstance(value, dict) and value else b""


def _doubles(value: JsonValue) -> Any:
    if isinstance(value, dict):
        return {key: _doubles(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_doubles(item) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    number = _double(value)
    if math.isinf(number):
        return value  # refused elsewhere: see _configuration
    return int(number) if number.is_integer() and abs(number) < 1e21 else number


def _double(number: float) -> float:
    """As a double (IEEE 754); infinite beyond their range."""
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _pulling(plugin: Plugin, url: MeshUrl, release: Release) -> Iterator[Problem]:
    if release < HONOURS_PULL_FIELDS:
        for name in ("imagePullPolicy", "imagePullSecret"):
            if plugin.fields.get(name):
                message = "without effect before Istio 1.14 (OpenShift Service Mesh 2.3)"
                yield plugin.problem("WPL013", _WARNING, name, message)
        return
    if plugin.text("imagePullSecret") != plugin.pull_secret:
        message = f"its namespace is ignored: {plugin.pull_secret} is looked for in the own one"
        yield plugin.problem("WPL010", _WARNING, "imagePullSecret", message, plugin.pull_secret)
    if url.reference is None:
        return
    policy = plugin.text("imagePullPolicy")
    if checksum(plugin, url):
        if policy == "Always":
            message = "without effect: with a digest the mesh takes what it has under that digest"
            yield plugin.problem("WPL007", _INFO, "imagePullPolicy", message, "leave it out")
        return
    yield from _tag(plugin, url, policy)


def _tag(plugin: Plugin, url: MeshUrl, policy: str) -> Iterator[Problem]:
    assert url.reference is not None
    pin = "pin the digest: wasmpack render wasmplugin --pin"
    if policy == "Always":
        message = (
            "the mesh pulls again only when this resource changes, not when the tag moves or a pod "
            "starts"
        )
        yield plugin.problem("WPL007", _WARNING, "imagePullPolicy", message, pin)
    elif url.reference.tag is None:
        message = "no tag: latest is pulled once and then kept, as for IfNotPresent"
        yield plugin.problem("WPL007", _WARNING, "url", message, pin)
    elif url.reference.tag == LATEST:
        kept = "the first image pulled is kept" if policy else "pulled again when this changes only"
        message = f":latest moves, and each proxy runs the one it pulled: {kept}"
        yield plugin.problem("WPL007", _WARNING, "url", message, pin)
    else:
        message = "a tag can move; proxies then run different images"
        yield plugin.problem("WPL007", _INFO, "url", message, pin)


def _without_effect(plugin: Plugin, url: MeshUrl) -> Iterator[Problem]:
    if url.scheme == "file":
        for name in _OF_IMAGES_ONLY:
            if plugin.fields.get(name):
                message = "without effect for a file in the proxy: it is neither pulled nor checked"
                yield plugin.problem("WPL013", _WARNING, name, message, "leave it out")
    if plugin.fields.get("verificationKey"):
        message = "no release verifies signatures"
        hint = "verify them before the image gets into the cluster"
        yield plugin.problem("WPL013", _WARNING, "verificationKey", message, hint)


def _failing(plugin: Plugin, release: Release) -> Iterator[Problem]:
    if plugin.text("phase") == "STATS" and plugin.text("failStrategy") in {"", "FAIL_CLOSE"}:
        at = "failStrategy" if plugin.text("failStrategy") else "phase"
        known = release >= known_since(plugin.kind).get("failStrategy", OLDEST)
        hint = "failStrategy: FAIL_OPEN" if known else ""
        message = "a plugin of the STATS phase that fails stops all traffic, as one of AUTHZ would"
        yield plugin.problem("WPL009", _WARNING, at, message, hint)


def _direction(plugin: Plugin, release: Release) -> Iterator[Problem]:
    match = mappings(plugin.fields.get("match"))
    if release < BOTH_DIRECTIONS or not match or not _for_gateways(plugin):
        return
    if all(item.get("mode") == "SERVER" for item in match):
        message = "a gateway counts as CLIENT: the plugin never runs there"
        yield plugin.problem("WPL011", _WARNING, "match", message, "leave match out for gateways")


def _for_gateways(plugin: Plugin) -> bool:
    labels = mapping(mapping(plugin.fields.get("selector")).get("matchLabels"))
    refs = mappings(plugin.fields.get("targetRefs"))
    refs = [*refs, mapping(plugin.fields.get("targetRef"))]
    return (
        labels.get("istio") in GATEWAY_LABELS
        or "gateway.networking.k8s.io/gateway-name" in labels
        or any(ref.get("kind") in ("Gateway", "GatewayClass") for ref in refs)
    )


def _configuration(plugin: Plugin) -> Iterator[Problem]:
    config = plugin.fields.get("pluginConfig")
    if config == {}:
        message = "an empty mapping is no configuration: the plugin gets none"
        yield plugin.problem("WPL012", _INFO, "pluginConfig", message, "leave it out")
    if not isinstance(config, dict):
        return
    for path, number in _integers(config):
        at = (*plugin.path("pluginConfig"), *path)
        if math.isinf(_double(number)):
            message = "the API server refuses it: no double is as large as this number"
            yield plugin.problem("WPL012", _ERROR, at, message, "write it as a string")
        elif abs(number) > _EXACT and _double(number) != number:
            message = f"this integer arrives as {_double(number):.0f}: numbers are doubles"
            yield plugin.problem("WPL012", _WARNING, at, message, "write it as a string")


def _integers(value: JsonValue) -> Iterator[tuple[tuple[str | int, ...], int]]:
    if isinstance(value, dict | list):
        items: Any = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from (((key, *path), number) for path, number in _integers(item))
    elif isinstance(value, int) and not isinstance(value, bool):
        yield (), value


def _scope(plugin: Plugin) -> Iterator[Problem]:
    selects = any(plugin.fields.get(name) for name in ("selector", "targetRef", "targetRefs"))
    if plugin.namespace == ROOT_NAMESPACE and not selects:
        message = f"in the root namespace ({ROOT_NAMESPACE}) it runs in every proxy of the mesh"
        hint = "a selector or targetRefs, or another namespace"
        yield plugin.problem("WPL014", _WARNING, ("metadata", "namespace"), message, hint)
