"""Findings on a module's exports: callbacks, the allocator, ABI markers."""

from collections.abc import Iterator, Sequence

from wasmpack.findings import Problem, Rule, Severity, few
from wasmpack.module_rules.likewise import likewise
from wasmpack.proxy_abi import abi
from wasmpack.proxy_abi.module import sdk_of
from wasmpack.wasm.types import Export, Module

EXPORT_MISMATCH = Rule(
    code="ABI004",
    title="an export the proxy looks up has another signature",
    consumer="`Bad function signature for: …`",
    example='(func (export "proxy_on_log") (result i32) (i32.const 0))',
    fix="give it the signature shown",
)
NO_ALLOCATOR = Rule(
    code="ABI005",
    title="neither `malloc` nor `proxy_on_memory_allocate` is exported",
    consumer="`Wasm module is missing malloc function.`",
    example='(module (func (export "proxy_abi_version_0_2_1")))',
    fix="export one of them, `(i32) -> i32`",
)
SEVERAL_MARKERS = Rule(
    code="ABI006",
    title="several ABI markers",
    severity=Severity.WARNING,
    cause="the first in export order decides",
    consumer="every proxy",
    example='(func (export "proxy_abi_version_0_1_0"))\n(func (export "proxy_abi_version_0_2_1"))',
    fix="export one",
)
MISNAMED_CALLBACK = Rule(
    code="ABI007",
    title="a callback under a name that no proxy calls",
    severity=Severity.WARNING,
    consumer="every proxy",
    example='(func (export "proxy_on_grpc_trailing_metadata")\n  (param i32 i32 i32))',
    fix="use the name in the hint",
)
UNKNOWN_CALLBACK = Rule(
    code="ABI008",
    title="an unknown `proxy_on_*` export",
    severity=Severity.INFO,
    consumer="every proxy",
    example='(func (export "proxy_on_reload"))',
    fix="no action needed",
)
OTHER_SDK = (
    "built with an SDK from before mid 2020, or for another proxy: build with a current "
    "proxy-wasm SDK"
)
"""The hint where each fix by hand would only lead to the next error."""
_PREFIX = b"proxy_on_"
_EXPORT_MISNAMED = {"assemblyscript", "cpp"}
"""SDKs that export callbacks under names of a draft in every module, next to the right ones."""


def export_problems(module: Module, version: str, host: abi.HostDate) -> Iterator[Problem]:
    known = abi.callbacks()
    looked_up = [e for raw, e in module.functions.items() if raw in known and _counts(e, module)]
    yield from _mismatches(looked_up, version, host)
    if sdk_of(module) not in _EXPORT_MISNAMED:
        yield from _misnamed(looked_up, version, host)
    yield from few(
        (e for raw, e in module.functions.items() if raw.startswith(_PREFIX) and raw not in known),
        _unknown_callback,
    )
    if not any(module.exported(name) for name in abi.ALLOCATORS):
        yield NO_ALLOCATOR.problem(
            "exports",
            "neither malloc nor proxy_on_memory_allocate is exported: "
            "'Wasm module is missing malloc function.'",
            "export proxy_on_memory_allocate (i32) -> i32; every SDK does so",
        )
    yield from _marker_doubts(module)


def _counts(export: Export, module: Module) -> bool:
    """Start functions and the allocator are looked up only when the one before is absent."""
    reactor = module.exported("_initialize") is not None
    if export.name in {"main", "__main_void"}:
        return reactor
    if export.name == "_start":
        return not reactor
    return export.name != "proxy_on_memory_allocate" or module.exported("malloc") is None


def _mismatches(exports: Sequence[Export], version: str, host: abi.HostDate) -> Iterator[Problem]:
    """One problem for all callbacks: several point to the SDK, not to a slip of the author."""
    wanted = {e.name: abi.export_signature(e.name, version, host) for e in exports}
    wrong = [e for e in exports if wanted[e.name] not in {None, e.type}]
    callbacks = [e for e in wrong if e.raw_name.startswith(_PREFIX)]
    for export in callbacks[:1]:
        others = [other.name for other in callbacks[1:]]
        yield _mismatch(export, version, f"{wanted[export.name]}", others)
    for export in wrong:
        if export not in callbacks:
            yield _mismatch(export, version, f"{wanted[export.name]}")


def _mismatch(export: Export, version: str, wanted: str, others: Sequence[str] = ()) -> Problem:
    return EXPORT_MISMATCH.problem(
        f"export {export.name}",
        f"exported as {export.type}, but ABI {version} wants {wanted}: "
        f"'Bad function signature for: {export.name}'{likewise(others)}",
        OTHER_SDK if others else f"give it the signature {wanted}",
    )


def _misnamed(exports: Sequence[Export], version: str, host: abi.HostDate) -> Iterator[Problem]:
    for export in exports:
        right = abi.right_name(export.name)
        if right and abi.export_signature(export.name, version, host) is None:
            yield MISNAMED_CALLBACK.problem(
                f"export {export.name}",
                "no proxy calls this callback",
                f"the name that proxies call is {right}",
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
