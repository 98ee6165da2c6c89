"""The host's side of WASI, emscripten and pthreads, and how it reads and writes a module's memory.

Results are numbers of WASI ``errno``. What each function answers was observed with Envoy 1.40.0
(``tests/agreement/test_host_answers.py`` asks it again): proxy-wasm-cpp-host, src/exports.cc.
"""

import os
import time
from typing import Protocol

from wasmpack.proxy_abi.abi import POLL_SINCE

OK, BAD_MEMORY = 0, 6
"""``proxy_status_t``: how writing a result ends."""
SUCCESS, BADF, EXIST, FAULT, INVAL, NOENT, NOSYS, NOTSUP = 0, 8, 20, 21, 28, 44, 52, 58
_OUTPUTS = {1, 2}
"""Standard output and error: the only files there are."""
_LOG_LIMIT = 64 * 1024
"""Bytes of log kept; what comes after is counted as seen and dropped."""
KEPT_LIMIT = 64 * 1024 * 1024
"""Bytes that the host keeps for a module: shared data and queues, headers."""
_RANDOM_LIMIT = 64 * 1024
_VECTORS = 100_000
"""Most pieces of one ``fd_write`` that are looked at; libraries use one or two."""


class OverLimit(Exception):
    """A bound of ours was reached inside a host call; unwinds the module's stack."""


class ProxyCrash(Exception):
    """The call ends the whole proxy; its text says what is missing there: ``memory``, ``context``,
    ``allocator``, ``service`` or ``stream``.
    """


class Restricted(Exception):
    """The allocator made a call that is forbidden to it, as it is to start code."""


class Guest(Protocol):
    """The module's memory, as the host sees it.

    :raises ProxyCrash: from each method, if the host sees no memory
    """

    def read(self, address: int, size: int) -> bytes | None: ...
    def write(self, address: int, data: bytes) -> bool: ...
    def allocate(self, size: int) -> int: ...


