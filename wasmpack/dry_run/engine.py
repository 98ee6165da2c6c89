"""wasmtime: the authority on validity, the reader of WebAssembly text, the engine of the dry run.

It is imported inside functions, because that takes 40 ms; a test names the files that may do so.
"""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from wasmpack.errors import BadArtifact

if TYPE_CHECKING:
    import wasmtime

_STACK = 2 * 1024 * 1024
"""Bytes: the most that the engine allows. V8 has one megabyte, but smaller frames."""
_TEXT_LIMIT = 64 * 1024 * 1024
_BASELINE = {"x86_64", "AMD64"}
"""Machines on which Winch is as well supported as Cranelift (wasmtime's Tiers of Support)."""
_HEAVY = 1_000_000_000
"""Weight of a function for which V8 may need gigabytes, and Winch does not. Functions of 3e10 and
1e10 took Envoy 1.40 more than 1.3 GB; those of Go plugins weigh under 2e8."""
_WORTH_THREADS = 256 * 1024
"""Bytes of a module; Winch compiles a smaller one while threads would start."""
_WINCH = 2
"""``wasmtime_strategy_enum`` (wasmtime/config.h); ``Config.strategy`` has no name for it."""
_NEWER = (
    "exceptions",
    "function_references",
    "gc",
    "memory64",
    "multi_memory",
    "relaxed_simd",
    "tail_call",
    "threads",
)
"""Features seen working with Envoy 1.36 and newer, and not established for older ones."""
_OWN_LIMIT = re.compile(
    r"(tables|memories|element segments|functions) count exceeds limit"
    r"|(string|catches) size (is )?out of bounds|effective type size exceeds"
)
"""Limits that V8 exceeds (``tests/agreement/test_limits.py``); all others are the same in both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """wasmtime's verdict on a module, with its messages (``… (at offset 0x8)``)."""

    error: str | None = None
    """The reason why it is invalid; None if valid."""
    newer: str | None = None
    """The reason why an engine of the WebAssembly 2.0 specification would refuse it, if any."""

    @property
    def limited(self) -> bool:
        """The error is a limit of wasmtime alone: V8 may accept the module."""
        return self.error is not None and _OWN_LIMIT.search(self.error) is not None


def validity(data: bytes) -> Validity:
    """Validate, as WebAssembly 2.0 first: a module valid there is valid with newer features too."""
    newer = _error(_engine_of_2_0(), data)
    if newer is None:
        return Validity()
    return Validity(error=_error(engine(), data), newer=newer)


def _error(checker: wasmtime.Engine, data: bytes) -> str | None:
    import wasmtime

    try:
        wasmtime.Module.validate(checker, data)
    except wasmtime.WasmtimeError as error:
        return first_line(str(error))
    return None


def _engine_of_2_0() -> wasmtime.Engine:
    import wasmtime

    config = _config(newer=False)
    config.gc_support = False
    return wasmtime.Engine(config)


@cache
def engine(*, bounded: bool = False) -> wasmtime.Engine:
    """The engine, made once; it accepts what Envoy's V8 accepts (observed with 1.40).

    :param bounded: what it runs can be interrupted, for the dry run
    """
    import wasmtime

    config = _config(newer=True)
    config.cranelift_opt_level = "none"  # start-up code runs once
    config.epoch_interruption = bounded
    config.shared_memory = True
    config.max_wasm_stack = _STACK
    return wasmtime.Engine(config)


def engines(size: int, heaviest: int) -> list[wasmtime.Engine]:
    """Engines of the dry run, which can be interrupted; the first that compiles a module runs it.

    Winch, the baseline compiler, takes a quarter of Cranelift's time. It lacks the newer features,
    and vectors where the processor has no AVX.

    :param size: bytes of the module
    :param heaviest: see :func:`wasmpack.wasm.code.heaviest_body`
    """
    baseline = platform.machine() in _BASELINE and heaviest <= _HEAVY
    first = [_baseline_engine(parallel=size >= _WORTH_THREADS)] if baseline else []
    return [*first, engine(bounded=True)]


@cache
def _baseline_engine(*, parallel: bool) -> wasmtime.Engine:
    """Fails, with the process, if anything is on that Winch lacks."""
    import wasmtime
    from wasmtime import _bindings

    config = _config(newer=False)
    config.gc_support = False
    config.epoch_interruption = True
    config.max_wasm_stack = _STACK
    config.parallel_compilation = parallel
    _bindings.wasmtime_config_strategy_set(config.ptr(), _WINCH)
    return wasmtime.Engine(config)


def _config(*, newer: bool) -> wasmtime.Config:
    import wasmtime

    config = wasmtime.Config()
    for feature in _NEWER:
        setattr(config, f"wasm_{feature}", newer)
    for feature in ("wide_arithmetic", "stack_switching", "custom_page_sizes"):
        setattr(config, f"wasm_{feature}", False)
    return config


def text_to_binary(text: bytes, name: str) -> bytes:
    """Compile WebAssembly text (``.wat``).

    :param name: names the file in errors
    :raises BadArtifact: with line and column
    """
    import wasmtime

    if len(text) > _TEXT_LIMIT:
        raise BadArtifact(f"{name}: {len(text)} bytes of text, more than {_TEXT_LIMIT}")
    try:
        return bytes(wasmtime.wat2wasm(text))
    except wasmtime.WasmtimeError as error:
        reason, _, place = str(error).partition("-->")
        line_column = place.split("\n")[0].strip().rpartition("<anon>:")[2]
        at = f" at line {line_column.replace(':', ' column ')}" if line_column else ""
        raise BadArtifact(f"{name}: not valid WebAssembly text: {reason.strip()}{at}") from error


def first_line(text: str) -> str:
    """The cause out of wasmtime's chain of messages."""
    _, _, cause = text.rpartition("Caused by:")
    lines = [line.strip() for line in cause.splitlines() if line.strip()]
    return lines[0].removeprefix("0: ") if lines else "no reason given"


def trap_reason(text: str) -> str:
    """The cause alone: backtraces name our engine's addresses, not the proxy's."""
    reason = text.rpartition("wasm trap:")[2] if "wasm trap:" in text else first_line(text)
    return reason.strip().splitlines()[0]
