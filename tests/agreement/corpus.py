"""Modules for every load rule, host function and callback, whose verdicts the real Envoy gave.

``corpus()`` makes them from tables and text; ``record.py`` asks Envoys about each and keeps what
they did in ``verdicts.json``; ``test_corpus.py`` holds our verdicts against that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from support.limit_modules import LIMITS
from support.module_rules import RULES
from support.plugins import CONFIGURATION, PLUGINS, binary, module_bytes, wat

from agreement import binary as b
from agreement.found_by_hand import texts
from agreement.programs import MARKERS, WASI, functions, signature
from wasmpack.proxy_abi import abi

FOUND = Path(__file__).with_name("found")
"""Modules that the fuzzer and our verdict once disagreed on."""


class Case(NamedTuple):
    """One module and the configuration it is loaded with."""

    name: str
    data: bytes
    configuration: bytes = CONFIGURATION.encode()

    @property
    def digest(self) -> str:
        """Digest of all that Envoy is given; empty for the Go plugin, whose builds differ."""
        if "header-append-go" in self.name:
            return ""
        return hashlib.sha256(self.data + b"\0" + self.configuration).hexdigest()[:12]


def corpus(go_plugin: Path) -> list[Case]:
    """All of it; names are unique.

    :param go_plugin: the built Go plugin, which is too large to be kept
    """
    found = [*_rules(), *_imports(), *_exports(), *_names(), *_start_code(), *_crashes(), *_allocators(), *_configuring(),
             *_limits(), *_damage(), *_found(), *_plugins(go_plugin)]  # fmt: skip
    assert len({case.name for case in found}) == len(found)
    return found


def _rules() -> Iterator[Case]:
    for name, data, _ in RULES:
        yield Case(f"rule: {name}", data)


def _clause(params: list[str], results: list[str]) -> str:
    return (f"(param {' '.join(params)})" if params else "") + (
        f"(result {' '.join(results)})" if results else ""
    )


def _imports() -> Iterator[Case]:
    """Each host function: as it is, and with another signature, under each ABI."""
    for module, name in functions():
        params, results, _ = signature(module, name)
        for version, marker in MARKERS.items():
            if module == WASI and version != "0.2.0":
                continue
            for kind, given in (("right", params), ("wrong", [*params, "i32"])):
                text = f'(import "{module}" "{name}" (func {_clause(given, results)}))'
                yield Case(f"import: {name}, {kind}, {version}", wat("", text, marker))
    for name in (*abi.tables()["neverProvided"], "proxy_get_configuration_x"):
        yield Case(f"import: {name}, unknown", wat("", f'(import "env" "{name}" (func))'))
    for module, name in (("gojs", "runtime.wasmExit"), ("wasi_snapshot_preview1", "proc_raise"),
                         ("wasi_snapshot_preview2", "fd_write"), ("", "proxy_log"),
                         ("wasi_unstable", "thread_spawn"), ("env", "memory")):  # fmt: skip
        yield Case(f"import: {module}.{name}", wat("", f'(import "{module}" "{name}" (func))'))


def _exports() -> Iterator[Case]:
    """Each export that a host looks up: as it is, with another signature, as no function."""
    for name in abi.tables()["exports"]:
        for version, marker in MARKERS.items():
            for kind in ("right", "wrong", "global"):
                if version == "0.2.0" and kind == "global":
                    continue
                yield Case(
                    f"export: {name}, {kind}, {version}", _export(name, kind, version, marker)
                )
    for name in abi.tables()["exportsNeverLookedUp"]:
        yield Case(f"export: {name}, never looked up", wat(f'(func (export "{name}") (param f64))'))


def _export(name: str, kind: str, version: str, marker: str) -> bytes:
    wanted = abi.export_signature(name, version, abi.NEWEST) or "(i32) -> ()"
    params, _, results = wanted.partition(" -> ")
    inside = params.strip("()").replace(",", "")
    result = "(result i32)" if results == "i32" else ""
    value = "(i32.const 1)" if result else ""
    if kind == "wrong":
        inside += " i64"
    body = f'(func (export "{name}") (param {inside}) {result} {value})'
    if kind == "global":
        body = f'(global (export "{name}") i32 (i32.const 1))'
    start = '(func (export "_initialize"))' if name in {"main", "__main_void"} else ""
    if name == "proxy_on_memory_allocate":
        return binary(f'(module (memory (export "memory") 1) (func (export "{marker}")) {body})')
    return wat(f"{start} {body}", marker=marker)


def _names() -> Iterator[Case]:
    """Exports whose names a proxy may trip over."""
    names = [b"\0", b"a\0b", b"0", b"1", b"01", b"-1", b"1.5", b"4294967294", b"4294967295", b"", b"__proto__",
             b"constructor", b"x" * 1000, "é".encode(), b"\xf0\x9f\x98\x80", b"\xff"]  # fmt: skip
    base = b.sections(wat("(global $g i32 (i32.const 1)) (table $t 1 funcref)"))
    for name in names:
        for kind in range(4):
            parts = [
                (n, _with_export(body, b.Export(name, kind, 0)) if n == b.EXPORT else body)
                for n, body in base
            ]
            yield Case(f"export of kind {kind} named {name[:20]!r}", b.module(parts))


def _with_export(body: bytes, more: b.Export) -> bytes:
    return b.vector([export.encode() for export in (*b.exports(body), more)])


def _call(name: str, module: str) -> str:
    """A call that every host answers, with zeros."""
    params, results, _ = signature(module, name)
    call = f"(call $f {' '.join(f'({kind}.const 0)' for kind in params)})"
    return f"(drop {call})" if results else call


def _with_call(module: str, name: str, template: str, memory: str) -> bytes:
    """A module that calls one host function; ``template`` holds ``CALL``."""
    params, results, abis = signature(module, name)
    clause = _clause(params, results)
    return binary(
        f"""(module (import "{module}" "{name}" (func $f {clause})) {memory}
        (func (export "{MARKERS[abis[-1]]}"))
        (func (export "malloc") (param i32) (result i32) (i32.const 8192))
        {template.replace("CALL", _call(name, module))})"""
    )


EXPORTED = '(memory (export "memory") 1)'
VM_START = '(func (export "proxy_on_vm_start") (param i32 i32) (result i32) CALL (i32.const 1))'


def _start_code() -> Iterator[Case]:
    """Each host function called where only some may be."""
    for module, name in functions():
        for phase in ("_start", "_initialize"):
            body = f'(func (export "{phase}") CALL)'
            yield Case(f"{phase} calls {name}", _with_call(module, name, body, EXPORTED))
        body = '(func (export "_initialize")) (func (export "main") (param i32 i32) (result i32) CALL (i32.const 0))'
        yield Case(f"main calls {name}", _with_call(module, name, body, EXPORTED))
        yield Case(f"vm start calls {name}", _with_call(module, name, VM_START, EXPORTED))


def _crashes() -> Iterator[Case]:
    """Each host function where there is no memory, no context, or nothing to act on."""
    streams = ("proxy_on_context_create", "proxy_on_request_headers", "proxy_on_response_headers",
               "proxy_on_done", "proxy_on_log", "proxy_on_delete")  # fmt: skip
    for module, name in functions():
        section = "(func $s CALL) (start $s)"
        yield Case(f"start section calls {name}", _with_call(module, name, section, EXPORTED))
        for memory in ("", "(memory 1)"):
            title = "hidden" if memory else "no"
            yield Case(f"{name} with {title} memory", _with_call(module, name, VM_START, memory))
        yield Case(f"request calls {name} with no memory",
                   _with_call(module, name, _in_stream(streams[1], signature(module, name)[2][-1]), ""))  # fmt: skip
    for name in ("proxy_send_local_response", "proxy_continue_response", "proxy_continue_stream",
                 "proxy_close_stream", "proxy_grpc_call", "proxy_grpc_stream"):  # fmt: skip
        for phase in streams:
            body = _in_stream(phase, signature("env", name)[2][-1])
            yield Case(
                f"{phase} of a request calls {name}", _with_call("env", name, body, EXPORTED)
            )
            if name.endswith("_stream") and "grpc" not in name:
                one = body.replace("CALL", "(drop (call $f (i32.const 1)))")
                yield Case(f"{phase} of a request calls {name}(1)",
                           _with_call("env", name, one, EXPORTED))  # fmt: skip


def _allocators() -> Iterator[Case]:
    """Allocators that give no memory, or memory outside the module's, to calls that need some."""
    calls = {
        "proxy_call_foreign_function": "(i32.const 4096) (i32.const 8) (i32.const 4096) (i32.const 8) (i32.const 260) (i32.const 264)",
        "proxy_get_property": "(i32.const 4128) (i32.const 14) (i32.const 260) (i32.const 264)",
        "proxy_get_buffer_bytes": "(i32.const 7) (i32.const 0) (i32.const 9) (i32.const 260) (i32.const 264)",
        "proxy_get_header_map_pairs": "(i32.const 0) (i32.const 260) (i32.const 264)",
    }  # fmt: skip
    for name, arguments in calls.items():
        params, results, abis = signature("env", name)
        for address in (0, 8192, 65530, 70000):
            made = f"(if (call $f {arguments}) (then (unreachable)))"
            yield Case(f"{name}, malloc gives {address}", binary(
                f"""(module (import "env" "{name}" (func $f {_clause(params, results)})) {EXPORTED}
                (data (i32.const 4096) "compress") (data (i32.const 4128) "plugin_root_id")
                (func (export "{MARKERS[abis[-1]]}"))
                (func (export "malloc") (param i32) (result i32) (i32.const {address}))
                (func (export "proxy_on_configure") (param i32 i32) (result i32) {made} (i32.const 1))
                (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) {made} (i32.const 0)))"""))  # fmt: skip


