"""What a proxy of a given release would refuse among a module's exports."""

from collections.abc import Iterator

from wasmpack.findings import Problem, Severity, few
from wasmpack.module import abi
from wasmpack.module.types import Export, Module

_PREFIX = b"proxy_on_"


def export_problems(module: Module, version: str, host: str) -> Iterator[Problem]:
    reactor = module.exported("_initialize") is not None
    known = abi.callbacks()
    for raw, export in module.functions.items():
        if raw in known and not _passed_over(export.name, module, reactor=reactor):
            yield from _signature_problems(export, version, host)
    yield from few(
        (e for raw, e in module.functions.items() if raw.startswith(_PREFIX) and raw not in known),
        _unknown_callback,
    )
    if not any(module.exported(name) for name in abi.ALLOCATORS):
        yield Problem(
            code="ABI005",
            severity=Severity.ERROR,
            where="exports",
            message="neither malloc nor proxy_on_memory_allocate is exported: "
            "'Wasm module is missing malloc function.'",
            hint="export proxy_on_memory_allocate (i32) -> i32; SDKs do it for you",
        )
    yield from _marker_doubts(module)


def _passed_over(name: str, module: Module, *, reactor: bool) -> bool:
    """Start functions and the allocator are looked up only when the one before is absent."""
    if name in {"main", "__main_void"}:
        return not reactor
    if name == "_start":
        return reactor
    return name == "proxy_on_memory_allocate" and module.exported("malloc") is not None


def _signature_problems(export: Export, version: str, host: str) -> Iterator[Problem]:
    wanted = abi.export_signature(export.name, version, host)
    if wanted is not None and wanted != export.type:
        yield Problem(
            code="ABI004",
            severity=Severity.ERROR,
            where=f"export {export.name}",
            message=f"exported as {export.type}, but ABI {version} wants {wanted}: "
            f"'Bad function signature for: {export.name}'",
            hint=f"give it the signature {wanted}",
        )
    elif wanted is None and abi.right_name(export.name):
        yield Problem(
            code="ABI007",
            severity=Severity.WARNING,
            where=f"export {export.name}",
            message="no proxy calls this callback",
            hint=f"the name that proxies call is {abi.right_name(export.name)}",
        )


def _unknown_callback(export: Export) -> Problem:
    return Problem(
        code="ABI008",
        severity=Severity.INFO,
        where=f"export {export.name}",
        message="no proxy calls a callback of this name",
    )


def _marker_doubts(module: Module) -> Iterator[Problem]:
    markers = [raw.decode() for raw in module.functions if raw in abi.MARKERS]
    if len(markers) > 1:
        yield Problem(
            code="ABI006",
            severity=Severity.WARNING,
            where=f"export {markers[0]}",
            message=f"several ABI markers ({', '.join(markers)}): the first in export order "
            "decides",
            hint="export one marker only",
        )
