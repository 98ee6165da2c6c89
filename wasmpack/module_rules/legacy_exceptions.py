"""Exception handling in its first form, which V8 runs and wasmtime does not support.

wasmtime stops at the first such instruction, so the rest of the module stays unchecked. To tell a
compiler's output from a damaged byte that happens to be one of these opcodes, the function has to
look like one that handles exceptions (exception-handling proposal, legacy/Exceptions.md).
"""

import re

from wasmpack.wasm.code import bodies
from wasmpack.wasm.types import Module

_REASON = re.compile(
    r"legacy_exceptions feature required for (\w+) instruction \(at offset 0x([0-9a-f]+)\)"
)
_CATCH, _DELEGATE, _CATCH_ALL = 0x07, 0x18, 0x19


def uses_legacy_exceptions(data: bytes, module: Module, reason: str) -> bool:
    """Return True if wasmtime refuses the module for them, plausibly for nothing else.

    :param reason: wasmtime's message
    """
    found = _REASON.search(reason)
    if found is None or found[1] != "try":
        return False
    body = _function_around(data, module, int(found[2], 16))
    handlers = {_DELEGATE, _CATCH_ALL} | ({_CATCH} if _has_tags(module) else set())
    return any(byte in body for byte in handlers)


def _has_tags(module: Module) -> bool:
    return module.section("tag") is not None or any(i.kind == "tag" for i in module.imports)


def _function_around(data: bytes, module: Module, offset: int) -> bytes:
    """The function's code behind an offset; nothing if it lies in no function."""
    section = module.section("code")
    around = bodies(data, section) if section else ()
    return next((data[offset + 1 : end] for _, end in around if offset < end), b"")
