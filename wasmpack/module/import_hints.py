"""What to do about an import that a proxy does not have, with the usual culprit named."""

from wasmpack.module import abi
from wasmpack.module.types import Import

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
