"""Which Istio a target is built on, and what its WasmPlugin API knows.

>>> from wasmpack.targets import target
>>> istio_release(target("ossm-2.6"))
(1, 20)

The fields' first releases stand in the schema (``x-since``), read from the CRDs that Istio 1.12.9
to 1.31.0 ship; those of OpenShift Service Mesh are those of the Istio it is built on.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from wasmpack.errors import WrongUsage
from wasmpack.mesh.apis import ISTIO, Api
from wasmpack.schemas import load_schema
from wasmpack.targets import Target, asks_for_all, choose

Release = tuple[int, int]
OLDEST_POLICY: Release = (1, 1)
"""First release of Envoy Gateway that runs Wasm."""
OLDEST: Release = (1, 12)
"""First release with WasmPlugin."""
TRAFFIC_EXTENSION: Release = (1, 30)
HONOURS_PULL_FIELDS: Release = (1, 14)
"""imagePullPolicy and imagePullSecret are used (istio 4e8f236708)."""
BOTH_DIRECTIONS: Release = (1, 14)
"""Sidecars run plugins on outbound traffic too; before, on inbound only."""
_BY_NAME = ("istio", "envoy-gateway")
"""Consumers whose resources follow their own releases; others follow what they ship."""


def istio_release(target: Target) -> Release | None:
    """The Istio release that reads the resource; None for a consumer without WasmPlugin."""
    return resource_release(target) if target.consumer in ISTIO.consumers else None


def resource_release(target: Target) -> Release:
    """The release of a consumer of resources, by which its API changes."""
    name = target.name if target.consumer in _BY_NAME else target.based_on or ""
    major, minor = name.rpartition("-")[2].split(".")[:2]
    return int(major), int(minor)


def mesh_targets(names: Sequence[str] = (), apis: Sequence[Api] = (ISTIO,)) -> dict[str, Release]:
    """The targets asked for that read resources of some APIs, with their releases.

    :raises WrongUsage: one that was named does not
    """
    consumers = {consumer for api in apis for consumer in api.consumers}
    chosen = choose(tuple(names))
    others = [row.name for row in chosen if row.consumer not in consumers]
    if names and others and not asks_for_all(names):
        known = ISTIO in apis or not apis
        what = "WasmPlugin is read by" if known else "it reads no resource here; they are read by"
        readers = " and ".join(dict.fromkeys(api.reader for api in apis))
        raise WrongUsage(
            f"--target {others[0]}: {what} {readers}",
            hint="istio-1.12 and later, ossm-2.2 and later: wasmpack targets"
            if known
            else "wasmpack targets",
        )
    return {row.name: resource_release(row) for row in chosen if row.consumer in consumers}


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
