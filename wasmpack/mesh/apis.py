"""The APIs whose resources load a plugin, and the plugins that a resource of each names.

Group and kind decide: ``WasmPlugin`` is a kind of Istio and, with other fields, of Higress. Fields
go by the names of Istio's WasmPlugin.

Sources: istio/api extensions/v1alpha1; alibaba/higress api/extensions/v1alpha1/wasm.proto and
pkg/ingress/config/ingress_config.go, ``convertIstioWasmPlugin``; Envoy Gateway
api/v1alpha1/wasm_types.go; Envoy api/envoy/extensions/wasm/v3/wasm.proto.
"""

import base64
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from wasmpack.kubeyaml.documents import FieldPath
from wasmpack.mesh.mappings import filled, mapping, mappings
from wasmpack.oci.canonical import JsonObject, JsonValue, canonical_json

WASM_PLUGIN = "WasmPlugin"
TRAFFIC_EXTENSION = "TrafficExtension"
EXTENSION_POLICY = "EnvoyExtensionPolicy"
ENVOY_FILTER = "EnvoyFilter"
CARRIERS = (WASM_PLUGIN, TRAFFIC_EXTENSION, EXTENSION_POLICY, ENVOY_FILTER)
"""Kinds that carry plugins."""


@dataclass(frozen=True, slots=True)
class Api:
    """A group that has kinds of resources with plugins."""

    group: str
    version: str
    reader: str
    """For messages."""
    consumers: tuple[str, ...]
    """Those of the targets that read it."""


_ISTIOS = ("istio", "ossm")
ISTIO = Api("extensions.istio.io", "v1alpha1", "Istio and OpenShift Service Mesh", _ISTIOS)
HIGRESS = Api("extensions.higress.io", "v1alpha1", "Higress", ("higress",))
GATEWAY = Api("gateway.envoyproxy.io", "v1alpha1", "Envoy Gateway", ("envoy-gateway",))
NETWORKING = Api("networking.istio.io", "v1alpha3", ISTIO.reader, _ISTIOS)
_DEFINITIONS = {
    (ISTIO.group, WASM_PLUGIN): (ISTIO, "WasmPlugin"),
    (ISTIO.group, TRAFFIC_EXTENSION): (ISTIO, "TrafficExtension"),
    (HIGRESS.group, WASM_PLUGIN): (HIGRESS, "HigressWasmPlugin"),
    (GATEWAY.group, EXTENSION_POLICY): (GATEWAY, "EnvoyExtensionPolicy"),
    (NETWORKING.group, ENVOY_FILTER): (NETWORKING, ""),
}
APIS = (ISTIO, HIGRESS, GATEWAY, NETWORKING)
_OWN_API = {EXTENSION_POLICY: GATEWAY, ENVOY_FILTER: NETWORKING}


