"""Findings of the API server on a resource: schema, CEL rules of the CRD, Istio's webhook.

Sources: istio/api kubernetes/customresourcedefinitions.gen.yaml (schema, CEL), istio
pkg/config/validation/validation.go, ``ValidateWasmPlugin`` (webhook). Their own words are quoted.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from wasmpack.findings import Problem, Rule, Severity
from wasmpack.kubeyaml.documents import FieldPath, shortened
from wasmpack.mesh.behaviour import WIDE_SCOPE, WITHOUT_EFFECT
from wasmpack.mesh.plugin import TRAFFIC_EXTENSION, Plugin, mapping, mappings
from wasmpack.mesh.releases import OLDEST, Release, known_since, values_since
from wasmpack.mesh.releases import TRAFFIC_EXTENSION as SINCE_TRAFFIC_EXTENSION
from wasmpack.mesh.schema_rules import BY_NO_SCHEMA
from wasmpack.oci.canonical import JsonObject, JsonValue

UNKNOWN_TO_RELEASE = Rule(
    code="WPL003",
    title="a field, value or kind that this release does not know",
    otherwise="warning",
    cause="a warning if the value says what the release does anyway",
    consumer="refused, or silently dropped",
    example="match: [{mode: CLIENT}] # with --target istio-1.15",
    fix="leave it out, or another release",
)
API_REFUSES = Rule(
    code="WPL004",
    title="against a rule of the CRD (CEL) or of Istio's webhook",
    consumer="the API server",
    example="vmConfig: {env: [{name: A, value: b, valueFrom: HOST}]}",
    fix="as the message says",
)
IMPOSSIBLE_LABEL = Rule(
    code="WPL021",
    title="a selector with a label that no pod can carry",
    cause="the plugin never runs",
    consumer="Kubernetes' syntax of labels",
    example='selector: {matchLabels: {app: "my app"}}',
    fix="`kubectl get pods --show-labels`",
)
_TARGET_KINDS = {
    ("", "Service"),
    ("core", "Service"),
    ("networking.istio.io", "ServiceEntry"),
    ("gateway.networking.k8s.io", "Gateway"),
    ("gateway.networking.k8s.io", "GatewayClass"),
}
_TARGET_SINCE: dict[str, Release] = {
    "Service": (1, 22),
    "ServiceEntry": (1, 24),
    "GatewayClass": (1, 25),
}
_GROUP_WRITTEN_OUT = {(1, 23), (1, 24)}
"""Releases whose CRD reads a group that is not there."""
_LIMITED: Release = (1, 20)
"""First release that limits the length of names."""
_NAME, _SECRET_NAME, _LUA = 256, 253, 65536
"""Limits of the webhook (``validateWasmPluginName`` and its kin); its words name 255 for 256."""
_LABEL_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", re.ASCII)
_LABEL_PREFIX = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*", re.ASCII
)
_SAME_AS_WITHOUT: dict[str, tuple[JsonValue, ...]] = {
    "failStrategy": ("FAIL_CLOSE",),
    "type": ("HTTP", "UNSPECIFIED_PLUGIN_TYPE"),
    "match": ([],),
    "vmConfig": ({}, {"env": []}),
    "targetRefs": ([],),
}
"""Values that say what a release without the field does anyway."""

_WITHOUT = "leave it out, if the plugin can do without"
_INSTEAD = dict.fromkeys(
    ("targetRef", "targetRefs"),
    "spec.selector.matchLabels; without either, all workloads of the namespace get the plugin",
)
"""Hints for fields that a release does not know."""


def release_problems(plugin: Plugin, release: Release) -> Iterator[Problem]:
    """Fields and values that this release does not know."""
    if plugin.kind == TRAFFIC_EXTENSION and release < SINCE_TRAFFIC_EXTENSION:
        hint = "WasmPlugin is known to every release"
        message = f"Istio {_named(release)} has no TrafficExtension (since {_named((1, 30))})"
        yield plugin.problem(UNKNOWN_TO_RELEASE, ("kind",), message, hint)
        return
    for name, since in known_since(plugin.definition).items():
        if release >= since or name not in plugin.fields:
            continue
        harmless = plugin.fields[name] in _SAME_AS_WITHOUT.get(name, ())
        message = (
            f"Istio {_named(release)} has no field {name} (since {_named(since)}): it is refused, "
            "or dropped silently"
        )
        hint = "leave it out" if harmless else _INSTEAD.get(name, _WITHOUT)
        severity = Severity.WARNING if harmless else None
        yield plugin.problem(UNKNOWN_TO_RELEASE, name, message, hint, severity=severity)
    yield from _target_release_problems(plugin, release)
    if release >= _LIMITED:
        yield from _too_many_bytes(plugin)
    for value, since in values_since("failStrategy").items():
        if plugin.fields.get("failStrategy") == value and release < since:
            message = f"Istio {_named(release)} has no {value} (since {_named(since)})"
            yield plugin.problem(
                UNKNOWN_TO_RELEASE, "failStrategy", message, "FAIL_OPEN, FAIL_CLOSE"
            )


def _too_many_bytes(plugin: Plugin) -> Iterator[Problem]:
    """The CRD counts characters, the webhook bytes; both limits are the same numbers."""
    at = (*plugin.path("vmConfig"), "env")
    env = mapping(plugin.fields.get("vmConfig")).get("env")
    found: list[tuple[FieldPath, JsonValue, int, str]] = [
        (
            (*at, number, "name"),
            mapping(item).get("name"),
            _NAME,
            "env.name field must be less than 255",
        )
        for number, item in enumerate(env if isinstance(env, list) else [])
    ]
    found += [
        (plugin.path(name), plugin.fields.get(name), most, f"{name} field must be less than {said}")
        for name, most, said in (("pluginName", _NAME, 255), ("imagePullSecret", _SECRET_NAME, 253))
    ]
    code = mapping(plugin.fields.get("lua")).get("inlineCode")
    found.append((("spec", "lua", "inlineCode"), code, _LUA, "lua code must be at most 65536"))
    for path, value, most, said in found:
        if isinstance(value, str) and len(value) <= most < len(value.encode()):
            message = f"{said} characters long: the webhook counts bytes ({len(value.encode())})"
            yield plugin.problem(API_REFUSES, path, message, f"at most {most} bytes")


def _target_release_problems(plugin: Plugin, release: Release) -> Iterator[Problem]:
    """Targets this release cannot attach to (webhook ``allowedTargetRefs``, CEL of the CRD)."""
    for path, item in _target_refs(plugin):
        ref = mapping(item)
        kind = str(ref.get("kind", ""))
        since = _TARGET_SINCE.get(kind, OLDEST)
        if release < since:
            message = f"Istio {_named(release)} cannot attach to a {kind} (since {_named(since)})"
            hint = "a selector, or another kind"
            yield plugin.problem(API_REFUSES, (*path, "kind"), message, hint)
        elif kind == "Service" and "group" not in ref and release in _GROUP_WRITTEN_OUT:
            message = f"the CRD of Istio {_named(release)} refuses it: no such key: group"
            yield plugin.problem(API_REFUSES, path, message, 'write group: ""')


def without_needless(
    kind: str, fields: Mapping[str, JsonValue], releases: Iterable[Release]
) -> tuple[JsonObject, list[str]]:
    """Fields without those that a release lacks and whose value says what it does anyway.

    Returns the names of what was left out as well.
    """
    oldest = min(releases, default=OLDEST)
    needless = [
        name
        for name, since in known_since(kind).items()
        if oldest < since and name in fields and fields[name] in _SAME_AS_WITHOUT.get(name, ())
    ]
    return {key: value for key, value in fields.items() if key not in needless}, needless


def rule_problems(plugin: Plugin) -> Iterator[Problem]:
    """CEL and webhook: what a schema cannot say."""
    yield from _selection(plugin)
    yield from _environment(plugin)
    yield from _ports(plugin)
    if plugin.kind == TRAFFIC_EXTENSION:
        spec = plugin.fields
        if (bool(spec.get("lua"))) == ("url" in spec):
            message = "exactly one of wasm or lua must be set"
            yield plugin.problem(API_REFUSES, ("spec",), message)


def _selection(plugin: Plugin) -> Iterator[Problem]:
    names = [n for n in ("selector", "targetRef", "targetRefs") if plugin.fields.get(n) is not None]
    if len(names) > 1:
        message = "only one of targetRefs or selector can be set"
        yield plugin.problem(API_REFUSES, names[1], message, f"keep {' or '.join(names)}")
    labels = mapping(mapping(plugin.fields.get("selector")).get("matchLabels"))
    at = (*plugin.path("selector"), "matchLabels")
    for key, value in labels.items():
        said = None
        if why := _no_label(key, value):
            hint = "kubectl get pods --show-labels lists the labels in use"
            yield plugin.problem(IMPOSSIBLE_LABEL, (*at, key), why, hint)
        if not key:
            said = "key must not be empty"
        elif "*" in key:
            said = "wildcard not allowed in label key match"
        elif isinstance(value, str) and "*" in value:
            said = "wildcard not allowed in label value match"
        if said:
            yield plugin.problem(API_REFUSES, (*at, key), said, "name the label in full")
    if plugin.fields.get("selector") in ({}, {"matchLabels": {}}, {"matchLabels": None}):
        message = "workload selector specified without labels: it selects every workload"
        yield plugin.problem(WIDE_SCOPE, "selector", message, "leave it out, or add labels")
    yield from _targets(plugin)


def _no_label(key: str, value: JsonValue) -> str:
    """Why no pod can carry a label (Kubernetes, "Labels and Selectors", syntax); else nothing."""
    prefix, slash, name = key.rpartition("/")
    if "*" in key or not key:  # Istio's webhook refuses these in its own words
        return ""
    if not _LABEL_NAME.fullmatch(name) or (slash and not _LABEL_PREFIX.fullmatch(prefix)):
        return f"no pod can carry the label {shortened(key)}: the plugin never runs"
    if isinstance(value, str) and value and "*" not in value and not _LABEL_NAME.fullmatch(value):
        return f"no pod can carry this value of {key}: the plugin never runs"
    return ""


def _target_refs(plugin: Plugin) -> list[tuple[FieldPath, JsonValue]]:
    """All that it is attached to, with their places."""
    single = plugin.fields.get("targetRef")
    refs: list[tuple[FieldPath, JsonValue]] = []
    if isinstance(single, dict):
        refs.append((plugin.path("targetRef"), single))
    many = plugin.fields.get("targetRefs")
    for number, item in enumerate(many if isinstance(many, list) else []):
        refs.append(((*plugin.path("targetRefs"), number), item))
    return refs


def _targets(plugin: Plugin) -> Iterator[Problem]:
    for path, item in _target_refs(plugin):
        ref = mapping(item)
        group, kind = str(ref.get("group", "")), str(ref.get("kind", ""))
        if ref.get("namespace"):
            message = "cross namespace referencing is not currently supported"
            yield plugin.problem(API_REFUSES, (*path, "namespace"), message, "leave it out")
        if kind and (group, kind) not in _TARGET_KINDS:
            message = (
                "targetRef must be to one of Service, ServiceEntry, Gateway, GatewayClass but was "
                f"{group or 'core'}/{kind}"
            )
            hint = next((f"group: {g}" for g, k in sorted(_TARGET_KINDS) if k == kind and g), "")
            yield plugin.problem(API_REFUSES, path, message, hint)


def _environment(plugin: Plugin) -> Iterator[Problem]:
    at = (*plugin.path("vmConfig"), "env")
    seen: set[str] = set()
    env = mapping(plugin.fields.get("vmConfig")).get("env")
    for number, item in enumerate(env if isinstance(env, list) else []):
        entry = mapping(item)
        name = str(entry.get("name", ""))
        if name in seen:
            yield plugin.problem(API_REFUSES, (*at, number), "duplicate env", "keep one")
        seen.add(name)
        if "value" in entry and entry.get("valueFrom") == "HOST":
            message = "value may only be set when valueFrom is INLINE"
            hint = "HOST takes the value of the proxy's own environment: leave value out"
            yield plugin.problem(API_REFUSES, (*at, number), message, hint)
        if name.startswith("ISTIO_META_"):
            message = f"istio-agent takes {name} out before the plugin sees it"
            yield plugin.problem(WITHOUT_EFFECT, (*at, number), message, "another name")


def _ports(plugin: Plugin) -> Iterator[Problem]:
    """Port numbers are the keys of their list."""
    for number, item in enumerate(mappings(plugin.fields.get("match"))):
        ports = (port.get("number") for port in mappings(item.get("ports")))
        found = Counter(port for port in ports if isinstance(port, int | float | str))
        twice = next((port for port, times in found.items() if times > 1), None)
        if twice is not None:
            at = (*plugin.path("match"), number, "ports")
            message = f"the API server refuses it: port {shortened(twice)} is duplicated"
            yield plugin.problem(BY_NO_SCHEMA, at, message, "keep one")


def _named(release: Release) -> str:
    return f"{release[0]}.{release[1]}"
