"""A plugin as an EnvoyFilter, for proxies whose control plane has no WasmPlugin.

A file is loaded by the filter itself. An image or an http(s) URL comes by extension discovery, as
pilot sends it for a WasmPlugin: istio-agent fetches what the URL names (http(s) since Istio 1.9,
oci since 1.12; istio pilot/pkg/model/extensions.go, ``buildDataSource``).
"""

from collections.abc import Mapping

from wasmpack.errors import WrongUsage
from wasmpack.mesh.behaviour import plugin_configuration, variables
from wasmpack.mesh.plugin import filled, mapping, mappings
from wasmpack.mesh.url import MeshUrl
from wasmpack.oci.canonical import JsonObject, JsonValue

Fields = Mapping[str, JsonValue]
_STRING_VALUE = "type.googleapis.com/google.protobuf.StringValue"
_FILTER = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
_MANAGER = "envoy.filters.network.http_connection_manager"
_ROUTER = "envoy.filters.http.router"
_SIDECAR_IN, _SIDECAR_OUT, _GATEWAY = "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY"
_CONTEXTS = {"CLIENT": (_SIDECAR_OUT, _GATEWAY), "SERVER": (_SIDECAR_IN,)}
_PULL_TIMEOUT = "30s"
HTTP_TYPES = (None, "HTTP", "UNSPECIFIED_PLUGIN_TYPE")
"""Values of ``type`` that mean an HTTP filter."""
_NOT_SAID = {
    "targetRef": "--selector",
    "targetRefs": "--selector",
    "verificationKey": "no release verifies signatures",
    "imagePullSecret": "pilot hands secrets over for WasmPlugins only: use istio-agent's own "
    "Docker configuration",
    "priority": "of several EnvoyFilters the one created last comes last",
}


def envoy_filter_spec(name: str, fields: Fields) -> JsonObject:
    """The ``spec`` of the EnvoyFilter.

    :raises WrongUsage: a field it has no place for
    """
    for field, hint in _NOT_SAID.items():
        if fields.get(field):
            raise WrongUsage(f"EnvoyFilter has no field for {field}", hint=hint)
    if fields.get("type") not in HTTP_TYPES:
        raise WrongUsage("EnvoyFilter: wasmpack writes plugins of type HTTP only")
    if fields.get("failStrategy") == "FAIL_RELOAD":
        raise WrongUsage(
            "EnvoyFilter: wasmpack writes no FAIL_RELOAD", hint="FAIL_OPEN, FAIL_CLOSE"
        )
    url = MeshUrl.parse(str(fields["url"]))
    config: JsonObject = {"@type": _FILTER, "config": _config(name, fields, url)}
    contexts = _contexts(mappings(fields.get("match")))
    if url.scheme == "file":
        filters = [_http_filter(context, fields, _named(name, config)) for context in contexts]
    else:
        by_discovery: JsonObject = {
            "name": name,
            "config_discovery": {
                "config_source": {"ads": {}, "initial_fetch_timeout": "0s"},
                "type_urls": [_FILTER],
            },
        }
        filters = [_http_filter(context, fields, by_discovery) for context in contexts]
        filters += [_extension(context, _named(name, config)) for context in contexts]
    labels = mapping(fields.get("selector")).get("matchLabels")
    spec: JsonObject = {"workloadSelector": {"labels": labels}} if labels else {}
    spec["configPatches"] = [*filters]
    return spec


def _named(name: str, config: JsonObject) -> JsonObject:
    return {"name": name, "typed_config": config}


def _contexts(match: list[JsonObject]) -> list[str]:
    if any(item.get("ports") for item in match):
        raise WrongUsage("EnvoyFilter: wasmpack writes no ports", hint="leave the ports out")
    found: list[str] = []
    for item in match or [{}]:
        every = (_SIDECAR_IN, _SIDECAR_OUT, _GATEWAY)
        found += _CONTEXTS.get(str(item.get("mode", "")), every)
    return list(dict.fromkeys(found))


def _http_filter(context: str, fields: Fields, value: JsonObject) -> JsonObject:
    """AUTHN stands first; other filters it could be put before are not there in every proxy."""
    first = fields.get("phase") == "AUTHN"
    manager: JsonObject = {"name": _MANAGER}
    if not first:
        manager["subFilter"] = {"name": _ROUTER}
    return {
        "applyTo": "HTTP_FILTER",
        "match": {"context": context, "listener": {"filterChain": {"filter": manager}}},
        "patch": {"operation": "INSERT_FIRST" if first else "INSERT_BEFORE", "value": value},
    }


def _extension(context: str, value: JsonObject) -> JsonObject:
    return {
        "applyTo": "EXTENSION_CONFIG",
        "match": {"context": context},
        "patch": {"operation": "ADD", "value": value},
    }


def _config(name: str, fields: Fields, url: MeshUrl) -> JsonObject:
    """Envoy's ``PluginConfig`` (envoy/extensions/wasm/v3/wasm.proto)."""
    text = plugin_configuration(fields.get("pluginConfig")).decode()
    vm: JsonObject = {
        "runtime": "envoy.wasm.runtime.v8",
        "code": _code(fields, url),
        "environment_variables": _variables(fields),
    }
    return filled(
        {
            "name": name,
            "root_id": fields.get("pluginName"),
            "fail_open": fields.get("failStrategy") == "FAIL_OPEN",
            "configuration": {"@type": _STRING_VALUE, "value": text} if text else None,
            "vm_config": filled(vm),
        }
    )


def _code(fields: Fields, url: MeshUrl) -> JsonObject:
    if url.scheme == "file":
        return {"local": {"filename": url.path}}
    uri: JsonObject = {"uri": url.text, "timeout": _PULL_TIMEOUT, "cluster": "_"}
    return {"remote": filled({"http_uri": uri, "sha256": fields.get("sha256")})}


def _variables(fields: Fields) -> JsonObject:
    given, of_host = variables(fields)
    values: JsonObject = dict(given)
    if fields.get("imagePullPolicy") in ("Always", "IfNotPresent"):
        values["ISTIO_META_WASM_IMAGE_PULL_POLICY"] = fields["imagePullPolicy"]
    return filled({"host_env_keys": list(of_host), "key_values": values})
