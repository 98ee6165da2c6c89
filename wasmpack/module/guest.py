"""A module running in wasmtime, as the host's functions see it: its memory and its allocator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasmpack.module import abi
from wasmpack.module.types import Module
from wasmpack.module.wasi_host import OverLimit

if TYPE_CHECKING:
    import wasmtime

_READ = 64 * 1024 * 1024
"""Most bytes one host call may hand over."""


class WasmtimeGuest:
    """The running instance (:class:`wasmpack.module.wasi_host.Guest`)."""

    def __init__(self, store: wasmtime.Store) -> None:
        self._store = store
        self.instance: wasmtime.Instance | None = None
        self.memory: wasmtime.Memory | None = None

    def function(self, name: str) -> wasmtime.Func | None:
        import wasmtime

        found = self.instance.exports(self._store).get(name) if self.instance else None
        return found if isinstance(found, wasmtime.Func) else None

    def find_memory(self, module: Module) -> None:
        """The host takes the last memory that is exported, under any name (v8.cc, ``link``)."""
        import wasmtime

        assert self.instance
        exports = self.instance.exports(self._store)
        for export in module.exports:
            found = exports.get(export.name)
            if isinstance(found, wasmtime.Memory):
                self.memory = found

    def read(self, address: int, size: int) -> bytes | None:
        if size > _READ:
            raise OverLimit(f"{size} bytes handed to the host at once")
        if self.memory is None or address + size > self.memory.data_len(self._store):
            return None
        return bytes(self.memory.read(self._store, address, address + size))

    def write(self, address: int, data: bytes) -> bool:
        if self.memory is None or address + len(data) > self.memory.data_len(self._store):
            return False
        self.memory.write(self._store, data, address)
        return True

    def allocate(self, size: int) -> int:
        for name in abi.ALLOCATORS:
            function = self.function(name)
            if function is not None:
                return int(function(self._store, size)) & 0xFFFFFFFF
        return 0
