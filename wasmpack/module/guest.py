"""A module running in wasmtime, as the host's functions see it: its memory and its allocator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasmpack.module import abi
from wasmpack.module.types import Module
from wasmpack.module.wasi_host import OverLimit, ProxyCrash

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
        """What the host sees once the instance is there; until then it follows a null pointer."""

    def function(self, name: str) -> wasmtime.Func | None:
        import wasmtime

        found = self.instance.exports(self._store).get(name) if self.instance else None
        return found if isinstance(found, wasmtime.Func) else None

    def find_memory(self, module: Module, imported: wasmtime.Memory | None) -> None:
        """The host takes the last memory that is exported, under any name (v8.cc, ``link``)."""
        import wasmtime

        assert self.instance
        self.memory = imported
        exports = self.instance.exports(self._store)
        for export in module.exports:
            found = exports.get(export.name)
            if isinstance(found, wasmtime.Memory):
                self.memory = found

    def read(self, address: int, size: int) -> bytes | None:
        memory = self._seen()
        if address + size > memory.data_len(self._store):
            return None
        if size > _READ:
            raise OverLimit(f"{size} bytes handed to the host at once")
        return bytes(memory.read(self._store, address, address + size)) if size else b""

    def write(self, address: int, data: bytes) -> bool:
        memory = self._seen()
        if address + len(data) > memory.data_len(self._store):
            return False
        if data:
            memory.write(self._store, data, address)
        return True

    def allocate(self, size: int) -> int:
        """Ask the module for memory; 0 if it gives none that is there."""
        for name in abi.ALLOCATORS:
            function = self.function(name)
            if function is not None:
                address = int(function(self._store, size)) & 0xFFFFFFFF
                found = address and address + size <= self._seen().data_len(self._store)
                return address if found else 0
        return 0

    def _seen(self) -> wasmtime.Memory:
        if self.memory is None:
            raise ProxyCrash
        return self.memory
