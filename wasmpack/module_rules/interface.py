"""What a proxy of a given release would refuse among a module's imports."""

from collections.abc import Iterator

from wasmpack.findings import Problem, Severity, few
from wasmpack.proxy_abi import abi
from wasmpack.proxy_abi.abi import sdk_of
from wasmpack.wasm.types import Export, Import, Module


def import_problems(
    module: Module, version: str, host: abi.HostDate, own_functions: frozenset[str]
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


_EMSCRIPTEN = {"getTempRet0", "setTempRet0", "__assert_fail", "segfault", "alignfault", "exit"}


def import_hint(sdk: str, item: Import, version: str) -> str:
    """The next step for the author of a module made by this SDK."""
    if item.module in abi.WASI_MODULES:
        return _wasi_hint(sdk, item)
    if item.module.startswith("__wbindgen"):
        return "made by wasm-bindgen for browsers: build with cargo build, not wasm-pack"
    if item.module == "gojs":
        return "made by GOOS=js: build with GOOS=wasip1 -buildmode=c-shared"
    if item.module != "env":
        return "link this module in, or remove the import: proxies provide env and WASI only"
    if found := _tool_hint(sdk, item.name):
        return found
    versions = [known for known in abi.abis_of(item.name) if known != version]
    if versions:
        return (
            f"this function belongs to ABI {' and '.join(versions)}; the module declares {version}"
        )
    if item.name.startswith("proxy_"):
        return "a function of another proxy or of a draft: remove the call or choose another SDK"
    return "an unresolved symbol: link the library that defines it"


def signature_hint(sdk: str, item: Import, provided: str, version: str) -> str:
    """What to do about an import that is declared in another way than the proxy has it."""
    if sdk == "assemblyscript" and item.name in {"proxy_grpc_call", "proxy_grpc_stream"}:
        return f"the AssemblyScript SDK declares {item.name} wrongly: do not call it"
    return f"declare it as {provided}, or use an SDK made for ABI {version}"


def _tool_hint(sdk: str, name: str) -> str:
    """For what a compiler asks of its own run-time, which no proxy is."""
    if sdk == "assemblyscript" and name in {"abort", "seed"}:
        own = "abort=PATH/abort_proc_exit" if name == "abort" else "seed=PATH/of_yours"
        return f"AssemblyScript: build with --use {own}, or a {name} of yours"
    if name == "emscripten_notify_memory_growth":
        return "Emscripten: proxies have it since mid 2022; link with -sALLOW_MEMORY_GROWTH=0"
    if name in _EMSCRIPTEN or name.startswith(("emscripten_", "__syscall_", "invoke_", "_embind")):
        return "Emscripten's JavaScript run-time: link with -sSTANDALONE_WASM, as the C++ SDK does"
    if name.startswith(("__cxa_", "_Unwind_", "__gxx_")):
        return "C++ exceptions: compile with -fno-exceptions, or link libc++abi"
    return ""


def _wasi_hint(sdk: str, item: Import) -> str:
    if not any(
        abi.host_function(item.module, item.name, version, abi.NEWEST)
        for version in abi.MARKERS.values()
    ):
        return "no proxy provides this WASI function: avoid the library that needs it"
    if sdk == "go":
        return "Go 1.24 and later needs Envoy 1.33 (Istio 1.25) or newer; TinyGo needs less"
    return "only newer proxies provide it: choose a newer target, or stub it (wasi-stub)"


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


def _signature_problems(export: Export, version: str, host: abi.HostDate) -> Iterator[Problem]:
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
