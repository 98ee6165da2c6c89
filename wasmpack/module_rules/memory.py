"""Findings on a module's memories and tables, its own and the imported ones."""

from collections.abc import Iterator

from wasmpack.findings import Problem, Rule, Severity
from wasmpack.proxy_abi import abi
from wasmpack.wasm import limits
from wasmpack.wasm.types import Module

_MAX_PAGES = 16384
"""1 GiB in pages of 64 KiB: the host's limit on a memory's initial size."""
_MAX_PAGES_64 = 262_144
"""V8's limit on a 64-bit memory (observed with Envoy 1.36.2 and 1.40.0)."""
EXPORT_MEMORY = 'export the memory, for example (export "memory" (memory 0))'
LARGE_MEMORY = Rule(
    code="MEM001",
    title="initial memory over 1 GiB",
    consumer="proxies since 2022-04: `Failed to create new Wasm instance`",
    example='(memory (export "memory") 16385)',
    fix="link with less",
)
MEMORY_CRASH = Rule(
    code="MEM002",
    title="a call to a host function that uses memory, while the proxy sees none",
    cause="it is neither exported under any name nor imported, and the call **crashes the whole "
    "proxy**. Seen in the dry run of the start-up or of a first request; without a dry run "
    "(`--no-dry-run`) the import alone is the error",
    consumer="every proxy",
    example='(import "env" "proxy_log"\n'
    "  (func $log (param i32 i32 i32) (result i32)))\n"
    '(memory 1) (func (export "_start")\n'
    "  (drop (call $log (i32.const 2) (i32.const 0) (i32.const 1))))",
    fix="export the memory",
)
UNPROVIDED_MEMORY = Rule(
    code="MEM003",
    title="the imported memory is shared or 64-bit, the imported table 64-bit, or several are "
    "imported",
    consumer="observed with Envoy 1.40.0: `Failed to create new Wasm instance`",
    example='(import "env" "memory" (memory 1 2 shared))',
    fix="define and export the memory",
)
UNSEEN_MEMORY = Rule(
    code="MEM004",
    title="no memory the proxy can see, but imports that use memory",
    severity=Severity.WARNING,
    cause="no such call was seen at start-up and in a plain request, and the first one **crashes "
    "the whole proxy**",
    consumer="every proxy",
    example='(import "env" "proxy_log"\n'
    "  (func $log (param i32 i32 i32) (result i32)))\n"
    "(memory 1)",
    fix="export the memory",
)
LARGE_TABLE = Rule(
    code="MEM005",
    title="a table that starts with more than 10,000,000 elements",
    consumer="every proxy: `Failed to load Wasm bytecode`",
    example="(table 10000001 funcref)",
    fix="start with a smaller table",
)
LARGE_64_BIT_MEMORY = Rule(
    code="MEM006",
    title="a 64-bit memory that starts with, or may grow to, more than 16 GiB",
    consumer="every proxy: `Failed to load Wasm bytecode`",
    example='(memory (export "memory") i64 1 262145)',
    fix="declare a smaller maximum",
)
REPEATED_IMPORT = Rule(
    code="MEM007",
    title="the same memory or table is imported more than once",
    severity=Severity.WARNING,
    cause="on a quiet machine it loads; next to four busy processes, 24 of 28 loads **crashed the "
    "whole proxy** (2026-11-29), probably because the host keeps only the last one that it makes",
    consumer="observed with Envoy 1.40.0",
    example='(import "env" "m" (memory 1)) (import "env" "m" (memory 1))',
    fix="import it once",
)


def table_problems(module: Module) -> Iterator[Problem]:
    if module.largest_table > limits.TABLE_ELEMENTS:
        yield LARGE_TABLE.problem(
            "table",
            f"{module.largest_table} initial elements are more than the engine's "
            f"{limits.TABLE_ELEMENTS}: 'Failed to load Wasm bytecode'",
            "start with a smaller table; it can grow later",
        )


def memory_problems(module: Module, host: abi.HostDate) -> Iterator[Problem]:
    if host >= abi.since("memoryLimited") and any(m.minimum > _MAX_PAGES for m in module.memories):
        largest = max(memory.minimum for memory in module.memories)
        yield LARGE_MEMORY.problem(
            "memory",
            f"{largest} initial pages are more than the proxy's {_MAX_PAGES} (1 GiB): "
            "'Failed to create new Wasm instance'",
            "link with a smaller initial memory; it can grow later",
        )
    largest = max(
        [n for m in module.memories if m.is_64 for n in (m.minimum, m.maximum or 0)] or [0]
    )
    if largest > _MAX_PAGES_64:
        yield LARGE_64_BIT_MEMORY.problem(
            "memory",
            f"a 64-bit memory of up to {largest} pages, more than the engine's "
            f"{_MAX_PAGES_64} (16 GiB): 'Failed to load Wasm bytecode'",
            "declare a smaller maximum",
        )
    yield from _import_limits(module)
    imported = sum(1 for item in module.imports if item.kind == "memory")
    if any(memory.shared or memory.is_64 for memory in module.memories[:imported]):
        yield UNPROVIDED_MEMORY.problem(
            "memory",
            "the imported memory is shared or of 64 bits, which the proxy cannot provide: "
            "'Failed to create new Wasm instance'",
            "define the memory in the module and export it",
        )


def _import_limits(module: Module) -> Iterator[Problem]:
    """The proxy makes one memory and one table for a module that imports them (v8.cc, ``link``)."""
    for kind in ("memory", "table"):
        items = [item for item in module.distinct_imports if item.kind == kind]
        names = {(item.raw_module, item.raw_name) for item in items}
        wide = kind == "table" and any(item.type.endswith(" i64") for item in items)
        if len(names) > 1 or wide:
            what = "a table of 64 bits" if wide else f"more than one {kind}"
            yield UNPROVIDED_MEMORY.problem(
                "imports",
                f"{what} is imported, which the proxy cannot provide: 'Failed to create "
                "new Wasm instance'",
                "define them in the module",
            )
        elif sum(1 for item in module.imports if item.kind == kind) > 1:
            yield REPEATED_IMPORT.problem(
                "imports",
                f"the same {kind} is imported more than once: a proxy that is busy crashes while "
                "it loads the module",
                f"import the {kind} once",
            )


def memory_unseen(module: Module) -> bool:
    """Host functions that use memory are imported, but no memory is exported or imported."""
    seen = "memory" in {item.kind for item in module.exports} | {
        item.kind for item in module.imports
    }
    return not seen and any(
        i.kind == "func" and abi.touches_memory(i.module, i.name) for i in module.distinct_imports
    )
