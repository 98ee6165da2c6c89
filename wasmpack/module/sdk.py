"""Which SDK made a module, by its exports and the ``producers`` section. First match wins.

The fingerprints were checked on real builds of C++, TinyGo and Go; the others are read from the
SDKs' sources.
"""

from wasmpack.module.types import Import, Module

_TINYGO = frozenset({"proxy_on_memory_allocate", "malloc", "free", "calloc", "realloc", "_start"})
_CPP = frozenset({"malloc", "proxy_validate_configuration", "proxy_on_request_metadata"})


def sdk_of(module: Module) -> str:
    """``rust``, ``go-tinygo``, ``go``, ``cpp``, ``assemblyscript``, ``zig``, ``c`` or ``unknown``.

    A name says what made the file, as far as its traces tell; nothing is decided by it.
    """
    exports = {export.name for export in module.exports if export.kind == "func"}
    languages = {name for name, _ in module.producers.get("language", ())}
    makers = " ".join(name.lower() for name, _ in module.producers.get("processed-by", ()))
    if "Rust" in languages or "rustc" in makers:
        return "rust"
    if exports >= _TINYGO or "tinygo" in makers:
        return "go-tinygo"
    if "Go" in languages or (module.custom("go:buildid") and "_initialize" in exports):
        return "go"
    if exports >= _CPP:
        return "cpp"
    if "proxy_on_grpc_trailing_metadata" in exports or _is_assemblyscript(module):
        return "assemblyscript"
    if "zig" in makers:
        return "zig"
    return "c" if "clang" in makers or languages & {"C", "C11", "C99"} else "unknown"


def _is_assemblyscript(module: Module) -> bool:
    runtime = {"__new", "__pin", "__unpin", "__collect"}
    exported = {export.name for export in module.exports}
    abort = Import("env", "abort", "func", "(i32, i32, i32, i32) -> ()")
    return bool(runtime & exported) or abort in module.imports
