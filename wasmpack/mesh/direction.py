"""True if a resource runs at all where it is attached: direction, ports, waypoints, classes.

Sources: istio pilot/pkg/networking/core/listener_waypoint.go (a waypoint reads ``targetRefs`` only
and asks for HTTP plugins of SERVER without a port), pilot/pkg/model/policyattachment.go (a
GatewayClass counts in the root namespace only), pilot/pkg/model/extensions.go (``match``).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from wasmpack.findings import Problem, Rule, Severity
from wasmpack.kubeyaml.documents import Document, cut
from wasmpack.mesh.plugin import (
    DEFAULT_NAMESPACE,
    GATEWAY_GROUP,
    ROOT_NAMESPACE,
    Plugin,
    mapping,
    mappings,
)
from wasmpack.mesh.releases import BOTH_DIRECTIONS, Release
from wasmpack.oci.canonical import JsonObject

GATEWAY_LABELS = ("ingressgateway", "egressgateway")
WAYPOINT = "istio-waypoint"
"""The only GatewayClass that a plugin can be attached to."""
_GATEWAY_NAME = f"{GATEWAY_GROUP}/gateway-name"
_WAYPOINT_KINDS = ("Service", "ServiceEntry")
"""Traffic of these passes a waypoint; no sidecar or gateway reads such a reference."""
NEVER_RUNS = Rule(
    code="WPL011",
    title="a `match`, a selector or a target with which the plugin never runs",
    severity=Severity.WARNING,
    cause="a gateway counts as CLIENT, a waypoint as SERVER; a waypoint reads no selector and "
    "matches no port; a GatewayClass counts in the root namespace only, and only "
    "`istio-waypoint`",
    consumer="Istio 1.16 and later",
    example="selector: {matchLabels: {istio: ingressgateway}}\nmatch: [{mode: SERVER}]",
    fix="leave `match` out, or attach it as the message says",
)


@dataclass(frozen=True, slots=True)
class Gateways:
    """The Gateways among the files whose class is that of waypoints, and the others."""

    waypoints: frozenset[tuple[str, str]] = frozenset()
    """Namespace and name."""
    others: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, documents: Iterable[Document]) -> Self:
        """Those that the documents declare."""
        found: dict[bool, set[tuple[str, str]]] = {True: set(), False: set()}
        for document in documents:
            value = mapping(document.value)
            group = str(value.get("apiVersion")).partition("/")[0]
            if (group, value.get("kind")) == (GATEWAY_GROUP, "Gateway"):
                metadata, spec = mapping(value.get("metadata")), mapping(value.get("spec"))
                namespace = str(metadata.get("namespace") or DEFAULT_NAMESPACE)
                is_waypoint = spec.get("gatewayClassName") == WAYPOINT
                found[is_waypoint].add((namespace, str(metadata.get("name"))))
        return cls(frozenset(found[True]), frozenset(found[False]))


def direction_problems(
    plugin: Plugin, release: Release, gateways: Gateways | None = None
) -> Iterator[Problem]:
    """Findings on a plugin that never runs on its workloads, whatever their traffic."""
    gateways = gateways or Gateways()
    refs = _references(plugin)
    yield from _classes(plugin, refs)
    namespace = plugin.namespace or DEFAULT_NAMESPACE
    waypoint = any(_is_waypoint(ref, namespace, gateways) for _, ref in refs)
    gateway = _selects_gateway(plugin) or any(
        ref.get("kind") == "Gateway" and not _is_waypoint(ref, namespace, gateways)
        for _, ref in refs
    )
    labels = mapping(mapping(plugin.fields.get("selector")).get("matchLabels"))
    if (namespace, labels.get(_GATEWAY_NAME)) in gateways.waypoints:
        message = f"{cut(str(labels[_GATEWAY_NAME]))} is a waypoint, which reads no selector"
        hint = "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: …}]"
        yield plugin.problem(NEVER_RUNS, "selector", f"{message}: the plugin never runs", hint)
        return
    if release >= BOTH_DIRECTIONS:
        yield from _match(plugin, gateway=gateway, waypoint=waypoint)


def _references(plugin: Plugin) -> list[tuple[tuple[str | int, ...], JsonObject]]:
    many = plugin.fields.get("targetRefs")
    items = enumerate(many if isinstance(many, list) else [])
    single = mapping(plugin.fields.get("targetRef"))
    found = [((*plugin.path("targetRefs"), number), mapping(item)) for number, item in items]
    return [(plugin.path("targetRef"), single), *found] if single else found


def _classes(
    plugin: Plugin, refs: list[tuple[tuple[str | int, ...], JsonObject]]
) -> Iterator[Problem]:
    for path, ref in refs:
        if ref.get("kind") != "GatewayClass":
            continue
        if ref.get("name") != WAYPOINT:
            message = f"of all GatewayClasses only {WAYPOINT} is read: the plugin never runs"
            hint = "kind: Gateway, with the name of the gateway"
            yield plugin.problem(NEVER_RUNS, (*path, "name"), message, hint)
        elif plugin.namespace not in {"", ROOT_NAMESPACE}:
            message = f"a GatewayClass is read in the root namespace ({ROOT_NAMESPACE}) only"
            hint = f"namespace: {ROOT_NAMESPACE}, or kind: Gateway"
            yield plugin.problem(NEVER_RUNS, path, f"{message}: the plugin never runs", hint)


def _is_waypoint(ref: JsonObject, namespace: str, gateways: Gateways) -> bool:
    kind = ref.get("kind")
    if kind == "Gateway":
        return (namespace, ref.get("name")) in gateways.waypoints
    return kind in _WAYPOINT_KINDS or (kind == "GatewayClass" and ref.get("name") == WAYPOINT)


def _selects_gateway(plugin: Plugin) -> bool:
    labels = mapping(mapping(plugin.fields.get("selector")).get("matchLabels"))
    return labels.get("istio") in GATEWAY_LABELS or _GATEWAY_NAME in labels


def _match(plugin: Plugin, *, gateway: bool, waypoint: bool) -> Iterator[Problem]:
    match = mappings(plugin.fields.get("match"))
    if not match:
        return
    if gateway and all(item.get("mode") == "SERVER" for item in match):
        message = "a gateway counts as CLIENT: the plugin never runs there"
        yield plugin.problem(NEVER_RUNS, "match", message, "leave match out for gateways")
    if not waypoint:
        return
    as_server = [item for item in match if item.get("mode") != "CLIENT"]
    http = plugin.text("type") != "NETWORK"
    if not as_server:
        message = "a waypoint counts as SERVER: the plugin never runs there"
    elif http and all(item.get("ports") for item in as_server):
        message = "at a waypoint no port matches an HTTP plugin: it never runs there"
    else:
        return
    yield plugin.problem(NEVER_RUNS, "match", message, "leave match out for waypoints")
