"""Effects of a valid resource that its author may not expect, by release.

Sources: istio pilot/pkg/model/extensions.go (configuration, file URLs),
pilot/pkg/networking/core/listener_builder.go (order).
"""

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from wasmpack.findings import Problem, Rule, Severity, few
from wasmpack.kubeyaml.documents import FieldPath
from wasmpack.mesh.plugin import ROOT_NAMESPACE, Plugin, mapping, mappings
from wasmpack.mesh.pulling import digest_problems, pulling_problems
from wasmpack.mesh.releases import (
    HONOURS_PULL_FIELDS,
    OLDEST,
    Release,
    known_since,
)
from wasmpack.mesh.url import URL_FAULT, MeshUrl
from wasmpack.oci.canonical import JsonValue, canonical_json

_EXACT = 1 << 53
"""Integers beyond it are not all doubles (IEEE 754), and pluginConfig holds doubles."""
_AS_STRING = "write it as a string"
_OF_PULLING = ("imagePullPolicy", "imagePullSecret")
STATS_FAIL_CLOSED = Rule(
    code="WPL009",
    title="a plugin of the STATS phase that fails closed",
    severity=Severity.WARNING,
    cause="it stops all traffic, though only statistics are lost without it",
    consumer="Istio",
    example="phase: STATS",
    fix="`failStrategy: FAIL_OPEN`",
)
CHANGED_CONFIGURATION = Rule(
    code="WPL012",
    title="a `pluginConfig` that reaches the plugin changed, or not at all",
    severity=Severity.WARNING,
    otherwise="error, info",
    cause="integers beyond 2^53 arrive as other numbers, those beyond all doubles not at "
    "all, an empty mapping as none",
    consumer="Istio",
    example="pluginConfig: {id: 9007199254740993}",
    fix="write them as strings",
)
WITHOUT_EFFECT = Rule(
    code="WPL013",
    title="a field without effect",
    severity=Severity.WARNING,
    cause="for a file, an http(s) URL, before Istio 1.14, `verificationKey`, variables called "
    "`ISTIO_META_…`",
    consumer="as the message says",
    example="verificationKey: key.pub",
    fix="leave it out",
)
HOST_VARIABLE = Rule(
    code="WPL022",
    title="a variable of the proxy's environment (`valueFrom: HOST`), or of `--env` alone",
    severity=Severity.WARNING,
    otherwise="info with `--env`",
    cause="the dry run cannot know the proxy's value, and the mesh gives no other variables",
    consumer="Istio 1.16 and later",
    example="vmConfig: {env: [{name: POD_NAME, valueFrom: HOST}]}",
    fix="write the value, or try it with `--env NAME=VALUE`",
)
WIDE_SCOPE = Rule(
    code="WPL014",
    title="a scope that may be wider than meant",
    severity=Severity.WARNING,
    cause="a selector without labels, the root namespace without a selector",
    consumer="Istio",
    example="selector: {}",
    fix="a selector, or another namespace",
)


def standing_problems(
    plugin: Plugin, url: MeshUrl, given: Collection[str] = ()
) -> Iterator[Problem]:
    """Those of one resource on every release.

    :param given: variables that the user gives a value to try
    """
    yield from url_problems(plugin, url)
    yield from digest_problems(plugin, url)
    yield from _without_effect(plugin, url)
    yield from host_variables(plugin, given)
    yield from _configuration(plugin)
    yield from _scope(plugin)


def url_problems(plugin: Plugin, url: MeshUrl) -> Iterator[Problem]:
    """Those of the URL alone."""
    for fault in url.faults:
        yield plugin.problem(URL_FAULT, "url", fault.message, fault.hint(), severity=fault.severity)


def behaviour_problems(plugin: Plugin, url: MeshUrl, release: Release) -> Iterator[Problem]:
    """Those of one resource on one release."""
    if release < HONOURS_PULL_FIELDS:
        for name in _OF_PULLING:
            if plugin.fields.get(name):
                message = "without effect before Istio 1.14 (OpenShift Service Mesh 2.3)"
                yield plugin.problem(WITHOUT_EFFECT, name, message)
    else:
        yield from pulling_problems(plugin, url)
    yield from _failing(plugin, release)