def api_of(value: JsonObject) -> tuple[Api, str] | None:
    """The API of a resource and the name of its schema; None for a group that is not known.

    A resource without a group is taken for one of the usual API, which refuses it.
    """
    kind = str(value.get("kind"))
    group = value.get("apiVersion")
    name = group.rpartition("/")[0] if isinstance(group, str) else ""
    return _DEFINITIONS.get((name or _OWN_API.get(kind, ISTIO).group, kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A plugin in a resource."""

    fields: JsonObject
    """By WasmPlugin's names."""
    places: Mapping[str, FieldPath] = field(default_factory=dict)
    """Paths of fields that are not directly under ``spec``."""
    configuration: bytes | None = None
    """The text that the plugin gets, if it is not made of ``pluginConfig``."""
    vm_configuration: bytes | None = None
    """The text that its VM gets; only Envoy's own configuration has a place for one."""


def carried(definition: str, spec: JsonObject) -> list[Carried]:
    """The plugins of a resource."""
    if definition == "TrafficExtension":
        return [_traffic_extension(spec)]
    if definition == "HigressWasmPlugin":
        return [_higress(spec)]
    if definition == "EnvoyExtensionPolicy":
        return list(_extension_policy(spec))
    if definition == "WasmPlugin":
        return [Carried(fields=dict(spec))]
    return list(_envoy_filter(spec))


_IN_WASM = (
    "url",
    "sha256",
    "imagePullPolicy",
    "imagePullSecret",
    "verificationKey",
    "pluginConfig",
    "pluginName",
    "failStrategy",
    "type",
    "vmConfig",
)


def _traffic_extension(spec: JsonObject) -> Carried:
    fields: JsonObject = {k: v for k, v in spec.items() if k != "wasm"} | mapping(spec.get("wasm"))
    if fields.get("phase") == "UNSPECIFIED":
        fields["phase"] = "UNSPECIFIED_PHASE"
    return Carried(fields=fields, places={name: ("spec", "wasm", name) for name in _IN_WASM})


def _higress(spec: JsonObject) -> Carried:
    """``defaultConfig`` with the rules under ``_rules_``, unless ``pluginConfig`` is given."""
    own = ("defaultConfig", "defaultConfigDisable", "matchRules")
    fields: JsonObject = {key: value for key, value in spec.items() if key not in own}
    if spec.get("pluginConfig"):
        return Carried(fields=fields, places={"type": ("spec",)})
    config = {} if spec.get("defaultConfigDisable") is True else mapping(spec.get("defaultConfig"))
    rules = [
        _rule(rule) for rule in mappings(spec.get("matchRules")) if not rule.get("configDisable")
    ]
    matching: list[JsonValue] = [
        rule for rule in rules if any(key in rule for key in _MATCHES.values())
    ]
    composed = {**config, "_rules_": matching} if matching else config
    return Carried(
        fields=fields | filled({"pluginConfig": composed}),
        places={"pluginConfig": ("spec", "defaultConfig"), "type": ("spec",)},
    )


_MATCHES = {"ingress": "_match_route_", "domain": "_match_domain_", "service": "_match_service_"}


def _rule(rule: JsonObject) -> JsonObject:
    found = {own: rule[name] for name, own in _MATCHES.items() if rule.get(name)}
    return {**mapping(rule.get("config")), **found}


def _extension_policy(spec: JsonObject) -> Iterator[Carried]:
    wasm = spec.get("wasm")
    for number, item in enumerate(wasm if isinstance(wasm, list) else []):
        entry = mapping(item)
        at: FieldPath = ("spec", "wasm", number)
        code = mapping(entry.get("code"))
        source = "image" if "image" in code else "http"
        place = mapping(code.get(source))
        url = str(place.get("url") or "")
        fields: JsonObject = {
            "url": f"oci://{url.removeprefix('oci://')}" if source == "image" and url else url,
            "sha256": place.get("sha256") or code.get("sha256"),
            "imagePullPolicy": code.get("pullPolicy"),
            "imagePullSecret": mapping(place.get("pullSecretRef")).get("name"),
            "pluginName": entry.get("rootID"),
            "failStrategy": "FAIL_OPEN" if entry.get("failOpen") is True else "",
            "vmConfig": filled({"env": _host_variables(entry)}),
        }
        config = entry.get("config")
        yield Carried(
            fields=filled(fields),
            places={
                "url": (*at, "code", source, "url"),
                "sha256": (*at, "code", source, "sha256"),
                "imagePullSecret": (*at, "code", source, "pullSecretRef"),
                "imagePullPolicy": (*at, "code", "pullPolicy"),
                "vmConfig": (*at, "env"),
                "type": at,
            },
            configuration=b"" if config is None else canonical_json(config),
        )


def _host_variables(entry: JsonObject) -> list[JsonValue]:
    keys = mapping(entry.get("env")).get("hostKeys")
    names = keys if isinstance(keys, list) else []
    return [{"name": str(name), "valueFrom": "HOST"} for name in names]


_WASM_FILTERS = {
    "envoy.extensions.filters.http.wasm.v3.Wasm": "HTTP",
    "envoy.extensions.filters.network.wasm.v3.Wasm": "NETWORK",
}
HTTP_ONLY = (HIGRESS, GATEWAY)
"""Those whose plugins are HTTP filters, whatever they export."""
_STRUCTS = ("udpa.type.v1.TypedStruct", "xds.type.v3.TypedStruct")
"""Messages that name the type of what they hold."""


def _envoy_filter(spec: JsonObject) -> Iterator[Carried]:
    """Each module that its patches load, once."""
    seen: list[Carried] = []
    patches = spec.get("configPatches")
    for number, patch in enumerate(patches if isinstance(patches, list) else []):
        value = mapping(mapping(mapping(patch).get("patch")).get("value"))
        kind, filter_ = _typed(mapping(value.get("typed_config") or value.get("typedConfig")))
        if kind not in _WASM_FILTERS:
            continue
        at: FieldPath = ("spec", "configPatches", number)
        found = _wasm_filter(mapping(filter_.get("config")), _WASM_FILTERS[kind])
        if found.fields.get("url") and found not in seen:
            seen.append(found)
            yield replace(found, places=dict.fromkeys(("url", "sha256", "vmConfig", "type"), at))


def _typed(value: JsonObject) -> tuple[str, JsonObject]:
    """The message type of an ``Any``, and its fields."""
    kind = str(value.get("@type")).rpartition("/")[2]
    if kind in _STRUCTS:
        named = _either(value, "type_url", "typeUrl")
        return str(named).rpartition("/")[2], mapping(value.get("value"))
    return kind, value


def _wasm_filter(config: JsonObject, kind: str) -> Carried:
    """Envoy's ``PluginConfig``; names of fields in either of the two forms that it takes."""
    vm = mapping(_either(config, "vm_config", "vmConfig"))
    code = mapping(vm.get("code"))
    remote = mapping(code.get("remote"))
    local = mapping(code.get("local")).get("filename")
    uri = mapping(_either(remote, "http_uri", "httpUri")).get("uri")
    variables = mapping(_either(vm, "environment_variables", "environmentVariables"))
    pairs = mapping(_either(variables, "key_values", "keyValues"))
    host_keys = _either(variables, "host_env_keys", "hostEnvKeys")
    env: list[JsonValue] = [{"name": name, "value": value} for name, value in pairs.items()]
    env += [
        {"name": name, "valueFrom": "HOST"}
        for name in (host_keys if isinstance(host_keys, list) else [])
    ]
    fields: JsonObject = {
        "url": f"file://{local}" if local else uri,
        "sha256": remote.get("sha256"),
        "pluginName": _either(config, "root_id", "rootId"),
        "vmConfig": filled({"env": env}),
        "type": kind,
    }
    return Carried(
        fields=filled(fields),
        configuration=_any_text(mapping(config.get("configuration"))),
        vm_configuration=_any_text(mapping(vm.get("configuration"))),
    )


def _either(value: JsonObject, name: str, other: str) -> JsonValue:
    return value.get(name, value.get(other))


def _any_text(value: JsonObject) -> bytes:
    """The text that Envoy makes of an ``Any`` (envoy source/common/protobuf, ``anyToBytes``)."""
    content = value.get("value")
    if isinstance(content, str) and str(value.get("@type")).endswith("BytesValue"):
        with contextlib.suppress(ValueError):  # refused by Envoy; the text says more than nothing
            return base64.b64decode(content, validate=True)
    if isinstance(content, str):
        return content.encode()
    return canonical_json(content) if content is not None else b""
