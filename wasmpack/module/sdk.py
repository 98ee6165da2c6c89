"""Which SDK made a module, by its exports and the ``producers`` section. First match wins.

The fingerprints were checked on real builds of C++, TinyGo and Go; the others are read from the
SDKs' sources.
"""

from wasmpack.module.types import Module

_TINYGO = frozenset(
    {b"proxy_on_memory_allocate", b"malloc", b"free", b"calloc", b"realloc", b"_start"}
)
_CPP = frozenset({b"malloc", b"proxy_validate_configuration", b"proxy_on_request_metadata"})
_ASSEMBLYSCRIPT = frozenset({b"__new", b"__pin", b"__unpin", b"__collect"})
_ABORT = "(i32, i32, i32, i32) -> ()"


def sdk_of(module: Module) -> str:
    """``rust``, ``go-tinygo``, ``go``, ``cpp``, ``assemblyscript``, ``zig``, ``c`` or ``unknown``.

    A name says what made the file, as far as its traces tell; nothing is decided by it.
    """
    exports = module.functions.keys()
    languages = {name for name, _ in module.producers.get("language", ())}
    makers = " ".join(name.lower() for name, _ in module.producers.get("processed-by", ()))
    if "Rust" in languages or "rustc" in makers:
        return "rust"
    if exports >= _TINYGO or "tinygo" in makers:
        return "go-tinygo"
    if "Go" in languages or (module.custom("go:buildid") and b"_initialize" in exports):
        return "go"
    if exports >= _CPP:
        return "cpp"
    if b"proxy_on_grpc_trailing_metadata" in exports or _is_assemblyscript(module):
        return "assemblyscript"
    if "zig" in makers:
        return "zig"
    return "c" if "clang" in makers or languages & {"C", "C11", "C99"} else "unknown"


def _is_assemblyscript(module: Module) -> bool:
    return any(export.raw_name in _ASSEMBLYSCRIPT for export in module.exports) or any(
        i.raw_module == b"env" and i.raw_name == b"abort" and i.type == _ABORT
        for i in module.distinct_imports
    )
