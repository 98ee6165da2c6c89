"""Compiled modules, kept by digest: compiling is most of a dry run's time.

Machine code out of a file is run, so a file is trusted only if nobody else could have written it
(:mod:`wasmpack.files.owned`). wasmtime itself refuses code of another version, configuration or
machine.
``$WASMPACK_CACHE``, by default ``${XDG_CACHE_HOME:-~/.cache}/wasmpack``, may be removed at any
time; an empty ``WASMPACK_CACHE`` turns the cache off.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from wasmpack.dry_run.engine import engine
from wasmpack.files.owned import make_room, read_owned, write_owned

if TYPE_CHECKING:
    import wasmtime

_WORTH_KEEPING = 256 * 1024
"""Bytes of a module; smaller ones compile in a few milliseconds."""
_LIMIT = 512 * 1024 * 1024
"""Bytes of the whole cache, and so of one file."""


def compiled_module(data: bytes, cache: Path | None) -> wasmtime.Module:
    """Compile, or take what was compiled before.

    :param cache: what :func:`cache_path` said; the process that compiles knows no settings
    :raises wasmtime.WasmtimeError: it cannot be compiled
    """
    import wasmtime

    if cache is None or len(data) < _WORTH_KEEPING:
        return wasmtime.Module(engine(bounded=True), data)
    path = cache / f"{hashlib.sha256(data).hexdigest()}.cwasm"
    code = read_owned(path, _LIMIT)
    if code is not None:
        with contextlib.suppress(wasmtime.WasmtimeError):
            return wasmtime.Module.deserialize(engine(bounded=True), code)
    module = wasmtime.Module(engine(bounded=True), data)
    write_owned(path, bytes(module.serialize()))
    make_room(cache, _LIMIT)
    return module


def cache_path() -> Path | None:
    """The directory of compiled code, whether or not it exists; None if there is to be none."""
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