def _in_stream(phase: str, version: str) -> str:
    wanted = abi.export_signature(phase, version, abi.NEWEST)
    assert wanted
    params, _, results = wanted.partition(" -> ")
    head = f"(param {params.strip('()').replace(',', '')})"
    tail = " (result i32)" if results == "i32" else ""
    value = "(i32.const 1)" if phase == "proxy_on_done" else "(i32.const 0)"
    guarded = "(if (i32.ne (local.get 0) (i32.const 1)) (then CALL))"
    return f'(func (export "{phase}") {head}{tail} {guarded} {value if tail else ""})'


def _configuring() -> Iterator[Case]:
    """What start-up code does besides calling: traps, refusals, what it finds in memory."""
    ways = {
        "traps": "(unreachable)",
        "divides by zero": "(drop (i32.div_u (i32.const 1) (i32.const 0)))",
        "overflows": "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))",
        "converts NaN": "(drop (i32.trunc_f32_s (f32.const nan)))",
        "reads outside": "(drop (i32.load (i32.const 65536)))",
        "writes outside": "(i32.store (i32.const 65533) (i32.const 1))",
        "calls a null": "(call_indirect (i32.const 0))",
        "calls outside the table": "(call_indirect (i32.const 99))",
        "recurses for ever": "(call $again)",
        "grows to the limit": "(if (i32.eq (memory.grow (i32.const 16383)) (i32.const -1)) (then (unreachable)))",
        "grows beyond the limit": "(if (i32.ne (memory.grow (i32.const 16384)) (i32.const -1)) (then (unreachable)))",
        "fills outside": "(memory.fill (i32.const 65000) (i32.const 0) (i32.const 1000))",
        "grows a table": "(if (i32.eq (table.grow (ref.null func) (i32.const 100000)) (i32.const -1)) (then (unreachable)))",
    }  # fmt: skip
    again = "(func $again (call $again)) (table 2 funcref)"
    for way, text in ways.items():
        for phase in ("_start", "proxy_on_context_create", "proxy_on_vm_start", "proxy_on_configure",
                      "start section"):  # fmt: skip
            yield Case(f"{phase} {way}", wat(again + _phase(phase, text, "1")))
    for phase in ("proxy_on_vm_start", "proxy_on_configure", "proxy_validate_configuration"):
        yield Case(f"{phase} says no", wat(_phase(phase, "", "0")))
        yield Case(f"{phase} says -1", wat(_phase(phase, "", "-1")))
    configured = """(func (export "proxy_on_configure") (param i32 i32) (result i32)
        (i32.eq (local.get 1) (i32.const SIZE)))"""
    for size in (0, 1, 3):
        data = wat(configured.replace("SIZE", str(size)))
        for given in (b"", b"x", b"abc", b"\xc3\xa9"):
            yield Case(f"wants {size} bytes, is given {given!r}", data, given)


