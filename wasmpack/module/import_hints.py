"""What to do about an import that a proxy does not have, with the usual culprit named."""

from wasmpack.module import abi
from wasmpack.module.types import Import


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
    if item.name == "abort" and sdk == "assemblyscript":
        return "AssemblyScript: build with --use abort=PATH/abort_proc_exit, or an abort of yours"
    versions = [known for known in abi.abis_of(item.name) if known != version]
    if versions:
        return (
            f"this function belongs to ABI {' and '.join(versions)}; the module declares {version}"
        )
    if item.name.startswith("proxy_"):
        return "a function of another proxy or of a draft: remove the call or choose another SDK"
    return "an unresolved symbol: link the library that defines it"


def _wasi_hint(sdk: str, item: Import) -> str:
    if not any(
        abi.host_function(item.module, item.name, version, "9999-12-31")
        for version in abi.MARKERS.values()
    ):
        return "no proxy provides this WASI function: avoid the library that needs it"
    if sdk == "go":
        return "Go 1.24 and later needs Envoy 1.33 (Istio 1.25) or newer; TinyGo needs less"
    return "only newer proxies provide it: choose a newer target, or stub it (wasi-stub)"
