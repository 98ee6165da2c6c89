"""What is left of a request that a callback holds, once the client has given up: asked of Envoy."""

from __future__ import annotations

import itertools

import pytest
from support.envoy_batch import Subject, observe
from support.plugins import binary

from agreement.verdict import our_verdicts
from wasmpack.envoy import find_envoy
from wasmpack.proxy_abi import abi

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

MODULE = """(module
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (import "env" "proxy_replace_header_map_value"
    (func $replace (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_add_header_map_value"
    (func $add (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_remove_header_map_value" (func $remove (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_header_map_value"
    (func $get (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_header_map_size" (func $size (param i32 i32) (result i32)))
  (import "env" "proxy_get_buffer_bytes" (func $read (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_set_buffer_bytes" (func $write (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "ab")
  (func (export "proxy_abi_version_{version}"))
  (func (export "malloc") (param i32) (result i32) (i32.const 8192))
  (func $say (param i32)
    (i32.store8 (i32.const 20) (i32.add (i32.const 48) (local.get 0)))
    (drop (call $log (i32.const 2) (i32.const 20) (i32.const 1))))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "{held}") (param {params}) (result i32) (i32.const 1))
  (func (export "{later}") (param i32) {result}
    (if (i32.ne (local.get 0) (i32.const 1)) (then {calls})) {returned}))
"""
KEY, VALUE, RESULT = "(i32.const 8) (i32.const 1)", "(i32.const 9) (i32.const 1)", "(i32.const 100)"
CALLS = [
    call.format(kind=f"(i32.const {kind})")
    for kind in range(4)
    for call in (
        f"(call $replace {{kind}} {KEY} {VALUE})",
        f"(call $add {{kind}} {VALUE} {VALUE})",
        f"(call $remove {{kind}} {VALUE})",
        f"(call $get {{kind}} {KEY} {RESULT} (i32.const 104))",
        f"(call $size {{kind}} {RESULT})",
        f"(call $read {{kind}} (i32.const 0) (i32.const 9) {RESULT} (i32.const 104))",
        f"(call $write {{kind}} (i32.const 0) (i32.const 0) {VALUE})",
    )
]
HELD = {
    "proxy_on_request_headers": {"0_1_0": 2, "0_2_1": 3},
    "proxy_on_response_headers": {"0_1_0": 2, "0_2_1": 3},
    "proxy_on_response_body": {"0_1_0": 3, "0_2_1": 3},
}
LATER = {
    "proxy_on_done": ("(result i32)", "(i32.const 1)"),
    "proxy_on_log": ("", ""),
    "proxy_on_delete": ("", ""),
}
CASES = [*itertools.product(("0_1_0", "0_2_1"), HELD, LATER)]


def module(version: str, held: str, later: str) -> bytes:
    """Holds the request in one callback, and asks for everything in a later one."""
    result, returned = LATER[later]
    text = MODULE.format(
        version=version,
        held=held,
        later=later,
        params=" ".join(["i32"] * HELD[held][version]),
        calls=" ".join(f"(call $say {call})" for call in CALLS),
        result=result,
        returned=returned,
    )
    return binary(text)


def test_the_maps_of_the_callback_that_holds_it_stay() -> None:
    modules = [module(*case) for case in CASES]
    theirs = observe(find_envoy(), [Subject(data) for data in modules])
    ours = our_verdicts(modules, None, abi.NEWEST)
    for case, seen, mine in zip(CASES, theirs, ours, strict=True):
        assert mine.served is not None
        assert len(seen.request_log) == len(CALLS), (case, seen)
        found = [line.rpartition(": ")[2] for line in mine.served.log]
        assert found == [line.rpartition(": ")[2] for line in seen.request_log], case
