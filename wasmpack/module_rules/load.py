"""Faults for which a proxy of a given release would refuse a module, in the order it finds them.

The order is the host's (proxy-wasm-cpp-host, ``WasmBase::load`` and ``initialize``): own scan,
engine, imports, instance, exports. Every message quotes the proxy's own message
where it is known, so that it can be searched for in a log.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from wasmpack.findings import Problem, Rule, Severity, few
from wasmpack.module_rules.exports import OTHER_SDK, export_problems
from wasmpack.module_rules.imports import import_problems
from wasmpack.module_rules.memory import memory_problems, table_problems
from wasmpack.proxy_abi import abi
from wasmpack.proxy_abi.host_scan import CORRUPTED, NO_ABI, TOO_MUCH, HostScan
from wasmpack.wasm.types import Export, Import, Module

_INDEX = re.compile(rb"0|[1-9][0-9]{0,9}")
_LAST_INDEX = 2**32 - 2
"""The last index of an array (ECMA-262, 6.1.7)."""

STOPPED_SCAN = Rule(
    code="MOD002",
    title="the proxy's own scan of the sections gives up",
    cause="often on a malformed custom section `name`, although the module is valid; or more than "
    "100,000 sections or 2,000,000 function names, which are not followed further",
    consumer="every proxy: `Failed to parse corrupted Wasm module` (beyond the bounds: none)",
    example="00 07 04 6e 61 6d 65 01 05 # a name section that is cut off",
    fix="strip custom sections (`wasm-strip`), or build again",
)
NO_MARKER = Rule(
    code="ABI001",
    title="no function `proxy_abi_version_0_1_0`, `_0_2_0` or `_0_2_1` is exported",
    consumer="every proxy: `Missing or unknown Proxy-Wasm ABI version`",
    example='(module (memory (export "memory") 1))',
    fix="build with a current proxy-wasm SDK; in a module written by hand, export the marker",
)
UNTRANSLATABLE_TYPE = Rule(
    code="ABI009",
    title="an import or export of a type that V8's C interface cannot name",
    cause="`v128`, GC references and exception tags: one of them **crashes the whole proxy** while "
    "it loads the module",
    consumer="observed with Envoy 1.40.0, assumed for all",
    example='(func (export "f") (param v128))',
    fix="import and export plain number types only",
)
UNTRANSLATABLE_NAME = Rule(
    code="ABI011",
    title="a function or memory exported under a name that is an array index (`0`) or ends in a "
    "zero byte",
    cause="it **crashes the whole proxy** while it loads the module",
    consumer="observed with Envoy 1.36.2 and 1.40.0, assumed for all",
    example='(func (export "0"))',
    fix="export it under another name",
)

_NEWEST_ABI = "0.2.1"
_EXPORT_MARKER = "build with a proxy-wasm SDK, or export an empty function proxy_abi_version_0_2_1"


def load_problems(
    module: Module, scan: HostScan, host: abi.HostDate, own_functions: frozenset[str] = frozenset()
) -> Iterator[Problem]:
    """All static reasons why a host of that date would not load the module, and doubts.

    :param scan: what the host's own scan found; a refusal there ends the list
    :param host: date of the host
    :param own_functions: of module ``env``, provided by this consumer alone
    """
    if scan.refusal in {CORRUPTED, TOO_MUCH}:
        yield _stopped(scan)
    elif scan.refusal == NO_ABI or scan.abi is None:
        yield _no_abi(module)
    else:
        yield from table_problems(module)
        yield from _untranslatable_types(module)
        yield from _untranslatable_names(module)
        yield from import_problems(module, scan.abi, host, own_functions)
        yield from memory_problems(module, host)
        yield from export_problems(module, scan.abi, host)


def _stopped(scan: HostScan) -> Problem:
    message = (
        f"the proxy's own scan of the file stops here: {CORRUPTED!r}"
        if scan.refusal == CORRUPTED
        else "the proxy's own scan of the file is not followed any further: the file exceeds the "
        "bounds of this check, and what compilers write"
    )
    return STOPPED_SCAN.problem(
        scan.where,
        message,
        "strip custom sections (wasm-opt --strip-debug, wasm-strip) or build again",
    )


def _no_abi(module: Module) -> Problem:
    wrong = next(
        (e for e in module.exports if e.raw_name in abi.MARKERS and e.kind != "func"), None
    )
    draft = module.exported("proxy_abi_version_0_x_x") or module.exported("proxy_abi_version_0_3_0")
    if wrong is not None:
        why = f"{wrong.name} is exported as a {wrong.kind}, not as a function"
    elif draft is not None:
        why = f"{draft.name} marks a draft that no released proxy supports"
    else:
        why = "no function proxy_abi_version_0_1_0, _0_2_0 or _0_2_1 is exported"
    return NO_MARKER.problem(
        "exports",
        f"{why}: {NO_ABI!r}",
        _EXPORT_MARKER if wrong is not None or _lacks_only_the_marker(module) else OTHER_SDK,
    )


def _lacks_only_the_marker(module: Module) -> bool:
    """False where a marker would only lead to the proxy's next error."""
    if not any(raw.startswith(b"proxy_on_") for raw in module.functions):
        return True
    checks = import_problems, export_problems
    found = chain.from_iterable(check(module, _NEWEST_ABI, abi.NEWEST) for check in checks)
    return all(problem.severity is not Severity.ERROR for problem in found)


def _untranslatable_types(module: Module) -> Iterator[Problem]:
    """The proxy lists imports and exports through V8's C interface, which ends the process when it
    meets a type it has no name for (observed with Envoy 1.40.0).
    """
    items: Iterable[Import | Export] = chain(module.distinct_imports, module.exports)
    yield from few((i for i in items if i.kind == "tag" or not i.means.plain), _untranslatable_type)


def _untranslatable_type(item: Import | Export) -> Problem:
    what = "an exception tag" if item.kind == "tag" else f"the type {item.type}"
    where = f"{item.module}.{item.name}" if isinstance(item, Import) else item.name
    return UNTRANSLATABLE_TYPE.problem(
        f"{'import' if isinstance(item, Import) else 'export'} {where}",
        f"{what} CRASHES THE WHOLE PROXY while it loads the module (observed with Envoy 1.40.0)",
        "import and export only functions and globals of plain number types",
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
    return UNTRANSLATABLE_NAME.problem(
        f"export {export.name!r}",
        f"a {export.kind} of this name CRASHES THE WHOLE PROXY while it loads the "
        "module (observed with Envoy 1.40.0)",
        "export it under a name that is not a number and does not end in a zero byte",
    )
