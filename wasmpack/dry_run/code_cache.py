"""Compiled modules, cached by digest: compiling is most of a dry run's time.

Machine code out of a file is run, so a file is trusted only if nobody else could have written it
(:mod:`wasmpack.files.owned`). wasmtime itself refuses code of another version, configuration or
machine.
``$WASMPACK_CACHE``, by default ``${XDG_CACHE_HOME:-~/.cache}/wasmpack``, may be removed at any
time; an empty ``WASMPACK_CACHE`` turns the cache off.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wasmpack.dry_run.engine import engines
from wasmpack.files.owned import make_room, read_owned, write_owned

if TYPE_CHECKING:  # the process that compiles has no use for them
    import wasmtime

    from wasmpack.proxy_abi.module import PluginModule

_WORTH_KEEPING = 256 * 1024
"""Bytes of a module; smaller ones compile in a few milliseconds."""
_LIMIT = 512 * 1024 * 1024
"""Bytes of the whole cache, and so of one file."""


class Code(NamedTuple):
    """A compiled module, and the engine that runs it."""

    engine: wasmtime.Engine
    module: wasmtime.Module


def compiled_module(data: bytes, cached: Path | None, heaviest: int = 0) -> Code:
    """Compile, or use the cached code.

    :param cached: the result of :func:`cache_file`; the process that compiles knows no settings
    :param heaviest: of its functions; see :func:`wasmpack.wasm.code.heaviest_body`
    :raises wasmtime.WasmtimeError: it cannot be compiled
    """
    import wasmtime

    choice = engines(len(data), heaviest)
    if cached is None:
        return _by_first(choice, wasmtime.Module, data)
    code = read_owned(cached, _LIMIT)
    if code is not None:
        with contextlib.suppress(wasmtime.WasmtimeError):
            return _by_first(choice, wasmtime.Module.deserialize, code)
    compiled = _by_first(choice, wasmtime.Module, data)
    write_owned(cached, bytes(compiled.module.serialize()))
    make_room(cached.parent, _LIMIT)
    return compiled


def _by_first(
    choice: Sequence[wasmtime.Engine],
    load: Callable[[wasmtime.Engine, bytes], wasmtime.Module],
    data: bytes,
) -> Code:
    """:raises wasmtime.WasmtimeError: none can; what the last one says"""
    import wasmtime

    *others, last = choice
    for each in others:
        with contextlib.suppress(wasmtime.WasmtimeError):
            return Code(each, load(each, data))
    return Code(last, load(last, data))


def cache_file(module: PluginModule) -> Path | None:
    """The file for a module's code; None without a cache, or for small modules."""
    cache = cache_path() if module.size >= _WORTH_KEEPING else None
    return None if cache is None else cache / f"{module.digest.hex}.cwasm"


def cache_path() -> Path | None:
    """The directory of compiled code, whether or not it exists; None if disabled."""
    named = os.environ.get("WASMPACK_CACHE")
    if named == "":
        return None
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return (Path(named) if named else home / "wasmpack").absolute() / "code"
    except (OSError, RuntimeError):  # no home, no current directory
        return None


def clear_cache() -> tuple[int, int]:
    """Remove all compiled code: how many files, how many bytes."""
    path = cache_path()
    return (0, 0) if path is None else make_room(path, 0)
