"""The host's side of WASI: output, clocks, random numbers; there are no files or sockets.

What each function answers was observed with Envoy 1.40.0 (``tests/agreement/test_host_answers.py``
asks it again): proxy-wasm-cpp-host, src/exports.cc.
"""

import os
import time
from enum import IntEnum

from wasmpack.dry_run.host.memory import OverLimit, Refused, found
from wasmpack.dry_run.host.state import Host
from wasmpack.proxy_abi.abi import since

_OUTPUTS = {1, 2}
"""Standard output and error: the only files there are."""
_CLOCKS = {0, 1}
"""Clocks of the day, and monotonic."""
_WRITER = bytes(8) + bytes([64]) + bytes(15)
"""``fdstat``: a file of unknown type with the right to write."""
_RANDOM_LIMIT = 64 * 1024
_VECTORS = 100_000
"""Most pieces of one ``fd_write`` that are read; libraries use one or two."""


class Errno(IntEnum):
    """``errno`` of wasi_snapshot_preview1."""

    SUCCESS = 0
    BADF = 8
    EXIST = 20
    FAULT = 21
    INVAL = 28
    NOENT = 44
    NOSYS = 52
    NOTSUP = 58


def fd_write(host: Host, fd: int, vectors: int, count: int, *rest: int) -> None:
    """``fd_write``, and ``fd_pwrite`` to any offset."""
    check_output(host, fd)
    pieces = [_piece(host, vectors, number) for number in range(count)]
    host.vm.require_context()
    text = b"".join(pieces)
    host.vm.note(text)
    put(host, rest[-1], len(text))


fd_pwrite = fd_write


def _piece(host: Host, vectors: int, number: int) -> bytes:
    """One of a vector's; the address of an empty one is ignored."""
    if number > _VECTORS:
        raise OverLimit(f"a vector of more than {_VECTORS} pieces")
    vector = _read(host, vectors + 8 * number, 8)
    address, size = (int.from_bytes(vector[n : n + 4], "little") for n in (0, 4))
    return _read(host, address, size) if size else b""


def clock_time_get(host: Host, clock: int, _precision: int, result: int) -> None:
    _check_clock(clock)
    put(host, result, time.time_ns(), 8)


def clock_res_get(host: Host, clock: int, result: int) -> None:
    _check_clock(clock)
    put(host, result, 1, 8)


def random_get(host: Host, address: int, size: int) -> None:
    if size > _RANDOM_LIMIT:
        raise Refused(Errno.INVAL)
    if size and not host.memory.write(address, os.urandom(size)):
        raise Refused(Errno.FAULT)


def environ_sizes_get(host: Host, count: int, size: int) -> None:
    host.vm.environment_read = True
    variables = _environment(host)
    put(host, count, len(variables))
    put(host, size, sum(map(len, variables)))


def environ_get(host: Host, pointers: int, texts: int) -> None:
    host.vm.require_context()
    host.vm.environment_read = True
    for number, variable in enumerate(_environment(host)):
        put(host, pointers + 4 * number, texts)
        if not host.memory.write(texts, variable):
            raise Refused(Errno.FAULT)
        texts += len(variable)


def _environment(host: Host) -> list[bytes]:
    """As C has them."""
    return [f"{name}={value}\0".encode() for name, value in host.vm.started.start_up.env]


def fd_fdstat_get(host: Host, fd: int, result: int) -> None:
    check_output(host, fd)
    host.memory.write(result, _WRITER)  # its failure goes unnoticed


def fd_tell(host: Host, fd: int, result: int) -> None:
    check_output(host, fd)
    put(host, result, 0, 8)


def fd_renumber(host: Host, fd: int, to: int) -> Errno:
    check_output(host, fd)
    check_output(host, to)
    return Errno.NOTSUP


def check_output(host: Host, fd: int, *_arguments: int) -> None:
    """All that functions do which set something on an output."""
    if fd not in _OUTPUTS:
        raise Refused(Errno.BADF)


fd_sync = fd_datasync = fd_allocate = check_output
fd_fdstat_set_rights = fd_filestat_set_size = fd_filestat_set_times = check_output


def poll_oneoff(host: Host, *arguments: int) -> Errno:
    """Report no events; older hosts do not even write that."""
    if host.vm.started.host < since("poll"):
        return Errno.NOSYS
    put(host, arguments[3], 0)
    return Errno.SUCCESS


def _check_clock(clock: int) -> None:
    if clock not in _CLOCKS:
        raise Refused(Errno.NOTSUP)


def _read(host: Host, address: int, size: int) -> bytes:
    return found(host.memory.read(address, size), Errno.FAULT)


def put(host: Host, address: int, value: int, width: int = 4) -> None:
    if not host.memory.write(address, value.to_bytes(width, "little")):
        raise Refused(Errno.FAULT)
