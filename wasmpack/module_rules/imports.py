"""Imports for which a proxy of a given release would refuse a module."""

import json
import pkgutil
import re
from collections.abc import Iterator, Sequence
from functools import cache

from wasmpack.findings import Problem, Rule, Severity, few
from wasmpack.module_rules.likewise import EXAMINED, likewise
from wasmpack.proxy_abi import abi
from wasmpack.proxy_abi.module import sdk_of
from wasmpack.wasm.types import Import, Module

MISSING_IMPORT = Rule(
    code="ABI002",
    title="an import that the proxy does not have under this ABI, or not yet in this release; any "
    "imported global",
    consumer="`Failed to load Wasm module due to a missing import`",
    example='(import "env" "proxy_foo" (func))',
    fix="the hint names the usual culprit: SDK, WASI level, ABI",
)
IMPORT_MISMATCH = Rule(
    code="ABI003",
    title="an import with another signature than the proxy's",
    consumer="`… due to an import type mismatch`",
    example='(import "env" "proxy_log" (func (param i32)))',
    fix="declare it with the signature shown",
)
OWN_FUNCTION = Rule(
    code="ABI010",
    title="an import that only this consumer provides, and whose signature is not established",
    severity=Severity.WARNING,
    consumer="Higress; every other proxy refuses it (ABI002)",
    example='(import "env" "proxy_redis_init" (func))',
    fix="try it there",
)

_REASONS = {"global": "proxies provide no globals", "func": "the proxy has no such function"}
"""Why an import is missing, by its kind."""


def import_problems(
    module: Module, version: str, host: abi.HostDate, own_functions: frozenset[str] = frozenset()
) -> Iterator[Problem]:
    sdk = sdk_of(module)
    own: list[Import] = []
    missing: list[Import] = []
    known: list[tuple[Import, str]] = []
    for item in module.distinct_imports:
        provided = abi.host_function(item.module, item.name, version, host)
        if _is_own(item, own_functions):
            own.append(item)
        elif item.kind == "global" or (item.kind == "func" and provided is None):
            missing.append(item)
        elif item.kind == "func" and provided:
            known.append((item, provided))
    mismatched = ((item, provided) for item, provided in known if provided != item.type)
    yield from few(own, _own_function)
    yield from _missing_problems(sdk, missing, version)
    yield from few(mismatched, lambda pair: _mismatch(sdk, *pair, version))


def _is_own(item: Import, own_functions: frozenset[str]) -> bool:
    return item.kind == "func" and item.raw_module == b"env" and item.name in own_functions


def _mismatch(sdk: str, item: Import, provided: str, version: str) -> Problem:
    return IMPORT_MISMATCH.problem(
        f"import {item.module}.{item.name}",
        f"imported as {item.type}, but the proxy has {provided}: 'Failed to load Wasm "
        f"module due to an import type mismatch: {item.module}.{item.name}'",
        signature_hint(sdk, item, provided, version),
    )


def _own_function(item: Import) -> Problem:
    return OWN_FUNCTION.problem(
        f"import env.{item.name}",
        "only this consumer has this function, and its signature is not established: neither "
        "it nor the start-up was checked",
        "try the plugin there; every other proxy refuses it",
    )


def _missing_problems(sdk: str, missing: Sequence[Import], version: str) -> Iterator[Problem]:
    """One problem for each cause: its author links or builds in another way, once."""
    causes: dict[tuple[str, str], list[Import]] = {}
    for item in missing[:EXAMINED]:
        cause = _REASONS[item.kind], import_hint(sdk, item, version)
        causes.setdefault(cause, []).append(item)
    at_least = len(missing) > EXAMINED
    yield from few(causes.items(), lambda cause: _missing(*cause[0], cause[1], at_least=at_least))


def _missing(why: str, hint: str, items: Sequence[Import], *, at_least: bool) -> Problem:
    first, *others = (f"{item.module}.{item.name}" for item in items)
    also = likewise(others, at_least=at_least)
    return MISSING_IMPORT.problem(
        f"import {first}",
        f"{why}: 'Failed to load Wasm module due to a missing import: {first}'{also}",
        hint,
    )


def import_hint(sdk: str, item: Import, version: str) -> str:
    """The next step for the author of a module made by this SDK."""
    if item.module in abi.WASI_MODULES:
        return _wasi_hint(sdk, item)
    versions = [known for known in abi.abis_of(item.name) if known != version]
    if item.module == "env" and versions:
        return f"belongs to ABI {' and '.join(versions)}; the module declares {version}"
    seen = {"sdk": sdk, "module": item.module, "name": item.name}
    return next(row["hint"] for row in _hints() if _fits(row, seen))


@cache
def _hints() -> list[dict[str, str]]:
    """Hints, with patterns of the SDKs, modules and names they are for."""
    hints: list[dict[str, str]] = json.loads(
        pkgutil.get_data(__name__, "import_hints.json") or b""
    )["hints"]
    return hints


def _fits(row: dict[str, str], seen: dict[str, str]) -> bool:
    return all(re.fullmatch(row.get(part, ".*"), text, re.DOTALL) for part, text in seen.items())


def signature_hint(sdk: str, item: Import, provided: str, version: str) -> str:
    """The hint for an import that is declared with another type than the proxy's."""
    if sdk == "assemblyscript" and item.name in {"proxy_grpc_call", "proxy_grpc_stream"}:
        return f"the AssemblyScript SDK declares {item.name} wrongly: do not call it"
    return f"declare it as {provided}, or use an SDK made for ABI {version}"


def _wasi_hint(sdk: str, item: Import) -> str:
    if not any(
        abi.host_function(item.module, item.name, version, abi.NEWEST)
        for version in abi.MARKERS.values()
    ):
        return "no proxy provides this part of WASI: avoid the library that needs it"
    if sdk == "go":
        return "Go 1.24 and later needs Envoy 1.33 (Istio 1.25), not Higress 2; TinyGo needs less"
    return "only newer proxies provide it: choose a newer target, or stub it (wasi-stub)"
