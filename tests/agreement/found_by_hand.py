"""Modules with which an attacker found us wrong, as text: allocators, requests, limits."""

from __future__ import annotations

from collections.abc import Iterator

HEAD = '(memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1"))'
MALLOC = '(func (export "malloc") (param i32) (result i32) (i32.const 1024))'
RESPOND = '(import "env" "proxy_send_local_response" (func $respond (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))'
CONTEXT = '(import "env" "proxy_set_effective_context" (func $context (param i32) (result i32)))'
CLOSE = '(import "env" "proxy_close_stream" (func $close (param i32) (result i32)))'
CONTINUE = '(import "env" "proxy_continue_stream" (func $go (param i32) (result i32)))'
PROPERTY = (
    '(import "env" "proxy_get_property" (func $property (param i32 i32 i32 i32) (result i32)))'
)
IMPORTS = RESPOND + CONTEXT + CLOSE + CONTINUE + PROPERTY
ANSWER = "(drop (call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const -1)))"
ASK = "(drop (call $property (i32.const 64) (i32.const 14) (i32.const 32) (i32.const 36)))"
SIGNATURES = {
    "proxy_on_context_create": "(param i32 i32)",
    "proxy_on_request_headers": "(param i32 i32 i32) (result i32)",
    "proxy_on_response_headers": "(param i32 i32 i32) (result i32)",
    "proxy_on_response_body": "(param i32 i32 i32) (result i32)",
    "proxy_on_done": "(param i32) (result i32)",
    "proxy_on_log": "(param i32)",
    "proxy_on_delete": "(param i32)",
    "proxy_on_vm_start": "(param i32 i32) (result i32)",
}  # fmt: skip


def callback(name: str, body: str, value: int = 0) -> str:
    """A callback whose body runs for streams alone."""
    clause = SIGNATURES[name]
    guarded = (
        body
        if name == "proxy_on_vm_start"
        else f"(if (i32.ne (local.get 0) (i32.const 1)) (then {body}))"
    )
    result = f"(i32.const {value})" if "result" in clause else ""
    return f'(func (export "{name}") {clause} {guarded} {result})'


def texts() -> Iterator[tuple[str, str]]:
    """(name, WebAssembly text)."""
    for phase in (
        "proxy_on_request_headers",
        "proxy_on_response_headers",
        "proxy_on_response_body",
    ):
        for name, body in {"answer, then trap": f"{ANSWER} (unreachable)", "two answers": ANSWER * 2, "one answer": ANSWER,
                           "close 2, then trap": "(drop (call $close (i32.const 2))) (unreachable)",
                           "close 3, then trap": "(drop (call $close (i32.const 3))) (unreachable)",
                           "close 0, then trap": "(drop (call $close (i32.const 0))) (unreachable)"}.items():  # fmt: skip
            yield f"{phase}: {name}", _module(IMPORTS, callback(phase, body))
        for value in (0,) if phase == "proxy_on_response_body" else (0, 2):
            late = callback("proxy_on_log", ANSWER)
            yield (
                f"{phase} returns {value}, then an answer in on_log",
                _module(IMPORTS, callback(phase, "", value) + late),
            )
    root = "(drop (call $context (i32.const 1)))"
    for phase, body in (("proxy_on_log", ANSWER), ("proxy_on_done", ANSWER), ("proxy_on_delete", ANSWER),
                        ("proxy_on_request_headers", "(drop (call $go (i32.const 1)))"),
                        ("proxy_on_context_create", "(drop (call $close (i32.const 0)))"),
                        ("proxy_on_log", "(drop (call $close (i32.const 0)))")):  # fmt: skip
        value = int(phase == "proxy_on_done")
        yield (
            f"{phase} as the root context: {body[6:30]}",
            _module(IMPORTS, callback(phase, root + body, value)),
        )
    data = '(data (i32.const 64) "plugin_root_id") (data (i32.const 96) "plugin_name")'
    name = ASK.replace("(i32.const 64) (i32.const 14)", "(i32.const 96) (i32.const 11)")
    start = callback("proxy_on_vm_start", name, 1)
    for inner in ("proxy_get_current_time_nanoseconds", "proxy_set_tick_period_milliseconds"):
        host = f'(import "env" "{inner}" (func $inner (param i32) (result i32)))'
        own = '(func (export "malloc") (param i32) (result i32) (drop (call $inner (i32.const 8))) (i32.const 1024))'
        yield f"malloc calls {inner}", f"(module {PROPERTY} {host} {HEAD} {data} {own} {start})"
    again = f'(func (export "malloc") (param i32) (result i32) {name} (i32.const 1024))'
    yield "malloc calls what calls malloc", f"(module {PROPERTY} {HEAD} {data} {again} {start})"
    log = '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))'
    own = '(func (export "malloc") (param i32) (result i32) (drop (call $log (i32.const 2) (i32.const 64) (i32.const 3))) (i32.const 1024))'
    yield "malloc logs", f"(module {PROPERTY} {log} {HEAD} {data} {own} {start})"
    bare = '(func (export "proxy_abi_version_0_2_1")) ' + MALLOC
    for name, imports in {
        "two memories": '(import "env" "m" (memory 1)) (import "env" "n" (memory 1))',
        "one memory twice": '(import "env" "m" (memory 1)) (import "env" "m" (memory 1))',
        "two tables": '(import "env" "t" (table 1 funcref)) (import "env" "u" (table 1 funcref))',
        "one table twice": '(import "env" "t" (table 1 funcref)) (import "env" "t" (table 1 funcref))',
        "tables of two kinds": '(import "env" "t" (table 1 funcref)) (import "env" "u" (table 1 externref))',
        "memory and table": '(import "env" "m" (memory 1)) (import "env" "t" (table 1 funcref))',
        "64-bit table": '(import "env" "t" (table i64 1 funcref))',
    }.items():  # fmt: skip
        yield f"imports {name}", f"(module {imports} {bare})"
    for most in (262_144, 262_145):
        yield (
            f"64-bit memory to {most} pages",
            f'(module (memory (export "memory") i64 1 {most}) {bare})',
        )
    loop = "(local $n i32) (loop $l (local.set $n (i32.add (local.get $n) (i32.const 1))) (br_if $l (i32.lt_u (local.get $n) (i32.const 100000000))))"
    yield (
        "a hundred million turns at start",
        f'(module {HEAD} {MALLOC} (func (export "_start") {loop}))',
    )
    metric = """(import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
        (import "env" "proxy_increment_metric" (func $add (param i32 i64) (result i32)))"""
    for kind in (0, 1):
        for amount in (-1, 0, 1):
            body = f"""(drop (call $define (i32.const {kind}) (i32.const 64) (i32.const 3) (i32.const 32)))
                (if (call $add (i32.load (i32.const 32)) (i64.const {amount})) (then (unreachable)))"""
            yield (
                f"metric of type {kind} by {amount}",
                f"(module {metric} {HEAD} {data} {MALLOC} {callback('proxy_on_vm_start', body, 1)})",
            )


def _module(imports: str, body: str) -> str:
    return f"(module {imports} {HEAD} {MALLOC} {body})"
