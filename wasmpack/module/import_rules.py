"""What a proxy of a given release would refuse among a module's imports."""

from collections.abc import Iterator

from wasmpack.findings import Problem, Severity
from wasmpack.module import abi
from wasmpack.module.import_hints import import_hint, signature_hint
from wasmpack.module.sdk import sdk_of
from wasmpack.module.types import Import, Module


def import_problems(
    module: Module, version: str, host: str, own_functions: frozenset[str]
) -> Iterator[Problem]:
    sdk = sdk_of(module)
    for item in dict.fromkeys(module.imports):
        if item.kind == "func" and item.module == "env" and item.name in own_functions:
            yield _own_function(item)
        elif item.kind == "func":
            yield from _function_import_problems(sdk, item, version, host)
        elif item.kind == "global":
            yield _missing(sdk, item, version, "proxies provide no globals")


def _function_import_problems(sdk: str, item: Import, version: str, host: str) -> Iterator[Problem]:
    provided = abi.host_function(item.module, item.name, version, host)
    if provided is None:
        yield _missing(sdk, item, version, "")
    elif provided != item.type:
        yield Problem(
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


def _missing(sdk: str, item: Import, version: str, why: str) -> Problem:
    reason = why or "the proxy has no such function"
    return Problem(
        code="ABI002",
        severity=Severity.ERROR,
        where=f"import {item.module}.{item.name}",
        message=f"{reason}: 'Failed to load Wasm module due to a missing import: "
        f"{item.module}.{item.name}'",
        hint=import_hint(sdk, item, version),
    )
