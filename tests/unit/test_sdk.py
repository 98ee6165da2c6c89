"""Each SDK is told by its traces; modules of ours carry the same ones as its genuine files."""

import pytest
from support.plugins import binary

from wasmpack.proxy_abi.module import PluginModule

pytestmark = pytest.mark.dependencies

WASI = "wasi_snapshot_preview1"
OLD, TWO, TWO_ONE = "proxy_abi_version_0_1_0", "proxy_abi_version_0_2_0", "proxy_abi_version_0_2_1"
ALLOCATE = "proxy_on_memory_allocate"
CLANG = '(@producers (processed-by "clang" "12.0.0"))'
CALLBACKS = (
    "proxy_on_context_create proxy_on_done proxy_on_log proxy_on_delete proxy_on_vm_start "
    "proxy_on_configure proxy_on_tick proxy_on_new_connection proxy_on_downstream_data "
    "proxy_on_downstream_connection_close proxy_on_upstream_data "
    "proxy_on_upstream_connection_close proxy_on_request_headers proxy_on_request_body "
    "proxy_on_request_trailers proxy_on_response_headers proxy_on_response_body "
    "proxy_on_response_trailers proxy_on_http_call_response proxy_on_queue_ready"
)
COMMON = CALLBACKS.split()
GRPC = ["proxy_on_grpc_receive_initial_metadata", "proxy_on_grpc_receive", "proxy_on_grpc_close"]
TRAILING, MISNAMED = "proxy_on_grpc_receive_trailing_metadata", "proxy_on_grpc_trailing_metadata"
CPP = [*COMMON, *GRPC, "malloc", "proxy_validate_configuration", "proxy_on_request_metadata",
       "proxy_on_response_metadata"]  # fmt: skip


def module(exports: list[str], *fields: str) -> bytes:
    functions = " ".join(f'(func (export "{name}"))' for name in exports)
    return binary(f"(module {' '.join(fields)} {functions})")


def imported(place: str, name: str, signature: str = "") -> str:
    return f'(import "{place}" "{name}" (func {signature}))'


SDKS = {
    "rust": ("rust", module(
        [TWO_ONE, *COMMON, *GRPC, TRAILING, ALLOCATE, "_initialize"],
        '(@producers (language "Rust" "") (processed-by "rustc" "1.80.0"))')),
    "rust of 2020": ("rust", module(
        [OLD, *COMMON, "malloc", "_start"], '(@producers (language "Rust" ""))')),
    "rust, stripped": ("rust", module(
        [TWO_ONE, *COMMON, *GRPC, TRAILING, ALLOCATE, "_initialize"])),
    "tinygo 0.3x": ("go-tinygo", module(
        [TWO, *COMMON, ALLOCATE, "malloc", "free", "calloc", "realloc", "_start"],
        '(@producers (language "C11" "") (processed-by "TinyGo" "0.32.0"))')),
    "tinygo by the version of its clang": ("go-tinygo", module(
        [TWO, *COMMON, ALLOCATE, "malloc"],
        '(@producers (processed-by "clang" "14.0.0 (https://github.com/tinygo-org/llvm-project)"))'
    )),
    "tinygo 0.1x": ("go-tinygo", module([OLD, *COMMON, ALLOCATE, "malloc", "_start"], CLANG)),
    "tinygo before 0.16": ("go-tinygo", module(
        [OLD, *COMMON, ALLOCATE, "malloc", "command-line-arguments.main"], CLANG,
        imported("wasi_unstable", "fd_write", "(param i32 i32 i32 i32) (result i32)"))),
    "tinygo as a library": ("go-tinygo", module(
        [TWO, *COMMON, ALLOCATE, "malloc", "free", "calloc", "realloc", "_initialize"])),
    "tinygo for browsers": ("go-tinygo", module([TWO, ALLOCATE], imported(
        "env", "syscall/js.valueGet", "(param i64 i32 i32 i32) (result i64)"))),
    "tinygo for browsers, later": ("go-tinygo", module([TWO, ALLOCATE], imported(
        "gojs", "runtime.ticks", "(result f64)"))),
    "go": ("go", module(
        [TWO, *COMMON, ALLOCATE, "_initialize"],
        '(@producers (language "Go" "go1.24") (processed-by "Go cmd/compile" "go1.24"))')),
    "go as a command": ("go", module(
        [TWO, *COMMON, ALLOCATE, "_start"], '(@custom "go:buildid" "x")')),
    "go, stripped": ("go", module(
        [TWO, *COMMON, ALLOCATE, "_initialize"], imported(WASI, "sched_yield", "(result i32)"))),
    "go for browsers": ("go", module(["run"], imported("gojs", "runtime.wasmExit", "(param i32)"))),
    "cpp": ("cpp", module(
        [TWO_ONE, *CPP, TRAILING, "_initialize"], '(@producers (processed-by "clang" "19"))')),
    "cpp of 2020": ("cpp", module(
        [OLD, *COMMON, "malloc", "_start"],
        imported("env", "emscripten_notify_memory_growth", "(param i32)"))),
    "cpp of 2020 without growth": ("cpp", module(
        [OLD, *COMMON, "malloc", "stackSave", "stackAlloc", "stackRestore"])),
    "assemblyscript of Solo": ("assemblyscript", module([TWO_ONE, *CPP, MISNAMED])),
    "assemblyscript of Solo, 2020": ("assemblyscript", module(
        [OLD, *COMMON, "malloc", "__alloc", "__retain", "__release"])),
    "assemblyscript of G-Core": ("assemblyscript", module(
        [TWO_ONE, *CPP, MISNAMED, "proxy_on_foreign_function"],
        imported(WASI, "proc_exit", "(param i32)"))),
    "assemblyscript without its run-time": ("assemblyscript", module(
        [TWO_ONE], imported("env", "abort", "(param i32 i32 i32 i32)"))),
    "zig": ("zig", module([TWO, *COMMON, ALLOCATE], CLANG)),
    "zig by its own linker": ("zig", module(
        [TWO, ALLOCATE], '(@producers (language "Zig" "0.13.0"))')),
    "c": ("c", module([TWO_ONE, "malloc", "proxy_on_context_create"], CLANG)),
    "c that leaves no traces": ("unknown", module([TWO_ONE, "malloc", "proxy_on_request_headers"])),
    "abort of another type": ("unknown", module([TWO_ONE], imported("env", "abort"))),
}  # fmt: skip


@pytest.mark.parametrize(("sdk", "data"), SDKS.values(), ids=SDKS)
def test_an_sdk_is_told_by_its_traces(sdk: str, data: bytes) -> None:
    assert PluginModule(data).sdk == sdk
