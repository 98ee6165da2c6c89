"""The engine's limits on the declarations of a module.

Every number is V8's (src/wasm/wasm-limits.h) and was observed with Envoy 1.40.0: the module with as
many loads, the one with one more is refused (``tests/agreement/test_limits.py``). Where wasmtime
accepts less (100 tables or memories, names of 100,000 bytes), a module is not refused for it here.
"""

from collections.abc import Mapping

ITEMS: Mapping[str, tuple[int, str]] = {
    "type": (1_000_000, "kV8MaxWasmTypes"),
    "import": (1_000_000, "kV8MaxWasmImports"),
    "function": (1_000_000, "kV8MaxWasmFunctions"),
    "table": (100_000, "kV8MaxWasmTables"),
    "memory": (100_000, "kV8MaxWasmMemories"),
    "tag": (1_000_000, "kV8MaxWasmTags"),
    "global": (1_000_000, "kV8MaxWasmGlobals"),
    "export": (1_000_000, "kV8MaxWasmExports"),
}
"""Items of a section by its name, and what V8 calls the limit; imported items are counted apart."""
PARAMS = (1000, "kV8MaxWasmFunctionParams")
RESULTS = (1000, "kV8MaxWasmFunctionReturns")
FIELDS = (10_000, "kV8MaxWasmStructFields")
SUPERTYPES = (1, "kMaximumSupertypes")
TABLE_ELEMENTS = 10_000_000
"""kV8MaxWasmTableSize, and kV8MaxWasmTableInitEntries for those that a table starts with."""
OPERANDS: Mapping[str, tuple[int, str]] = {
    "br_table": (65_520, "kV8MaxWasmFunctionBrTableSize"),
    "try_table": (65_520, "kV8MaxWasmFunctionBrTableSize"),
    "array_new_fixed": (10_000, "kV8MaxWasmArrayNewFixedLength"),
}
"""Operands of one instruction; the default of a ``br_table`` is not counted."""
GROUPED_TYPES = (999_982, "kMaxCanonicalTypes")
"""Types up to the end of a recursive group: with more, V8 ends the whole process ("too many
canonicalized types"; some of its million are its own)."""