def _phase(phase: str, text: str, value: str) -> str:
    if phase == "start section":
        return f"(func $s {text}) (start $s)"
    wanted = abi.export_signature(phase, "0.2.1", abi.NEWEST) or "(i32, i32) -> i32"
    params, _, results = wanted.partition(" -> ")
    inside = params.strip("()").replace(",", "")
    tail = f"(result i32) {text} (i32.const {value})" if results == "i32" else text
    return f'(func (export "{phase}") (param {inside}) {tail})'


def _limits() -> Iterator[Case]:
    """Memories and tables."""
    frame = """(module {} (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) (i32.const 8)))"""
    memories = {
        "of 0 pages": "0", "of 16384 pages": "16384", "of 16385 pages": "16385",
        "of 65536 pages": "65536", "to 65536 pages": "1 65536", "64-bit": "i64 1",
        "64-bit to 16384 pages": "i64 16384 16384", "64-bit of 16385 pages": "i64 16385",
        "shared": "1 2 shared", "shared of 16385 pages": "16385 16385 shared",
    }  # fmt: skip
    for name, limit in memories.items():
        yield Case(f"memory {name}", binary(frame.format(f'(memory (export "memory") {limit})')))
        yield Case(
            f"imported memory {name}", binary(frame.format(f'(import "a" "b" (memory {limit}))'))
        )
    two = '(memory (export "a") 1) (memory (export "b") 2)'
    yield Case("two exported memories", binary(frame.format(two)))
    yield Case(
        "memory exported under another name", binary(frame.format('(memory (export "m") 1)'))
    )
    yield Case(
        "memory exported twice", binary(frame.format('(memory (export "m") (export "n") 1)'))
    )
    for size in (10_000_000, 10_000_001):
        yield Case(f"table of {size}", binary(frame.format(f"(table {size} funcref)")))
    for name in ("targets of a br_table", "elements of array.new_fixed"):
        for number in (LIMITS[name].most + n for n in (-1, 0, 1)):
            yield Case(f"{number} {name}", LIMITS[name].make(number))
    for kind in ("funcref", "externref"):
        yield Case(f"imported table of {kind}", wat("", f'(import "x" "t" (table 1 {kind}))'))
    features = {
        "simd": "(func (drop (i8x16.splat (i32.const 1))))",
        "relaxed simd": "(func (drop (i32x4.relaxed_trunc_f32x4_s (v128.const i32x4 0 0 0 0))))",
        "tail calls": "(func $f) (func (return_call $f))",
        "multiple values": "(func (result i32 i32) (i32.const 1) (i32.const 2))",
        "bulk memory": "(func (memory.fill (i32.const 0) (i32.const 0) (i32.const 1)))",
        "extended constants": "(global i32 (i32.add (i32.const 1) (i32.const 2)))",
        "exceptions": "(tag $t) (func (block $h (try_table (catch $t $h) (throw $t))))",
        "structs": "(type $s (struct (field i32))) (func (drop (struct.new $s (i32.const 1))))",
        "typed references": "(type $t (func)) (func (param (ref null $t)) (call_ref $t (local.get 0)))",
        "atomics": "(func (drop (i32.atomic.load (i32.const 0))))",
        "sign extension": "(func (drop (i32.extend8_s (i32.const 1))))",
        "wide arithmetic": "(func (param i64 i64 i64 i64) (result i64 i64) (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3)))",
    }  # fmt: skip
    for name, text in features.items():
        yield Case(f"feature: {name}", wat(text))
    yield Case("feature: first exceptions", legacy_exceptions())


