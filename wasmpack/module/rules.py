"""What a proxy of a given release would refuse in a module, in the order it would find it.

The order is the host's (proxy-wasm-cpp-host, ``WasmBase::load`` and ``initialize``): own scan,
engine, imports, instance, exports. Every message carries the proxy's own words where they are
known, so that they can be found again in a log.
"""

import re
from collections.abc import Iterator

from wasmpack.findings import Problem, Severity
from wasmpack.module import abi
from wasmpack.module.export_rules import export_problems
from wasmpack.module.framing import CORRUPTED, NO_ABI, HostScan
from wasmpack.module.import_rules import import_problems
from wasmpack.module.types import Module

_MAX_PAGES = 16384
"""1 GiB in pages of 64 KiB: the host's limit on a memory's initial size (2022-04-08)."""
_MAX_PAGES_64 = 262_144
"""V8's limit on a 64-bit memory (observed with Envoy 1.36.2 and 1.40.0)."""
_MAX_ELEMENTS = 10_000_000
"""V8's limit on a table's initial size (kV8MaxWasmTableInitEntries; observed)."""
_PLAIN = re.compile(r"(?:i32|i64|f32|f64|funcref|externref|mut|\d+|[ (),.>-])*")
"""Types of imports and exports that V8's C interface can name."""
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_LAST_INDEX = 2**32 - 2
"""Of an array (ECMA-262, 6.1.7)."""
_MEMORY_LIMIT_SINCE = "2022-04-08"


def load_problems(
    module: Module, scan: HostScan, host: str, own_functions: frozenset[str] = frozenset()
) -> Iterator[Problem]:
    """All static reasons why a host of that date would not load the module, and doubts.

    :param scan: what the host's own scan found; a refusal there ends everything
    :param host: date of the host
    :param own_functions: of module ``env``, provided by this consumer alone
    """
    if scan.refusal == CORRUPTED:
        yield _corrupted(scan)
    elif scan.refusal == NO_ABI or scan.abi is None:
        yield _no_abi(module)
    else:
        yield from _table_problems(module)
        yield from _untranslatable_types(module)
        yield from _untranslatable_names(module)
        yield from import_problems(module, scan.abi, host, own_functions)
        yield from _memory_problems(module, host)
        yield from export_problems(module, scan.abi, host)


def _corrupted(scan: HostScan) -> Problem:
    return Problem(
        code="MOD002",
        severity=Severity.ERROR,
        where=scan.where,
        message=f"the proxy's own scan of the file stops here: {CORRUPTED!r}",
        hint="strip custom sections (wasm-opt --strip-debug, wasm-strip) or build again",
    )


def _no_abi(module: Module) -> Problem:
    wrong = next(
        (e for e in module.exports if e.name.encode() in abi.MARKERS and e.kind != "func"), None
    )
    draft = module.exported("proxy_abi_version_0_x_x") or module.exported("proxy_abi_version_0_3_0")
    if wrong is not None:
        why = f"{wrong.name} is exported as a {wrong.kind}, not as a function"
    elif draft is not None:
        why = f"{draft.name} marks a draft that no released proxy takes"
    else:
        why = "no function proxy_abi_version_0_1_0, _0_2_0 or _0_2_1 is exported"
    return Problem(
        code="ABI001",
        severity=Severity.ERROR,
        where="exports",
        message=f"{why}: {NO_ABI!r}",
        hint="build with a proxy-wasm SDK, or export an empty function proxy_abi_version_0_2_1",
    )


def _untranslatable_types(module: Module) -> Iterator[Problem]:
    """The proxy lists imports and exports through V8's C interface, which ends the process when it
    meets a type it has no name for (observed with Envoy 1.40.0).
    """
    names = [(f"import {i.module}.{i.name}", i.kind, i.type) for i in module.imports]
    names += [(f"export {e.name}", e.kind, e.type) for e in module.exports]
    for where, kind, text in names:
        if kind == "tag" or (kind != "memory" and not _PLAIN.fullmatch(text)):
            what = "an exception tag" if kind == "tag" else f"the type {text}"
            yield Problem(
                code="ABI009",
                severity=Severity.ERROR,
                where=where,
                message=f"{what} CRASHES THE WHOLE PROXY while it loads the module (observed with "
                "Envoy 1.40.0)",
                hint="import and export only functions and globals of plain number types",
            )


