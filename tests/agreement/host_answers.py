"""Modules that each make one host call while they start, and log what it answered.

The log of such a module is the call's result and what it left in memory, as hexadecimal digits: the
same module in Envoy and in the dry run must log the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from support.plugins import binary

from agreement.programs import MARKERS, WASI, functions, signature

BAD = 0x7FFFFFFF
TEXT, PAIRS, VECTOR, RESULT = 4096, 4160, 4224, 260
PHASES = {
    "proxy_on_vm_start": "(param i32 i32) (result i32)",
    "proxy_on_configure": "(param i32 i32) (result i32)",
    "proxy_on_context_create": "(param i32 i32)",
}
SHARED = {
    "proxy_set_shared_data",
    "proxy_register_shared_queue",
    "proxy_resolve_shared_queue",
    "proxy_enqueue_shared_queue",
    "proxy_dequeue_shared_queue",
}
"""What they answer depends on the other modules of the process."""
_VALUES = {
    4: """
        fd_write fd_pwrite fd_close fd_seek fd_tell fd_renumber fd_sync fd_allocate
    """,
    5: """
        proxy_define_metric proxy_set_effective_context fd_fdstat_get clock_res_get
        fd_prestat_get
    """,
    6: """
        proxy_continue_stream proxy_close_stream
    """,
    8: """
        proxy_log
    """,
    9: """
        proxy_get_header_map_size proxy_get_header_map_pairs proxy_get_header_map_value
        proxy_set_header_map_pairs proxy_add_header_map_value proxy_replace_header_map_value
        proxy_remove_header_map_value proxy_record_metric proxy_increment_metric
        proxy_get_metric proxy_grpc_cancel proxy_grpc_close proxy_grpc_send
    """,
    10: """
        proxy_get_buffer_bytes proxy_get_buffer_status proxy_set_buffer_bytes
    """,
}
ENUMERATIONS = {name: count for count, names in _VALUES.items() for name in names.split()}
"""Functions whose first argument is one of a few numbers, and how many to try."""


class Call(NamedTuple):
    """One host call in one phase."""

    phase: str
    module: str
    name: str
    arguments: tuple[int, ...]


def calls() -> list[Call]:
    """Every function with sensible arguments, with each in turn out of the module's memory."""
    return [
        Call(phase, module, name, arguments)
        for module, name in functions()
        if name not in SHARED
        for phase in PHASES
        for arguments in dict.fromkeys(_arguments(name, len(signature(module, name)[0])))
    ]


def _arguments(name: str, count: int) -> Iterator[tuple[int, ...]]:
    first = name in ENUMERATIONS
    usual = [TEXT, 3] * 3 + [PAIRS, 20] * 3
    if name in {"fd_write", "fd_pwrite"}:
        usual = [VECTOR, 1, RESULT, RESULT]
    rest = count - first
    good = [*usual[: rest - 1], RESULT] if rest else []
    for number in range(ENUMERATIONS[name]) if first else [0]:
        yield (*([number] if first else []), *good)
    yield (0,) * count
    yield (1,) * count
    for position in range(count):
        bad = ([1] if first else []) + good
        bad[position] = BAD
        yield tuple(bad)


def prober(call: Call) -> bytes:
    """The module for one call."""
    params, results, abis = signature(call.module, call.name)
    clause = (f"(param {' '.join(params)})" if params else "") + (
        f"(result {' '.join(results)})" if results else ""
    )
    given = " ".join(f"({kind}.const {n})" for kind, n in zip(params, call.arguments, strict=True))
    text = f"(call $f {given})"
    made = f"(i32.store (i32.const 256) {text})" if results else text
    value = "(i32.const 1)" if "result" in PHASES[call.phase] else ""
    return binary(f"""(module
      (import "{call.module}" "{call.name}" (func $f {clause}))
      (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 64) "0123456789abcdef")
      (data (i32.const {TEXT}) "abc")
      (data (i32.const {PAIRS}) "\\01\\00\\00\\00\\05\\00\\00\\00\\01\\00\\00\\00:path\\00/\\00")
      (data (i32.const {VECTOR}) "\\00\\10\\00\\00\\03\\00\\00\\00")
      (func (export "{MARKERS[abis[-1]]}"))
      (func (export "malloc") (param i32) (result i32) (i32.const 8192))
      (func $digit (param i32 i32)
        (i32.store8 (local.get 0)
          (i32.load8_u (i32.add (i32.const 64) (i32.and (local.get 1) (i32.const 15))))))
      (func $hex (local $i i32) (local $byte i32) (local $at i32) (loop $next
        (local.set $byte (i32.load8_u (i32.add (i32.const 256) (local.get $i))))
        (local.set $at (i32.add (i32.const 512) (i32.mul (local.get $i) (i32.const 2))))
        (call $digit (local.get $at) (i32.shr_u (local.get $byte) (i32.const 4)))
        (call $digit (i32.add (local.get $at) (i32.const 1)) (local.get $byte))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $i) (i32.const 32))))
        (drop (call $log (i32.const 2) (i32.const 512) (i32.const 64))))
      (func (export "{call.phase}") {PHASES[call.phase]} {made} (call $hex) {value}))""")


def answer(call: Call, log: tuple[str, ...]) -> str:
    """The digits of the first instance; of clocks and random numbers the result alone."""
    digits = next((line for line in log if len(line) == 64), "nothing")
    varies = "time" in call.name or "random" in call.name
    return digits[:8] if varies and WASI not in call.name else digits
