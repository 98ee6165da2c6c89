"""Envoy's configuration for plugins on one loopback listener, as data.

The fixed parts are in ``bootstrap.json``; the parts that depend on the plugins are filled in here.
JSON is what Envoy reads here, so no YAML library is needed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from wasmpack.oci.canonical import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One plugin of the filter chain; first in the list is first to see a request."""

    module: Path
    configuration: str | None = None
    """Passed to ``proxy_on_configure`` as text; None for no configuration."""
    name: str = "plugin"
    vm_configuration: str | None = None
    """Passed to ``proxy_on_vm_start`` as text; None for no configuration."""
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
    form: Any = _form("listener")
    manager = form["filter_chains"][0]["filters"][0]["typed_config"]
    manager["http_filters"][:0] = map(_wasm_filter, plugins)
    (host,) = manager["route_config"]["virtual_hosts"]
    host["routes"][0]["direct_response"]["body"]["inline_string"] = answer
    return {"name": name, "address": loopback(), **form}


def loopback() -> JsonObject:
    """A free port of the loopback interface, which the admin interface then reports."""
    return _form("address")


def _wasm_filter(plugin: Plugin) -> JsonObject:
    form: Any = _form("filter")
    config = form["typed_config"]["config"]
    config |= {"name": plugin.name, "root_id": plugin.root_id}
    code = {"local": {"filename": str(plugin.module.absolute())}}
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
    forms: dict[str, JsonObject] = json.loads(
        files(__package__).joinpath("bootstrap.json").read_text()
    )
    return forms[name]
