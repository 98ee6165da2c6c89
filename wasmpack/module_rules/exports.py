"""Findings on a module's exports: callbacks, the allocator, ABI markers."""

from collections.abc import Iterator

from wasmpack.findings import Problem, Rule, Severity, few
from wasmpack.proxy_abi import abi
from wasmpack.wasm.types import Export, Module

EXPORT_MISMATCH = Rule(
    code="ABI004",
    title="an export the proxy looks up has another signature",
    consumer="`Bad function signature for: …`",
    fix="give it the signature shown",
)
NO_ALLOCATOR = Rule(
    code="ABI005",
    title="neither `malloc` nor `proxy_on_memory_allocate` is exported",
    consumer="`Wasm module is missing malloc function.`",
    fix="export one of them, `(i32) -> i32`",
)
SEVERAL_MARKERS = Rule(
    code="ABI006",
    title="several ABI markers",
    severity=Severity.WARNING,
    cause="the first in export order decides",
    consumer="every proxy",
    fix="export one",
)
MISNAMED_CALLBACK = Rule(
    code="ABI007",
    title="a callback under a name that no proxy calls",
    severity=Severity.WARNING,
    consumer="every proxy",
    fix="use the name in the hint",
)
UNKNOWN_CALLBACK = Rule(
    code="ABI008",
    title="an unknown `proxy_on_*` export",
    severity=Severity.INFO,
    consumer="every proxy",
    fix="none needed",
)
_PREFIX = b"proxy_on_"


def export_problems(module: Module, version: str, host: abi.HostDate) -> Iterator[Problem]:
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
        yield NO_ALLOCATOR.problem(
            "exports",
            "neither malloc nor proxy_on_memory_allocate is exported: "
            "'Wasm module is missing malloc function.'",
            "export proxy_on_memory_allocate (i32) -> i32; SDKs do it for you",
        )
    yield from _marker_doubts(module)


def _passed_over(name: str, module: Module, *, reactor: bool) -> bool:
    """Start functions and the allocator are looked up only when the one before is absent."""
    if name in {"main", "__main_void"}:
        return not reactor
    if name == "_start":
        return reactor
    return name == "proxy_on_memory_allocate" and module.exported("malloc") is not None


def _signature_problems(export: Export, version: str, host: abi.HostDate) -> Iterator[Problem]:
    wanted = abi.export_signature(export.name, version, host)
    if wanted is not None and wanted != export.type:
        yield EXPORT_MISMATCH.problem(
            f"export {export.name}",
            f"exported as {export.type}, but ABI {version} wants {wanted}: "
            f"'Bad function signature for: {export.name}'",
            f"give it the signature {wanted}",
        )
    elif wanted is None and abi.right_name(export.name):
        yield MISNAMED_CALLBACK.problem(
            f"export {export.name}",
            "no proxy calls this callback",
            f"the name that proxies call is {abi.right_name(export.name)}",
        )


def _unknown_callback(export: Export) -> Problem:
    return UNKNOWN_CALLBACK.problem(
        f"export {export.name}",
        "no proxy calls a callback of this name",
    )


def _marker_doubts(module: Module) -> Iterator[Problem]:
    markers = [raw.decode() for raw in module.functions if raw in abi.MARKERS]
    if len(markers) > 1:
        yield SEVERAL_MARKERS.problem(
            f"export {markers[0]}",
            f"several ABI markers ({', '.join(markers)}): the first in export order decides",
            "export one marker only",
        )