def variables(fields: Mapping[str, JsonValue]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Environment variables with a value, and the names of those that the proxy's own decide."""
    entries = mappings(mapping(fields.get("vmConfig")).get("env"))
    of_host = [entry for entry in entries if entry.get("valueFrom") == "HOST"]
    values = [entry for entry in entries if entry.get("valueFrom") != "HOST"]
    return (
        {str(entry.get("name")): str(entry.get("value") or "") for entry in values},
        tuple(str(entry.get("name")) for entry in of_host),
    )


def host_variables(plugin: Plugin, given: Collection[str] = ()) -> Iterator[Problem]:
    """Those of variables whose values the proxy has, and of values given that it does not have."""
    values, of_host = variables(plugin.fields)
    for name in sorted({*given} - {*values, *of_host}):
        message = f"--env {name} has no effect: the mesh does not give the plugin this variable"
        hint = f"spec.vmConfig.env: [{{name: {name}, value: VALUE}}]"
        yield plugin.problem(HOST_VARIABLE, "vmConfig", message, hint)
    for name in of_host:
        if name in given:
            message = f"{name} has the value that it has in the proxy; here, that of --env is tried"
            yield plugin.problem(HOST_VARIABLE, "vmConfig", message, severity=Severity.INFO)
            continue
        message = f"{name} has the value that it has in the proxy, which is not known here"
        hint = f"what depends on it is not judged; try a value with --env {name}=VALUE"
        yield plugin.problem(HOST_VARIABLE, "vmConfig", message, hint)


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


def _without_effect(plugin: Plugin, url: MeshUrl) -> Iterator[Problem]:
    if url.scheme == "file":
        for name in ("sha256", *_OF_PULLING):
            if plugin.fields.get(name):
                message = "without effect for a file in the proxy: it is neither pulled nor checked"
                yield plugin.problem(WITHOUT_EFFECT, name, message, "leave it out")
    if url.scheme in ("http", "https") and plugin.fields.get("imagePullSecret"):
        message = "without effect for an http(s) URL: it is fetched without credentials"
        yield plugin.problem(WITHOUT_EFFECT, "imagePullSecret", message, "leave it out")
    if plugin.fields.get("verificationKey"):
        message = "no release verifies signatures"
        hint = "verify them before the image gets into the cluster"
        yield plugin.problem(WITHOUT_EFFECT, "verificationKey", message, hint)


def _failing(plugin: Plugin, release: Release) -> Iterator[Problem]:
    if plugin.text("phase") == "STATS" and plugin.text("failStrategy") in {"", "FAIL_CLOSE"}:
        at = "failStrategy" if plugin.text("failStrategy") else "phase"
        known = release >= known_since(plugin.definition).get("failStrategy", OLDEST)
        hint = "failStrategy: FAIL_OPEN" if known else ""
        message = "a plugin of the STATS phase that fails stops all traffic, as one of AUTHZ would"
        yield plugin.problem(STATS_FAIL_CLOSED, at, message, hint)


def _configuration(plugin: Plugin) -> Iterator[Problem]:
    config = plugin.fields.get("pluginConfig")
    if config == {}:
        message = "an empty mapping counts as unset: the plugin gets no configuration"
        yield plugin.problem(
            CHANGED_CONFIGURATION, "pluginConfig", message, "leave it out", severity=Severity.INFO
        )
    if not isinstance(config, dict):
        return
    at = plugin.path("pluginConfig")

    def too_large(found: _Integer) -> Problem:
        message = "the API server refuses it: no double is as large as this number"
        return plugin.problem(
            CHANGED_CONFIGURATION, (*at, *found[0]), message, _AS_STRING, severity=Severity.ERROR
        )

    def changed(found: _Integer) -> Problem:
        message = f"this integer arrives as {_double(found[1]):.0f}: numbers are doubles"
        return plugin.problem(CHANGED_CONFIGURATION, (*at, *found[0]), message, _AS_STRING)

    yield from few((row for row in _integers(config) if math.isinf(_double(row[1]))), too_large)
    yield from few((row for row in _integers(config) if _is_rounded(row[1])), changed)


def _is_rounded(number: int) -> bool:
    if abs(number) <= _EXACT:
        return False
    return _double(number) != number and not math.isinf(_double(number))


_Integer = tuple[FieldPath, int]


def _integers(value: JsonValue, path: FieldPath = ()) -> Iterator[_Integer]:
    if isinstance(value, dict | list):
        items: Any = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _integers(item, (*path, key))
    elif isinstance(value, int) and not isinstance(value, bool):
        yield path, value


def _scope(plugin: Plugin) -> Iterator[Problem]:
    selects = any(plugin.fields.get(name) for name in ("selector", "targetRef", "targetRefs"))
    if plugin.namespace == ROOT_NAMESPACE and not selects:
        message = f"in the root namespace ({ROOT_NAMESPACE}) it runs in every proxy of the mesh"
        hint = "a selector or targetRefs, or another namespace"
        yield plugin.problem(WIDE_SCOPE, ("metadata", "namespace"), message, hint)
