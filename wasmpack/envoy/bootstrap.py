"""Envoy's configuration for plugins on loopback listeners, as data.

The fixed parts are in ``bootstrap.json``; the parts that depend on the plugins are filled in here.
JSON is what Envoy reads here, so no YAML library is needed.
"""

import hashlib
import json
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from wasmpack.oci.canonical import JsonObject

LISTENERS = "./listeners.json"
"""Envoy's name of the file with the listeners: each is loaded or refused by itself."""
_ANY_TIME = "0s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One plugin of the filter chain; first in the list is first to see a request."""

    module: Path | bytes
    """A file, or the bytes of the module."""
    configuration: str | None = None
    """Passed to ``proxy_on_configure`` as text; None for no configuration."""
    name: str = "plugin"
    vm_configuration: str | None = None
    """Passed to ``proxy_on_vm_start`` as text; None for no configuration."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the VM."""
    root_id: str = ""
    vm_id: str = ""
    fail_strategy: str = ""
    """``FAIL_OPEN``, ``FAIL_CLOSE`` or ``FAIL_RELOAD``, as WasmPlugin says it; empty: as Envoy
    does."""
    network: bool = False
    """A network filter (``type: NETWORK``)."""

    @property
    def file(self) -> str:
        """The module's name for Envoy, whose directory has those that are given as bytes."""
        if isinstance(self.module, Path):
            return str(self.module.absolute())
        return f"./{hashlib.sha256(self.module).hexdigest()}.wasm"

    @property
    def size(self) -> int:
        """Bytes of the module."""
        module = self.module
        return module.stat().st_size if isinstance(module, Path) else len(module)

    @property
    def context(self) -> str:
        """How Envoy names the plugin in its log."""
        return " ".join(filter(None, (self.name, self.root_id, self.vm_id)))


_POLICIES = {
    "FAIL_OPEN": "FAIL_OPEN",
    "FAIL_CLOSE": "FAIL_CLOSED",
    "FAIL_RELOAD": "FAIL_RELOAD",
}


def bootstrap(clusters: Sequence[JsonObject] = (), *, admin: JsonObject) -> JsonObject:
    """A proxy with the listeners of :data:`LISTENERS`.

    :param admin: address of the admin interface
    """
    source: JsonObject = {"path_config_source": {"path": LISTENERS}}
    return {
        "node": {"id": "wasmpack", "cluster": "wasmpack"},
        "admin": {"address": admin},
        "dynamic_resources": {"lds_config": source},
        "static_resources": {"clusters": list(clusters)},
    }


def resources(listeners: Sequence[JsonObject]) -> JsonObject:
    """The content of :data:`LISTENERS`."""
    kind = _forms()["listener_type"]
    rows: list[Any] = [{"@type": kind, **listener} for listener in listeners]
    return {"version_info": "1", "resources": rows}


def answering(plugins: Sequence[Plugin], *, name: str, body: str, status: int = 200) -> JsonObject:
    """A listener on a free loopback port that answers every request itself, through the plugins."""
    answer: JsonObject = {"status": status, "body": {"inline_string": body}}
    return _listener(plugins, name, {"direct_response": answer})


def forwarding(plugins: Sequence[Plugin], *, name: str, cluster: str, port: int = 0) -> JsonObject:
    """A listener that sends what gets through the plugins to a cluster.

    Network plugins alone get connections, and not requests.
    """
    route: JsonObject = {"cluster": cluster, "timeout": _ANY_TIME}
    made = _listener(plugins, name, {"route": route})
    if plugins and all(plugin.network for plugin in plugins):
        made = _connections(plugins, name, cluster)
    return made | {"address": loopback(port)}


def cluster(name: str, port: int) -> JsonObject:
    """An HTTP server at that port of loopback."""
    address: JsonObject = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    endpoints: list[Any] = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    assignment: JsonObject = {"cluster_name": name, "endpoints": endpoints}
    return {"name": name, "load_assignment": assignment, **_form("cluster")}


def unix_socket(path: str) -> JsonObject:
    """A socket that its owner alone can open."""
    return {"pipe": {"path": path, "mode": 0o600}}


def loopback(port: int = 0) -> JsonObject:
    """A port of the loopback interface; 0 is a free one, which the admin interface then reports."""
    form: Any = _form("address")
    form["socket_address"]["port_value"] = port
    address: JsonObject = form
    return address


def _listener(plugins: Sequence[Plugin], name: str, action: JsonObject) -> JsonObject:
    form: Any = _form("listener")
    filters = form["filter_chains"][0]["filters"]
    manager = filters[0]["typed_config"]
    (host,) = manager["route_config"]["virtual_hosts"]
    host["routes"].append({"match": {"prefix": "/"}, **action})
    manager["http_filters"][:0] = [_wasm_filter(each) for each in plugins if not each.network]
    filters[:0] = [_wasm_filter(each) for each in plugins if each.network]
    return {"name": name, "address": loopback(), **form}


def _connections(plugins: Sequence[Plugin], name: str, cluster: str) -> JsonObject:
    proxy: Any = _form("tcp_proxy")
    proxy["typed_config"]["cluster"] = cluster
    filters: list[Any] = [*map(_wasm_filter, plugins), proxy]
    return {"name": name, "address": loopback(), "filter_chains": [{"filters": filters}]}


def _wasm_filter(plugin: Plugin) -> JsonObject:
    form: Any = _form("filter")
    form["typed_config"]["@type"] = _forms()["NETWORK" if plugin.network else "HTTP"]
    config = form["typed_config"]["config"]
    config |= {"name": plugin.name, "root_id": plugin.root_id}
    if plugin.fail_strategy:
        config["failure_policy"] = _POLICIES[plugin.fail_strategy]
    code = {"local": {"filename": plugin.file}}
    config["vm_config"] |= {"vm_id": plugin.vm_id, "code": code}
    if plugin.env:
        config["vm_config"]["environment_variables"] = {"key_values": dict(plugin.env)}
    for part, text in (
        (config, plugin.configuration),
        (config["vm_config"], plugin.vm_configuration),
    ):
        if text is not None:
            part["configuration"] = {**_form("configuration"), "value": text}
    return {"name": plugin.name, **form}


def _form(name: str) -> JsonObject:
    """A part of the file, to be filled in."""
    found: JsonObject = json.loads(json.dumps(_forms()[name]))
    return found


@cache
def _forms() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads(pkgutil.get_data(__name__, "bootstrap.json") or b"")
    return loaded
