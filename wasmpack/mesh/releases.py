"""Which Istio a target is built on, and what its WasmPlugin API knows.

>>> from wasmpack.targets import target
>>> istio_release(target("ossm-2.6"))
(1, 20)

The fields' first releases stand in the schema (``x-since``), read from the CRDs that Istio 1.12.9
to 1.31.0 ship; those of OpenShift Service Mesh are those of the Istio it is built on.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from wasmpack.errors import WrongUsage
from wasmpack.schemas import load_schema
from wasmpack.targets import Target, asks_for_all, choose

Release = tuple[int, int]
OLDEST: Release = (1, 12)
"""First release with WasmPlugin."""
TRAFFIC_EXTENSION: Release = (1, 30)
HONOURS_PULL_FIELDS: Release = (1, 14)
"""imagePullPolicy and imagePullSecret are used (istio 4e8f236708)."""
BOTH_DIRECTIONS: Release = (1, 14)
"""Sidecars run plugins on outbound traffic too; before, on inbound only."""
_READERS = ("istio", "ossm")


def istio_release(target: Target) -> Release | None:
    """The Istio release that reads the resource; None for a consumer without WasmPlugin."""
    if target.consumer not in _READERS:
        return None
    name = target.name if target.consumer == "istio" else target.based_on or ""
    major, minor = name.removeprefix("istio-").split(".")[:2]
    return int(major), int(minor)


def mesh_targets(names: tuple[str, ...] | list[str] = ()) -> dict[str, Release]:
    """The targets asked for that read WasmPlugin, with their releases.

    :raises WrongUsage: one that was named does not
    """
    found = {row.name: istio_release(row) for row in choose(tuple(names))}
    others = [name for name, release in found.items() if release is None]
    if names and others and not asks_for_all(names):
        raise WrongUsage(
            f"--target {others[0]}: WasmPlugin is read by Istio and OpenShift Service Mesh",
            hint="istio-1.12 and later, ossm-2.2 and later: wasmpack targets",
        )
    return {name: release for name, release in found.items() if release is not None}


def parse_release(text: str) -> Release:
    """``1.16``."""
    major, _, minor = text.partition(".")
    return int(major), int(minor)


@cache
def known_since(kind: str) -> Mapping[str, Release]:
    """Fields of ``spec`` that came after their kind."""
    spec = load_schema("wasmplugin")["$defs"][kind]["properties"]["spec"]
    return {
        name: parse_release(rule["x-since"])
        for name, rule in spec["properties"].items()
        if "x-since" in rule
    }


@cache
def values_since(field: str) -> Mapping[str, Release]:
    """Values of an enumeration that came after their field."""
    rules: Mapping[str, Any] = load_schema("wasmplugin")["$defs"].get(field, {})
    return {value: parse_release(since) for value, since in rules.get("x-value-since", {}).items()}
