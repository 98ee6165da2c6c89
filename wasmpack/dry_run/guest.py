"""A module running in wasmtime, as the host's functions see it: its memory and its allocator."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from wasmpack.dry_run.host.memory import GuestMemory, OverLimit, ProxyCrash
from wasmpack.dry_run.result import Cause
from wasmpack.proxy_abi import abi
from wasmpack.wasm.types import Module

if TYPE_CHECKING:
    import wasmtime

_ADDRESSES = 0xFFFFFFFF
_READ = 64 * 1024 * 1024
"""Most bytes one host call may hand over."""


class WasmtimeGuest(GuestMemory):
    """The running instance."""

    def __init__(self, store: wasmtime.Store) -> None:
        self._store = store
        self.instance: wasmtime.Instance | None = None
        self.allocating = False
        """The module's allocator runs, on behalf of a host call."""
        self.memory: wasmtime.Memory | wasmtime.SharedMemory | None = None
        """The memory that the host sees; before there is an instance it follows a null pointer."""

    def attach(
        self, instance: wasmtime.Instance, module: Module, imported: wasmtime.Memory | None
    ) -> None:
        """Take over the new instance, and find the memory that the host uses.

        That is the last memory that is exported, under any name, and else the imported one (v8.cc,
        ``link``). Exports are asked for by their names: ``Instance.exports`` lists all of them
        first, in time that grows with the square of their number.
        """
        import wasmtime

        self.instance = instance
        self._exports = wasmtime.Linker(self._store.engine)
        self._exports.define_instance(self._store, "", instance)
        last = next((e for e in reversed(module.exports) if e.kind == "memory"), None)
        found = self._export(last.raw_name.decode()) if last else imported
        assert found is None or isinstance(found, wasmtime.Memory | wasmtime.SharedMemory)
        self.memory = found

    def function(self, name: str) -> wasmtime.Func | None:
        import wasmtime

        found = self._export(name) if self.instance else None
        return found if isinstance(found, wasmtime.Func) else None

    def _export(self, name: str) -> object:
        import wasmtime

        try:
            return self._exports.get(self._store, "", name)
        except wasmtime.WasmtimeError:
            return None

    def read(self, address: int, size: int) -> bytes | None:
        if not self._inside(address, size):
            return None
        if size > _READ:
            raise OverLimit(f"{size} bytes handed to the host at once")
        return ctypes.string_at(self._address() + address, size)

    def write(self, address: int, data: bytes) -> bool:
        if not self._inside(address, len(data)):
            return False
        ctypes.memmove(self._address() + address, data, len(data))
        return True

    def allocate(self, size: int) -> int:
        """Request memory from the module; 0 if it returns none, or an invalid address."""
        for name in abi.ALLOCATORS:
            function = self.function(name)
            if function is not None:
                self.allocating = True
                address = int(function(self._store, size)) & 0xFFFFFFFF
                self.allocating = False
                return address if address and self._inside(address, size) else 0
        return 0

    def _inside(self, address: int, size: int) -> bool:
        """Sizes that no memory can hold are refused before the memory is accessed (v8.cc)."""
        if self.instance is None:
            raise ProxyCrash(Cause.CONTEXT)
        return address + size <= _ADDRESSES and address + size <= self._length()

    def _length(self) -> int:
        """Bytes of the memory now."""
        import wasmtime

        if self.memory is None:
            raise ProxyCrash(Cause.MEMORY)
        if isinstance(self.memory, wasmtime.SharedMemory):
            return int(self.memory.data_len())
        return self.memory.data_len(self._store)

    def _address(self) -> int:
        """The current address of the memory; growing moves it."""
        import wasmtime

        assert self.memory is not None
        if isinstance(self.memory, wasmtime.SharedMemory):
            pointer = self.memory.data_ptr()
        else:
            pointer = self.memory.data_ptr(self._store)
        return ctypes.addressof(pointer.contents)
