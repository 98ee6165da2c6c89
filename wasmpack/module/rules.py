"""What a proxy of a given release would refuse in a module, in the order it would find it.

The order is the host's (proxy-wasm-cpp-host, ``WasmBase::load`` and ``initialize``): own scan,
engine, imports, instance, exports. Every message carries the proxy's own words where they are
known, so that they can be found again in a log.
"""

import re
from collections.abc import Iterator

from wasmpack.findings import Problem, Severity
from wasmpack.module import abi
from wasmpack.module.framing import CORRUPTED, NO_ABI, HostScan
from wasmpack.module.import_hints import import_hint
from wasmpack.module.sdk import sdk_of
from wasmpack.module.types import Export, Import, Module

_MAX_PAGES = 16384
"""1 GiB in pages of 64 KiB: the host's limit on a memory's initial size (2022-04-08)."""
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
        yield from _import_problems(module, scan.abi, host, own_functions)
        yield from _memory_problems(module, host)
        yield from _export_problems(module, scan.abi, host)


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


def _import_problems(
    module: Module, version: str, host: str, own_functions: frozenset[str]
) -> Iterator[Problem]:
    sdk = sdk_of(module)
    for item in dict.fromkeys(module.imports):
        if item.kind == "func" and item.module == "env" and item.name in own_functions:
            yield _own_function(item)
        elif item.kind == "func":
            yield from _function_import_problems(sdk, item, version, host)
        elif item.kind == "global":
            yield _missing(sdk, item, version, "proxies provide no globals")


def _function_import_problems(sdk: str, item: Import, version: str, host: str) -> Iterator[Problem]:
    provided = abi.host_function(item.module, item.name, version, host)
    if provided is None:
        yield _missing(sdk, item, version, "")
    elif provided != item.type:
        yield Problem(
            code="ABI003",
            severity=Severity.ERROR,
            where=f"import {item.module}.{item.name}",
            message=f"imported as {item.type}, but the proxy has {provided}: 'Failed to load Wasm "
            f"module due to an import type mismatch: {item.module}.{item.name}'",
            hint=f"declare it as {provided}, or use an SDK made for ABI {version}",
        )


def _own_function(item: Import) -> Problem:
    return Problem(
        code="ABI010",
        severity=Severity.WARNING,
        where=f"import env.{item.name}",
        message="a function of this consumer alone, whose signature is not established: neither it "
        "nor the start-up was checked",
        hint="try the plugin there; every other proxy refuses it",
    )


def _missing(sdk: str, item: Import, version: str, why: str) -> Problem:
    reason = why or "the proxy has no such function"
    return Problem(
        code="ABI002",
        severity=Severity.ERROR,
        where=f"import {item.module}.{item.name}",
        message=f"{reason}: 'Failed to load Wasm module due to a missing import: "
        f"{item.module}.{item.name}'",
        hint=import_hint(sdk, item, version),
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


def memory_unseen(module: Module) -> bool:
    """Host functions that use memory are imported, but none is exported or imported."""
    seen = "memory" in {item.kind for item in module.exports} | {
        item.kind for item in module.imports
    }
    return not seen and any(
        i.kind == "func" and abi.touches_memory(i.module, i.name) for i in module.imports
    )


def _export_problems(module: Module, version: str, host: str) -> Iterator[Problem]:
    reactor = module.exported("_initialize") is not None
    for export in module.exports:
        if export.kind == "func" and not _passed_over(export.name, module, reactor=reactor):
            yield from _signature_problems(export, version, host)
    if not any(module.exported(name) for name in abi.ALLOCATORS):
        yield Problem(
            code="ABI005",
            severity=Severity.ERROR,
            where="exports",
            message="neither malloc nor proxy_on_memory_allocate is exported: "
            "'Wasm module is missing malloc function.'",
            hint="export proxy_on_memory_allocate (i32) -> i32; SDKs do it for you",
        )
    yield from _marker_doubts(module)


def _passed_over(name: str, module: Module, *, reactor: bool) -> bool:
    """Start functions and the allocator are looked up only when the one before is absent."""
    if name in {"main", "__main_void"}:
        return not reactor
    if name == "_start":
        return reactor
    return name == "proxy_on_memory_allocate" and module.exported("malloc") is not None


def _signature_problems(export: Export, version: str, host: str) -> Iterator[Problem]:
    wanted = abi.export_signature(export.name, version, host)
    if wanted is not None and wanted != export.type:
        yield Problem(
            code="ABI004",
            severity=Severity.ERROR,
            where=f"export {export.name}",
            message=f"exported as {export.type}, but ABI {version} wants {wanted}: "
            f"'Bad function signature for: {export.name}'",
            hint=f"give it the signature {wanted}",
        )
    elif wanted is None and abi.right_name(export.name):
        yield Problem(
            code="ABI007",
            severity=Severity.WARNING,
            where=f"export {export.name}",
            message="no proxy calls this callback",
            hint=f"the name that proxies call is {abi.right_name(export.name)}",
        )
    elif _unknown_callback(export.name):
        yield Problem(
            code="ABI008",
            severity=Severity.INFO,
            where=f"export {export.name}",
            message="no proxy calls a callback of this name",
        )


def _unknown_callback(name: str) -> bool:
    return (
        name.startswith("proxy_on_") and not abi.looked_up(name) and not abi.never_looked_up(name)
    )


def _marker_doubts(module: Module) -> Iterator[Problem]:
    markers = [
        e.name for e in module.exports if e.kind == "func" and e.name.encode() in abi.MARKERS
    ]
    if len(markers) > 1:
        yield Problem(
            code="ABI006",
            severity=Severity.WARNING,
            where=f"export {markers[0]}",
            message=f"several ABI markers ({', '.join(markers)}): the first in export order "
            "decides",
            hint="export one marker only",
        )