def _untranslatable_names(module: Module) -> Iterator[Problem]:
    """The proxy looks functions and memories up as properties of an object, and does not find those
    whose name is an array index or ends in a zero (observed with Envoy 1.36.2 and 1.40.0).
    """
    for export in module.exports:
        index = _INDEX.fullmatch(export.name) and int(export.name) <= _LAST_INDEX
        if export.kind in {"func", "memory"} and (index or export.name.endswith("\0")):
            yield Problem(
                code="ABI011",
                severity=Severity.ERROR,
                where=f"export {export.name!r}",
                message=f"a {export.kind} of this name CRASHES THE WHOLE PROXY while it loads the "
                "module (observed with Envoy 1.40.0)",
                hint="export it under a name that is no number and does not end in a zero",
            )


def _table_problems(module: Module) -> Iterator[Problem]:
    if module.largest_table > _MAX_ELEMENTS:
        yield Problem(
            code="MEM005",
            severity=Severity.ERROR,
            where="table",
            message=f"{module.largest_table} initial elements are more than the engine's "
            f"{_MAX_ELEMENTS}: 'Failed to load Wasm bytecode'",
            hint="start with a smaller table; it can grow later",
        )


def _memory_problems(module: Module, host: str) -> Iterator[Problem]:
    if host >= _MEMORY_LIMIT_SINCE and any(m.minimum > _MAX_PAGES for m in module.memories):
        largest = max(memory.minimum for memory in module.memories)
        yield Problem(
            code="MEM001",
            severity=Severity.ERROR,
            where="memory",
            message=f"{largest} initial pages are more than the proxy's {_MAX_PAGES} (1 GiB): "
            "'Failed to create new Wasm instance'",
            hint="link with a smaller initial memory; it can grow later",
        )
    largest = max(
        [n for m in module.memories if m.is_64 for n in (m.minimum, m.maximum or 0)] or [0]
    )
    if largest > _MAX_PAGES_64:
        yield Problem(
            code="MEM006",
            severity=Severity.ERROR,
            where="memory",
            message=f"a 64-bit memory of up to {largest} pages, more than the engine's "
            f"{_MAX_PAGES_64} (16 GiB): 'Failed to load Wasm bytecode'",
            hint="declare a smaller maximum",
        )
    yield from _import_limits(module)
    imported = sum(1 for item in module.imports if item.kind == "memory")
    if any(memory.shared or memory.is_64 for memory in module.memories[:imported]):
        yield Problem(
            code="MEM003",
            severity=Severity.ERROR,
            where="memory",
            message="the imported memory is shared or of 64 bits, which the proxy cannot provide: "
            "'Failed to create new Wasm instance'",
            hint="define the memory in the module and export it",
        )


def _import_limits(module: Module) -> Iterator[Problem]:
    """The proxy makes one memory and one table for a module that imports them (v8.cc, ``link``)."""
    for kind in ("memory", "table"):
        names = {(i.module, i.name) for i in module.imports if i.kind == kind}
        wide = kind == "table" and any(
            i.kind == kind and i.type.endswith(" i64") for i in module.imports
        )
        if len(names) > 1 or wide:
            what = "a table of 64 bits" if wide else f"more than one {kind}"
            yield Problem(
                code="MEM003",
                severity=Severity.ERROR,
                where="imports",
                message=f"{what} is imported, which the proxy cannot provide: 'Failed to create "
                "new Wasm instance'",
                hint="define them in the module",
            )


def memory_unseen(module: Module) -> bool:
    """Host functions that use memory are imported, but none is exported or imported."""
    seen = "memory" in {item.kind for item in module.exports} | {
        item.kind for item in module.imports
    }
    return not seen and any(
        i.kind == "func" and abi.touches_memory(i.module, i.name) for i in module.imports
    )
