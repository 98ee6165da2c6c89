"""Findings on a module as a whole: is it readable, and does the engine accept it."""

from wasmpack.findings import Problem, Rule, Severity
from wasmpack.module_rules.step_ends import BEYOND_BOUNDS
from wasmpack.proxy_abi.host_scan import HostScan
from wasmpack.wasm.cursor import MalformedModule

WHOLE_FILE = "file"
"""The place of a finding that is of no single section."""
MALFORMED = Rule(
    code="MOD001",
    title="not a core WebAssembly module",
    cause="another file type, a component, cut off, damaged, or more of something than the engine "
    "takes (1,000 parameters or results, 10,000 fields, 1,000,000 types, functions, imports, "
    "exports, globals or tags, 100,000 tables or memories, 65,520 targets of a `br_table`, 10,000 "
    "elements of an `array.new_fixed`: V8's limits, observed with Envoy 1.40.0)",
    consumer="every proxy: `Failed to parse corrupted Wasm module`, `Missing or unknown Proxy-Wasm "
    "ABI version` or `Failed to load Wasm bytecode`, whichever it comes to first",
    example="(component (core module))",
    fix="give the compiled core module; build for `wasm32-wasip1`, not `wasip2`",
)
INVALID = Rule(
    code="MOD003",
    title="not valid by wasmtime",
    consumer="every proxy: `Failed to load Wasm bytecode`",
    example='(func (export "f") (result i32) (f32.const 0))',
    fix="build again",
)
NEWER_FEATURE = Rule(
    code="MOD004",
    title="a feature newer than WebAssembly 2.0",
    severity=Severity.WARNING,
    cause="GC, exceptions, tail calls, 64-bit or several memories, relaxed SIMD, threads",
    consumer="proxies older than Envoy 1.33, where it is not established that their engine has it",
    example="(func $f (return_call $f))",
    fix="compile without it, or try the plugin on that release",
)
LEGACY_EXCEPTIONS = Rule(
    code="MOD005",
    title="exception handling in its first form",
    severity=Severity.WARNING,
    cause="`try`, `catch` and `delegate`, which V8 runs and wasmtime does not support: function "
    "bodies and start-up were not checked",
    consumer="none",
    example="06 40 08 00 07 00 0b # a function's try, throw 0, catch 0, end",
    fix="try a real Envoy (`--envoy`), or compile for the final form",
)


def malformed(scan: HostScan, error: MalformedModule) -> Problem:
    where = f"{WHOLE_FILE}, offset {error.offset:#x}"
    return _not_loaded(MALFORMED, where, scan, error.message, error.hint)


def invalid(scan: HostScan, reason: str) -> Problem:
    return _not_loaded(INVALID, WHOLE_FILE, scan, f"not a valid WebAssembly module: {reason}")


def _not_loaded(rule: Rule, where: str, scan: HostScan, why: str, hint: str = "") -> Problem:
    words = scan.refusal or "Failed to load Wasm bytecode"
    again = "build the module again; the file may be cut off or damaged"
    return rule.problem(where, f"{why}: {words!r}", hint or again)


def legacy_exceptions() -> Problem:
    return LEGACY_EXCEPTIONS.problem(
        WHOLE_FILE,
        "uses exception handling in its first form (try, catch, delegate), which proxies "
        "run and wasmtime does not: neither its function bodies nor its start-up were checked",
        "try a real Envoy: --envoy; or compile for the final form (clang: "
        "-mllvm -wasm-use-legacy-eh=false)",
    )


def newer_features(reason: str) -> Problem:
    return NEWER_FEATURE.problem(
        WHOLE_FILE,
        f"uses a feature newer than WebAssembly 2.0 ({reason}); it is not established "
        "that this proxy's engine has it",
        "compile without it, or try the plugin on that release",
    )


def beyond_limits(reason: str) -> Problem:
    return BEYOND_BOUNDS.problem(
        WHOLE_FILE,
        f"the module exceeds a limit of the dry run's engine: {reason}; Envoy may load it",
        "try a real Envoy: --envoy; or declare less",
    )
