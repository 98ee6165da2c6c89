"""What a proxy of a given release would refuse among a module's imports."""

from collections.abc import Iterator

from wasmpack.findings import Problem, Rule, Severity, few
from wasmpack.proxy_abi import abi
from wasmpack.proxy_abi.abi import sdk_of
from wasmpack.wasm.types import Import, Module

MISSING_IMPORT = Rule(
    code="ABI002",
    title="an import that the proxy does not have under this ABI, or not yet in this release; any "
    "imported global",
    consumer="`Failed to load Wasm module due to a missing import`",
    fix="the hint names the usual culprit: SDK, WASI level, ABI",
)
IMPORT_MISMATCH = Rule(
    code="ABI003",
    title="an import with another signature than the proxy's",
    consumer="`… due to an import type mismatch`",
    fix="declare it with the signature shown",
)
OWN_FUNCTION = Rule(
    code="ABI010",
    title="an import that only this consumer provides, and whose signature is not established",
    severity=Severity.WARNING,
    consumer="Higress; every other proxy refuses it (ABI002)",
    fix="try it there",
)


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
    return IMPORT_MISMATCH.problem(
        f"import {item.module}.{item.name}",
        f"imported as {item.type}, but the proxy has {provided}: 'Failed to load Wasm "
        f"module due to an import type mismatch: {item.module}.{item.name}'",
        signature_hint(sdk, item, provided, version),
    )


def _own_function(item: Import) -> Problem:
    return OWN_FUNCTION.problem(
        f"import env.{item.name}",
        "a function of this consumer alone, whose signature is not established: neither it "
        "nor the start-up was checked",
        "try the plugin there; every other proxy refuses it",
    )


def _missing(sdk: str, item: Import, version: str) -> Problem:
    why = (
        "proxies provide no globals" if item.kind == "global" else "the proxy has no such function"
    )
    return MISSING_IMPORT.problem(
        f"import {item.module}.{item.name}",
        f"{why}: 'Failed to load Wasm module due to a missing import: {item.module}.{item.name}'",
        import_hint(sdk, item, version),
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
