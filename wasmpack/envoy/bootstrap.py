"""Envoy's configuration for plugins on one loopback listener, as data.

Documented in Envoy's API reference: ``config.bootstrap.v3``, ``extensions.wasm.v3.PluginConfig``.
JSON is what Envoy reads here, so no YAML library is needed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wasmpack.oci.canonical import JsonObject, JsonValue

_TYPE = "type.googleapis.com/"
_MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_RUNTIME = "envoy.wasm.runtime.v8"
"""The runtime Istio and OpenShift Service Mesh use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One plugin of the filter chain; first in the list is first to see a request."""

    module: Path
    configuration: str | None = None
    """Handed to ``proxy_on_configure`` as text; None gives none."""
    name: str = "plugin"
    vm_configuration: str | None = None
    """Handed to ``proxy_on_vm_start`` as text; None gives none."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the VM."""
    root_id: str = ""
    vm_id: str = ""


def bootstrap(plugins: Sequence[Plugin], *, answer: str = "hello\n") -> JsonObject:
    """A listener on a free loopback port that answers every request itself, through the plugins.

    :param answer: body of the direct response (status 200)
    """
    return {
        "admin": {"address": loopback()},
        "static_resources": {"listeners": [listener(plugins, name="plugins", answer=answer)]},
    }


def listener(plugins: Sequence[Plugin], *, name: str, answer: str) -> JsonObject:
    """The listener alone, for a list of them (``config.listener.v3.Listener``)."""
    route: JsonObject = {
        "match": {"prefix": "/"},
        "direct_response": {"status": 200, "body": {"inline_string": answer}},
    }
    manager: JsonObject = {
        "@type": _TYPE + _MANAGER,
        "stat_prefix": "wasmpack",
        "http_filters": [*(_wasm_filter(plugin) for plugin in plugins), _router()],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
    }
    return {
        "name": name,
        "address": loopback(),
        "filter_chains": [
            {
                "filters": [
                    {
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": manager,
                    }
                ]
            }
        ],
    }


def _wasm_filter(plugin: Plugin) -> JsonObject:
    vm: JsonObject = {
        "vm_id": plugin.vm_id,
        "runtime": _RUNTIME,
        "code": {"local": {"filename": str(plugin.module.absolute())}},
    }
    if plugin.env:
        vm["environment_variables"] = {"key_values": dict(plugin.env)}
    if plugin.vm_configuration is not None:
        vm["configuration"] = _text(plugin.vm_configuration)
    config: JsonObject = {"name": plugin.name, "root_id": plugin.root_id, "vm_config": vm}
    if plugin.configuration is not None:
        config["configuration"] = _text(plugin.configuration)
    return {
        "name": plugin.name,
        "typed_config": {
            "@type": _TYPE + "envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": config,
        },
    }


def _text(value: str) -> JsonObject:
    return {"@type": _TYPE + "google.protobuf.StringValue", "value": value}


def _router() -> JsonValue:
    return {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": _TYPE + "envoy.extensions.filters.http.router.v3.Router"},
    }


def loopback() -> JsonObject:
    """Port 0: the kernel gives a free one, which the admin interface then tells."""
    return {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
