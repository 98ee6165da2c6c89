"""The host's side of WASI, emscripten and pthreads, and how it writes results into a module.

Results are numbers of WASI ``errno``; what each function answers is proxy-wasm-cpp-host's
src/exports.cc.
"""

import os
import time
from typing import Protocol

OK, BAD_MEMORY = 0, 6
"""``proxy_status_t``: how writing a result ends."""
SUCCESS, BADF, FAULT, INVAL, NOENT, NOTSUP = 0, 8, 21, 28, 44, 58
_LOG_LIMIT = 64 * 1024
"""Bytes of log kept; what comes after is counted as seen and dropped."""
_RANDOM_LIMIT = 64 * 1024
_KEPT_LIMIT = 64 * 1024 * 1024
"""Bytes of shared data and queues together."""
_VECTORS = 1024
"""Most pieces of one ``fd_write``; libraries use one or two."""


class OverLimit(Exception):
    """A bound of ours was reached inside a host call; unwinds the module's stack."""


class Guest(Protocol):
    """The module's memory, as the host sees it."""

    def read(self, address: int, size: int) -> bytes | None: ...
    def write(self, address: int, data: bytes) -> bool: ...
    def allocate(self, size: int) -> int: ...


class WasiHost:
    """What is the same under every proxy-wasm ABI; the log of the run."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self.log: list[str] = []
        self._logged = 0
        self._kept = 0

    # emscripten and pthreads

    def emscripten_notify_memory_growth(self, _memory: int) -> None:
        return None

    def pthread_equal(self, left: int, right: int) -> int:
        return int(left == right)

    # WASI

    def fd_write(self, fd: int, vectors: int, count: int, written: int) -> int:
        if fd not in {1, 2}:
            return BADF
        if count > _VECTORS:
            raise OverLimit(f"fd_write of {count} pieces")
        total = 0
        for number in range(count):
            vector = self._guest.read(vectors + 8 * number, 8)
            if vector is None:
                return FAULT
            address, size = (int.from_bytes(vector[n : n + 4], "little") for n in (0, 4))
            text = self._guest.read(address, size)
            if text is None:
                return FAULT
            self._note(text)
            total += size
        return FAULT if self._put(written, total, 4) else SUCCESS

    def args_sizes_get(self, count: int, size: int) -> int:
        return FAULT if self._put(count, 0, 4) or self._put(size, 0, 4) else SUCCESS

    environ_sizes_get = args_sizes_get

    def args_get(self, _vector: int, _buffer: int) -> int:
        return SUCCESS

    environ_get = args_get

    def clock_time_get(self, clock: int, _precision: int, result: int) -> int:
        if clock not in {0, 1}:
            return NOTSUP
        return FAULT if self._put(result, time.time_ns(), 8) else SUCCESS

    def random_get(self, address: int, size: int) -> int:
        if size > _RANDOM_LIMIT:
            return INVAL
        return SUCCESS if self._guest.write(address, os.urandom(size)) else FAULT

    def fd_prestat_get(self, _fd: int, _result: int) -> int:
        return BADF

    def path_open(self, *_arguments: int) -> int:
        return NOENT

    def fd_fdstat_get(self, fd: int, result: int) -> int:
        if fd not in {1, 2}:
            return BADF
        character_device_that_writes = bytes([2, 0, 0, 0, 0, 0, 0, 0, 64]) + bytes(15)
        return SUCCESS if self._guest.write(result, character_device_that_writes) else FAULT

    def poll_oneoff(self, _in: int, _out: int, _count: int, events: int) -> int:
        return FAULT if self._put(events, 0, 4) else SUCCESS

    def sched_yield(self) -> int:
        return SUCCESS

    def proc_exit(self, _code: int) -> None:
        self._note(b"wasi proc_exit() is not supported by the proxy")

    # how the host writes results (wasm_base.h, copyToPointerSize, setDatatype)

    def _put(self, address: int, value: int, width: int) -> int:
        done = self._guest.write(address, value.to_bytes(width, "little"))
        return OK if done else BAD_MEMORY

    def _give(self, value: bytes, data: int, size: int) -> int:
        address = self._guest.allocate(len(value)) if value else 0
        if value and not self._guest.write(address, value):
            return BAD_MEMORY
        return self._put(data, address, 4) or self._put(size, len(value), 4)

    def _checked(self, result: int, *spans: tuple[int, int]) -> int:
        readable = all(self._guest.read(address, size) is not None for address, size in spans)
        return result if readable else BAD_MEMORY

    def _keep(self, size: int) -> None:
        self._kept += size
        if self._kept > _KEPT_LIMIT:
            raise OverLimit(f"more than {_KEPT_LIMIT} bytes of shared data")

    def _note(self, text: bytes) -> None:
        room = max(0, _LOG_LIMIT - self._logged)
        if line := text[:room].decode(errors="replace").strip():
            self.log.append(line)
        self._logged += len(text)
