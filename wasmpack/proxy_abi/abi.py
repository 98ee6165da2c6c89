"""The proxy-wasm ABI as tables: exports that Envoy looks up, and functions that it provides.

The tables are data (``data/abi.json``); signatures are text as :mod:`wasmpack.wasm.reader`
writes them. Where the host (proxy-wasm-cpp-host) and the specification differ, the host wins.
A function is provided by a release if it was added to the host on or before that release's date.

>>> host_function("env", "proxy_log", "0.2.1", "2026-04-06")
'(i32, i32, i32) -> i32'
"""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, NewType, TypedDict

MARKERS: Mapping[bytes, str] = {
    b"proxy_abi_version_0_1_0": "0.1.0",
    b"proxy_abi_version_0_2_0": "0.2.0",
    b"proxy_abi_version_0_2_1": "0.2.1",
}
"""Exported functions that declare an ABI; the first in export order decides."""
ALLOCATORS = ("malloc", "proxy_on_memory_allocate")
"""Looked up in this order (wasm.cc, ``getFunctions``)."""
WASI_MODULES = ("wasi_snapshot_preview1", "wasi_unstable")
HostDate = NewType("HostDate", str)
"""The day of a change to proxy-wasm-cpp-host (``2026-04-06``): a host has all changes up to it."""
EPOCH = HostDate("2020-03-04")
"""First host release, and the date of every entry without one."""
NEWEST = HostDate("9999-12-31")
"""A host that has everything."""


if TYPE_CHECKING:

    class _Row(TypedDict, total=False):
        signature: str
        signatures: dict[str, str]
        """By ABI, if it depends on it."""
        abis: list[str]
        """All three where absent."""
        since: HostDate
        memory: bool
        """False for a host function that never looks into the module's memory."""

    class _Allowed(TypedDict):
        since: HostDate
        functions: list[str]

    class _Change(TypedDict):
        since: HostDate
        note: str

    class _Tables(TypedDict):
        exports: dict[str, _Row]
        exportsNeverLookedUp: dict[str, str]
        hostFunctions: dict[str, _Row]
        extraFunctions: dict[str, _Row]
        wasiFunctions: dict[str, _Row]
        changes: dict[str, _Change]
        startUpAllowed: list[_Allowed]


@cache
def tables() -> _Tables:
    """The tables as in the file."""
    tables: _Tables = json.loads(pkgutil.get_data(__name__, "data/abi.json") or b"")
    return tables


def since(change: str) -> HostDate:
    """The date from which hosts behave differently: a row of ``changes``."""
    return tables()["changes"][change]["since"]


def export_signature(name: str, abi: str, host: HostDate) -> str | None:
    """The signature Envoy demands of an export it looks up under that ABI; None if it does not."""
    row = tables()["exports"].get(name)
    if row is None or not _has(row, abi, host):
        return None
    return row["signatures"][abi] if "signatures" in row else row["signature"]


@cache
def callbacks() -> frozenset[bytes]:
    """Exports that any ABI looks up, and those that some SDK exports and no host calls."""
    names = (*tables()["exports"], *tables()["exportsNeverLookedUp"])
    return frozenset(name.encode() for name in names)


def right_name(name: str) -> str:
    """The intended name of a callback that no host calls; empty if unknown."""
    return tables()["exportsNeverLookedUp"].get(name, "")


def host_function(module: str, name: str, abi: str, host: HostDate) -> str | None:
    """The signature of a function the host provides to imports, or None.

    :param abi: the module's ABI; the host's table depends on it (wasm.cc, ``registerCallbacks``)
    :param host: date of the target's host
    """
    row = _row(module, name)
    return row["signature"] if row and _has(row, abi, host) else None


def _has(row: _Row, abi: str, host: HostDate) -> bool:
    return abi in row.get("abis", abi) and row.get("since", EPOCH) <= host


def wasi_functions(host: HostDate) -> tuple[str, ...]:
    """The WASI functions that a host of that date provides, under both module names."""
    rows = tables()["wasiFunctions"].items()
    return tuple(name for name, row in rows if row.get("since", EPOCH) <= host)


def touches_memory(module: str, name: str) -> bool:
    """Return True for a host function that reads or writes the module's memory."""
    row = _row(module, name)
    return row is not None and row.get("memory", True)


def _row(module: str, name: str) -> _Row | None:
    if module in WASI_MODULES:
        return tables()["wasiFunctions"].get(name)
    if module != "env":
        return None
    return tables()["hostFunctions"].get(name) or tables()["extraFunctions"].get(name)


def abis_of(name: str) -> tuple[str, ...]:
    """The ABIs under which ``env`` has this function; empty if it is in none."""
    row = tables()["hostFunctions"].get(name)
    return tuple(row.get("abis", tuple(MARKERS.values()))) if row else ()


def start_up_allowed(name: str, host: HostDate) -> bool:
    """Return True if start-up code may call this function on a host of that date."""
    if host < since("startUpChecked"):
        return True
    rows = tables()["startUpAllowed"]
    return any(row["since"] <= host and name in row["functions"] for row in rows)
