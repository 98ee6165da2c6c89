"""What a proxy of a given release would refuse among a module's imports."""

from collections.abc import Iterator

from wasmpack.findings import Problem, Severity, few
from wasmpack.module import abi
from wasmpack.module.import_hints import import_hint, signature_hint
from wasmpack.module.sdk import sdk_of
from wasmpack.module.types import Import, Module


def import_problems(
    module: Module, version: str, host: str, own_functions: frozenset[str]
) -> Iterator[Problem]:
    sdk = sdk_of(module)

    def provided(item: Import) -> str | None:
        return abi.host_function(item.module, item.name, version, host)

    def mismatch(item: Import) -> Problem:
        return _mismatch(sdk, item, provided(item) or "", version)

    def missing(item: Import) -> Problem:
        return _missing(sdk, item, version)

    own: list[Import] = []
    others: list[Import] = []
    for item in module.distinct_imports:
        if item.kind in {"func", "global"}:
            (own if _is_own(item, own_functions) else others).append(item)
    yield from few(own, _own_function)
    yield from few((i for i in others if i.kind == "global" or provided(i) is None), missing)
    yield from few(
        (i for i in others if i.kind == "func" and provided(i) not in {None, i.type}), mismatch
    )


def _is_own(item: Import, own_functions: frozenset[str]) -> bool:
    return item.kind == "func" and item.raw_module == b"env" and item.name in own_functions


def _mismatch(sdk: str, item: Import, provided: str, version: str) -> Problem:
    return Problem(
        code="ABI003",
        severity=Severity.ERROR,
        where=f"import {item.module}.{item.name}",
        message=f"imported as {item.type}, but the proxy has {provided}: 'Failed to load Wasm "
        f"module due to an import type mismatch: {item.module}.{item.name}'",
        hint=signature_hint(sdk, item, provided, version),
    )


def _own_function(item: Import) -> Problem:
    return Problem(
        code="ABI010",
        severity=Severity.WARNING,
        where=f"import env.{item.name}",
        message="a function of this consumer alone, whose signature is not established: neither it "
        "nor the start-up was checked",
        hint="try the plugin there; every other proxy refuses it",
    )


def _missing(sdk: str, item: Import, version: str) -> Problem:
    why = (
        "proxies provide no globals" if item.kind == "global" else "the proxy has no such function"
    )
    return Problem(
        code="ABI002",
        severity=Severity.ERROR,
        where=f"import {item.module}.{item.name}",
        message=f"{why}: 'Failed to load Wasm module due to a missing import: "
        f"{item.module}.{item.name}'",
        hint=import_hint(sdk, item, version),
    )