class WasiHost:
    """What is the same under every proxy-wasm ABI; the log of the run."""

    def __init__(self, guest: Guest, host: str) -> None:
        self._guest = guest
        self._polls = host >= POLL_SINCE
        self.has_context = False
        """False while the start section runs: there is no context that a call could belong to."""
        self.log: list[str] = []
        self._logged = 0
        self._kept = 0

    # emscripten and pthreads

    def emscripten_notify_memory_growth(self, _memory: int) -> None:
        return None

    def pthread_equal(self, left: int, right: int) -> int:
        return int(left == right)

    # WASI: output

    def fd_write(self, fd: int, vectors: int, count: int, written: int) -> int:
        if fd not in _OUTPUTS:
            return BADF
        text = self._gather(vectors, count)
        if text is None:
            return FAULT
        self._note(text)
        return self._result(written, len(text), 4)

    def fd_pwrite(self, fd: int, vectors: int, count: int, _offset: int, written: int) -> int:
        return self.fd_write(fd, vectors, count, written)

    def _gather(self, vectors: int, count: int) -> bytes | None:
        """The pieces of a vector, one after the other; the place of an empty one is not looked at.

        None if one lies outside the memory.
        """
        pieces: list[bytes] = []
        for number in range(count):
            if number > _VECTORS:
                raise OverLimit(f"a vector of more than {_VECTORS} pieces")
            vector = self._guest.read(vectors + 8 * number, 8)
            if vector is None:
                return None
            address, size = (int.from_bytes(vector[n : n + 4], "little") for n in (0, 4))
            piece = self._guest.read(address, size) if size else b""
            if piece is None:
                return None
            pieces.append(piece)
        self._uses_context()
        return b"".join(pieces)

    # WASI: arguments, environment, clocks, random numbers

    def args_sizes_get(self, count: int, size: int) -> int:
        return self._result(count, 0, 4) or self._result(size, 0, 4)

    environ_sizes_get = args_sizes_get

    def args_get(self, _vector: int, _buffer: int) -> int:
        return SUCCESS

    def environ_get(self, _vector: int, _buffer: int) -> int:
        self._uses_context()
        return SUCCESS

    def clock_time_get(self, clock: int, _precision: int, result: int) -> int:
        if clock not in {0, 1}:
            return NOTSUP
        return self._result(result, time.time_ns(), 8)

    def clock_res_get(self, clock: int, result: int) -> int:
        if clock not in {0, 1}:
            return NOTSUP
        return self._result(result, 1, 8)

    def random_get(self, address: int, size: int) -> int:
        if size > _RANDOM_LIMIT:
            return INVAL
        if not size:
            return SUCCESS
        return SUCCESS if self._guest.write(address, os.urandom(size)) else FAULT

    # WASI: files, of which there are none

    def fd_read(self, *_arguments: int) -> int:
        return NOSYS

    fd_pread = fd_fdstat_set_flags = fd_prestat_dir_name = fd_read

    def fd_seek(self, *_arguments: int) -> int:
        self._uses_context()
        return SUCCESS

    fd_close = fd_seek

    def fd_fdstat_get(self, fd: int, result: int) -> int:
        if fd not in _OUTPUTS:
            return BADF
        unknown_type_that_writes = bytes(8) + bytes([64]) + bytes(15)
        self._guest.write(result, unknown_type_that_writes)  # its failure goes unnoticed
        return SUCCESS

    def fd_sync(self, fd: int, *_arguments: int) -> int:
        return SUCCESS if fd in _OUTPUTS else BADF

    fd_allocate = fd_datasync = fd_fdstat_set_rights = fd_sync
    fd_filestat_set_size = fd_filestat_set_times = fd_sync

    def fd_tell(self, fd: int, result: int) -> int:
        return self._result(result, 0, 8) if fd in _OUTPUTS else BADF

    def fd_renumber(self, fd: int, to: int) -> int:
        return NOTSUP if fd in _OUTPUTS and to in _OUTPUTS else BADF

    def fd_filestat_get(self, _fd: int, _result: int) -> int:
        return BADF

    def fd_prestat_get(self, _fd: int, _result: int) -> int:
        return BADF

    def fd_advise(self, *_arguments: int) -> int:
        return SUCCESS

    def fd_readdir(self, _fd: int, _buffer: int, _size: int, _cookie: int, used: int) -> int:
        return self._result(used, 0, 4) or EXIST

    def path_open(self, *_arguments: int) -> int:
        return NOENT

    def path_readlink(self, *arguments: int) -> int:
        return self._result(arguments[5], 0, 4) or NOTSUP

    def sock_accept(self, _fd: int, _flags: int, result: int) -> int:
        return self._result(result, 0, 4) or NOTSUP

    def sock_recv(self, *arguments: int) -> int:
        return self._result(arguments[4], 0, 4) or self._result(arguments[5], 0, 2) or NOTSUP

    def sock_send(self, *arguments: int) -> int:
        return self._result(arguments[4], 0, 4) or NOTSUP

    # WASI: the process

    def poll_oneoff(self, _in: int, _out: int, _count: int, events: int) -> int:
        if not self._polls:
            return NOSYS
        return self._result(events, 0, 4)

    def sched_yield(self) -> int:
        return SUCCESS

    def proc_exit(self, _code: int) -> None:
        self._uses_context()  # it logs that this is not supported, and goes on

    # how the host uses the module's memory (wasm_base.h, copyToPointerSize, setDatatype)

    def _uses_context(self) -> None:
        if not self.has_context:
            raise ProxyCrash("context")

    def _result(self, address: int, value: int, width: int) -> int:
        """Write a WASI result."""
        return FAULT if self._put(address, value, width) else SUCCESS

    def _put(self, address: int, value: int, width: int) -> int:
        done = self._guest.write(address, value.to_bytes(width, "little"))
        return OK if done else BAD_MEMORY

    def _give(self, value: bytes, data: int, size: int) -> int:
        address = self._guest.allocate(len(value)) if value else 0
        if value and not (address and self._guest.write(address, value)):
            return BAD_MEMORY
        return self._put(data, address, 4) or self._put(size, len(value), 4)

    def _checked(self, result: int, *spans: tuple[int, int]) -> int:
        readable = [self._guest.read(address, size) is not None for address, size in spans]
        return result if all(readable) else BAD_MEMORY

    def _keep(self, size: int) -> None:
        self._kept += size + 64
        if self._kept > KEPT_LIMIT:
            raise OverLimit(f"more than {KEPT_LIMIT} bytes of headers")

    def _note(self, text: bytes) -> None:
        room = max(0, _LOG_LIMIT - self._logged)
        if line := text[:room].decode(errors="replace").strip():
            self.log.append(line)
        self._logged += len(text)
