"""What a proxy of a given release would refuse in a module, in the order it would find it.

The order is the host's (proxy-wasm-cpp-host, ``WasmBase::load`` and ``initialize``): own scan,
engine, imports, instance, exports. Every message carries the proxy's own words where they are
known, so that they can be found again in a log.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from wasmpack.findings import Problem, Severity, few
from wasmpack.module_rules.interface import export_problems, import_problems
from wasmpack.proxy_abi import abi
from wasmpack.proxy_abi.host_scan import CORRUPTED, NO_ABI, TOO_MUCH, HostScan
from wasmpack.wasm.types import Export, Import, Module

_MAX_PAGES = 16384
"""1 GiB in pages of 64 KiB: the host's limit on a memory's initial size (2022-04-08)."""
_MAX_PAGES_64 = 262_144
"""V8's limit on a 64-bit memory (observed with Envoy 1.36.2 and 1.40.0)."""
_MAX_ELEMENTS = 10_000_000
"""V8's limit on a table's initial size (kV8MaxWasmTableInitEntries; observed)."""
_INDEX = re.compile(rb"0|[1-9][0-9]{0,9}")
_LAST_INDEX = 2**32 - 2
"""Of an array (ECMA-262, 6.1.7)."""
_MEMORY_LIMIT_SINCE = "2022-04-08"


def load_problems(
    module: Module, scan: HostScan, host: abi.HostDate, own_functions: frozenset[str] = frozenset()
) -> Iterator[Problem]:
    """All static reasons why a host of that date would not load the module, and doubts.

    :param scan: what the host's own scan found; a refusal there ends everything
    :param host: date of the host
    :param own_functions: of module ``env``, provided by this consumer alone
    """
    if scan.refusal in {CORRUPTED, TOO_MUCH}:
        yield _stopped(scan)
    elif scan.refusal == NO_ABI or scan.abi is None:
        yield _no_abi(module)
    else:
        yield from _table_problems(module)
        yield from _untranslatable_types(module)
        yield from _untranslatable_names(module)
        yield from import_problems(module, scan.abi, host, own_functions)
        yield from _memory_problems(module, host)
        yield from export_problems(module, scan.abi, host)


def _stopped(scan: HostScan) -> Problem:
    said = (
        f"the proxy's own scan of the file stops here: {CORRUPTED!r}"
        if scan.refusal == CORRUPTED
        else "the proxy's own scan of the file is not followed any further: this is beyond the "
        "bounds of the check, and of what compilers write"
    )
    return Problem(
        code="MOD002",
        severity=Severity.ERROR,
        where=scan.where,
        message=said,
        hint="strip custom sections (wasm-opt --strip-debug, wasm-strip) or build again",
    )


def _no_abi(module: Module) -> Problem:
    wrong = next(
        (e for e in module.exports if e.raw_name in abi.MARKERS and e.kind != "func"), None
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
    items: Iterable[Import | Export] = chain(module.distinct_imports, module.exports)
    yield from few((i for i in items if i.kind == "tag" or not i.means.plain), _untranslatable_type)


def _untranslatable_type(item: Import | Export) -> Problem:
    what = "an exception tag" if item.kind == "tag" else f"the type {item.type}"
    return Problem(
        code="ABI009",
        severity=Severity.ERROR,
        where=f"import {item.module}.{item.name}"
        if isinstance(item, Import)
        else f"export {item.name}",
        message=f"{what} CRASHES THE WHOLE PROXY while it loads the module (observed with "
        "Envoy 1.40.0)",
        hint="import and export only functions and globals of plain number types",
    )


def _untranslatable_names(module: Module) -> Iterator[Problem]:
    """The proxy looks functions and memories up as properties of an object, and does not find those
    whose name is an array index or ends in a zero (observed with Envoy 1.36.2 and 1.40.0).
    """
    exports = (e for e in module.exports if e.kind in {"func", "memory"})
    yield from few((e for e in exports if _is_lost(e.raw_name)), _untranslatable_name)


def _is_lost(name: bytes) -> bool:
    return name.endswith(b"\0") or bool(_INDEX.fullmatch(name) and int(name) <= _LAST_INDEX)


def _untranslatable_name(export: Export) -> Problem:
    return Problem(
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


def _memory_problems(module: Module, host: abi.HostDate) -> Iterator[Problem]:
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
        items = [item for item in module.distinct_imports if item.kind == kind]
        names = {(item.raw_module, item.raw_name) for item in items}
        wide = kind == "table" and any(item.type.endswith(" i64") for item in items)
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
        i.kind == "func" and abi.touches_memory(i.module, i.name) for i in module.distinct_imports
    )
