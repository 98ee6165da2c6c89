"""Compiled modules, kept by digest: compiling is most of a dry run's time.

Machine code out of a file is run, so a file is trusted only if nobody else could have written it
(it and its directory belong to this user and are writable by no other), and its digest stands
before its bytes, so that damage is noticed. wasmtime itself refuses code of another version,
configuration or machine. ``$WASMPACK_CACHE``, by default ``${XDG_CACHE_HOME:-~/.cache}/wasmpack``,
may be removed at any time; an empty ``WASMPACK_CACHE`` turns the cache off.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from wasmpack.module.engine import engine

if TYPE_CHECKING:
    import wasmtime

_WORTH_KEEPING = 256 * 1024
"""Bytes of a module; smaller ones compile in a few milliseconds."""
_LIMIT = 512 * 1024 * 1024
"""Bytes of the whole cache; the least recently used go first."""
_DIGEST = 32
_HOUR = 3600
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def compiled_module(data: bytes) -> wasmtime.Module:
    """Compile, or take what was compiled before.

    :raises wasmtime.WasmtimeError: it cannot be compiled
    """
    import wasmtime

    directory = _directory() if len(data) >= _WORTH_KEEPING else None
    if directory is None:
        return wasmtime.Module(engine(fuel=True), data)
    path = directory / f"{hashlib.sha256(data).hexdigest()}.cwasm"
    code = _read(path)
    if code is not None:
        with contextlib.suppress(wasmtime.WasmtimeError):
            return wasmtime.Module.deserialize(engine(fuel=True), code)
    module = wasmtime.Module(engine(fuel=True), data)
    with contextlib.suppress(OSError):
        _write(path, bytes(module.serialize()))
    return module


def _directory() -> Path | None:
    """Made if it is not there; None if there is none that can be trusted."""
    named = os.environ.get("WASMPACK_CACHE")
    if named == "":
        return None
    try:
        base = Path(named) if named else _cache_home() / "wasmpack"
        path = base / "code"
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat(follow_symlinks=False)
    except (OSError, RuntimeError):
        return None
    return path if stat.S_ISDIR(found.st_mode) and _is_ours(found) else None


def _cache_home() -> Path:
    named = os.environ.get("XDG_CACHE_HOME")
    return Path(named) if named else Path.home() / ".cache"


def _is_ours(found: os.stat_result) -> bool:
    """Nobody else can write it; where there are no such owners, nothing is known."""
    return hasattr(os, "geteuid") and found.st_uid == os.geteuid() and not found.st_mode & _OTHERS


def _read(path: Path) -> bytes | None:
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return None
    with os.fdopen(file, "rb") as opened:
        found = os.fstat(file)
        if not (stat.S_ISREG(found.st_mode) and _is_ours(found)):
            return None
        digest, code = opened.read(_DIGEST), opened.read()
    if hashlib.sha256(code).digest() != digest:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return code


def _write(path: Path, code: bytes) -> None:
    """Through a file of another name, so that none is ever seen half."""
    file, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # mode 0600
    try:
        with os.fdopen(file, "wb") as opened:
            opened.write(hashlib.sha256(code).digest() + code)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    _make_room(path.parent)


def _make_room(directory: Path) -> None:
    for left in directory.glob(".new-*"):  # of processes that were killed while they wrote
        if time.time() - left.stat().st_mtime > _HOUR:
            left.unlink(missing_ok=True)
    files = sorted(directory.glob("*.cwasm"), key=lambda path: path.stat().st_mtime, reverse=True)
    total = 0
    for path in files:
        total += path.stat().st_size
        if total > _LIMIT:
            path.unlink(missing_ok=True)