LEGACY_TRY = bytes.fromhex("0640080007000b0b")
"""``try throw 0 catch 0 end end``: the first form of exception handling."""


def legacy_exceptions() -> bytes:
    """A module that throws and catches in the first form, which no text format has any more."""
    parts = b.sections(wat('(tag $t) (func (export "_start") (nop))'))
    return b.module([(n, body.replace(b"\3\0\1\x0b", b"\x09\0" + LEGACY_TRY[:-1] + b"\x0b", 1)
                      if n == b.CODE else body) for n, body in parts])  # fmt: skip


def _damage() -> Iterator[Case]:
    """Bytes that are no module, or not quite."""
    good = wat('(func (export "proxy_on_log") (param i32))')
    parts = b.sections(good)
    named = {
        "empty": b"", "four bytes": good[:4], "seven bytes": good[:7], "header alone": good[:8],
        "text": b"(module)", "gzip": b"\x1f\x8b\x08\0\0\0\0\0\0\0", "version 2": good[:4] + b"\2\0\0\0" + good[8:],
        "component": b"\0asm\x0d\0\1\0", "wrong magic": b"\0asn" + good[4:],
        "trailing zero": good + b"\0", "trailing custom section": good + b"\0\2\1x",
        "custom section without a name": good + b"\0\0", "custom name not UTF-8": good + b"\0\2\1\xff",
        "section 13 twice": good + b"\x0d\1\0\x0d\1\0", "unknown section": good + b"\x20\0",
        "data count alone": good + b"\x0c\1\0", "number of six bytes": good + b"\0\x82\x80\x80\x80\x80\0\1x",
        "padded size": good + b"\0\x82\x80\x80\x80\0\1x", "size over the end": good + b"\0\x7f\1x",
        "size of four gigabytes": good + b"\0\xff\xff\xff\xff\x0f", "size with a high bit": good + b"\0\xff\xff\xff\xff\x1f",
    }  # fmt: skip
    for name, data in named.items():
        yield Case(f"bytes: {name}", data)
    for n, (number, body) in enumerate(parts):
        yield Case(f"section {number} missing", b.module(parts[:n] + parts[n + 1 :]))
        yield Case(
            f"section {number} twice", b.module([*parts[: n + 1], parts[n], *parts[n + 1 :]])
        )
        yield Case(f"section {number} with a byte more",
                   b.module([*parts[:n], (number, body + b"\0"), *parts[n + 1 :]]))  # fmt: skip
        yield Case(f"section {number} cut",
                   b.module([*parts[:n], (number, body[:-1]), *parts[n + 1 :]]))  # fmt: skip
        yield Case(f"file cut in section {number}", b.module(parts[: n + 1])[:-1])
    yield Case("sections in reverse", b.module(parts[::-1]))
    names = {
        "empty": b"", "functions": b"\1\4\1\0\1f", "module name": b"\0\2\1m", "no function names": b"\1\1\0",
        "over its end": b"\1\x05\1\0\1f", "short of its end": b"\1\3\1\0\1f", "unknown part": b"\x63\1\0",
        "count too large": b"\1\2\x09\0", "cut size": b"\1", "name over the end": b"\1\4\1\0\x09f",
        "twice": b"\1\4\1\0\1f\1\4\1\0\1f", "not UTF-8": b"\1\4\1\0\1\xff", "wrong order": b"\1\4\1\0\1f\0\2\1m",
        "index of six bytes": b"\1\x09\1\x80\x80\x80\x80\x80\0\1f", "padded index": b"\1\6\1\x80\x80\0\1f",
    }  # fmt: skip
    for name, body in names.items():
        section = (b.CUSTOM, b.text(b"name") + body)
        yield Case(f"name section: {name}", b.module([*parts, section]))
        yield Case(f"name section first: {name}", b.module([section, *parts]))
    for name in ("precompiled_x", "signature_wasmsign", "producers", "linking", "dylink.0"):
        section = (b.CUSTOM, b.text(name.encode()) + b"\xff\xff")
        yield Case(f"custom section {name}", b.module([*parts, section]))
    odd, code = (b.CUSTOM, b.text(b"\xff")), (b.CUSTOM, b.text(b"x precompiled_y") + b"z")
    for name, more in {
        "then odd": [code, odd],
        "after odd": [odd, code],
        "twice": [code, code, odd],
    }.items():
        yield Case(f"precompiled code, {name}", b.module([*parts, *more]))
        yield Case(f"precompiled code first, {name}", b.module([*more, *parts]))


def _found() -> Iterator[Case]:
    for name, text in texts():
        yield Case(f"by hand: {name}", binary(text))
    for path in sorted(FOUND.glob("*.wat")):
        yield Case(f"found: {path.stem}", binary(path.read_text()))
    for path in sorted(FOUND.glob("*.hex")):
        text = path.read_text().split("\n", 1)[1]
        yield Case(f"found: {path.stem}", bytes.fromhex(text))


def _plugins(go_plugin: Path) -> Iterator[Case]:
    for path in (
        *(
            PLUGINS / name
            for name in ("header-append-c.wasm", "header-append-as.wasm", "x-wat.wat")
        ),
        go_plugin,
    ):
        for given in (CONFIGURATION.encode(), b"", b"[]", b"not json"):
            yield Case(f"plugin {path.name} with {given!r}", module_bytes(path), given)
