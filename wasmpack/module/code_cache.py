"""Compiled modules, kept by digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasmpack.module.engine import engine

if TYPE_CHECKING:
    import wasmtime


def compiled_module(data: bytes) -> wasmtime.Module:
    import wasmtime

    return wasmtime.Module(engine(fuel=True), data)
