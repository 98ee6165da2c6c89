"""Calls that a proxy forbids in start code, and how their author gets rid of them."""

from wasmpack.findings import Problem, Rule

FORBIDDEN_CALL = Rule(
    code="RUN002",
    title="start code called a host function that is forbidden there",
    cause="one of them is the `proc_exit` of a module linked as a command, whose `_start` runs "
    "`main` and exits",
    consumer="proxies since 2022-08: `restricted_callback`",
    example='(import "env" "proxy_done" (func $done (result i32)))\n'
    '(func (export "_start") (drop (call $done)))',
    fix="call it from `proxy_on_vm_start` or later; link a command as a library "
    "(`-buildmode=c-shared`)",
)
_GO = "GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared"
_TINYGO = "tinygo build -target=wasip1 -buildmode=c-shared"
_AS_LIBRARY = {
    "go": _GO,
    "go-tinygo": f"{_TINYGO} (TinyGo 0.35 or newer)",
    "rust": 'crate-type = ["cdylib"] in Cargo.toml, and cargo build --lib',
    "cpp": "em++ --no-entry -sSTANDALONE_WASM",
    "c": "clang -mexec-model=reactor",
    "zig": "zig build-lib -dynamic (a library with exe.entry = .disabled, in build.zig)",
    "assemblyscript": "asc --exportStart _initialize",
}
"""How each SDK's modules are linked as a library, whose `_start` does not run ``main``."""
_ANY_LIBRARY = f"{_GO}, {_TINYGO}, or clang -mexec-model=reactor"


def forbidden_call(caller: str, name: str, sdk: str) -> Problem:
    """A start function's call that the proxy answers with a trap."""
    if (caller, name) == ("_start", "proc_exit"):
        why = "; the module is a command, which runs main and exits"
        hint = f"link it as a library: {_AS_LIBRARY.get(sdk, _ANY_LIBRARY)}"
    else:
        why = ""
        hint = "call it from proxy_on_vm_start or later; global constructors run too early"
    return FORBIDDEN_CALL.problem(
        f"{caller}, call of {name}",
        "the proxy forbids this call in _initialize, main and _start: "
        f"'Uncaught Error: restricted_callback'{why}",
        hint,
    )
