"""Targets for rules that depend on a proxy's age."""

from dataclasses import replace

from wasmpack.proxy_abi.abi import HostDate
from wasmpack.targets import Target, target


def envoy_of(host: HostDate) -> Target:
    """The newest Envoy, as if its host functions were of that date."""
    return replace(target("envoy-1.40"), host=host)
