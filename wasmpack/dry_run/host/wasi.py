"""The host's side of WASI: output, clocks, random numbers; of files and sockets there are none.

What each function answers was observed with Envoy 1.40.0 (``tests/agreement/test_host_answers.py``
asks it again): proxy-wasm-cpp-host, src/exports.cc.
"""

import os
import time
from collections.abc import Callable, Mapping
from enum import IntEnum

from wasmpack.dry_run.host.memory import OverLimit, Refused, found
from wasmpack.dry_run.host.state import Host
from wasmpack.proxy_abi.abi import POLL_SINCE

_OUTPUTS = {1, 2}
"""Standard output and error: the only files there are."""
_CLOCKS = {0, 1}
"""Of the day, and monotonic."""
_WRITER = bytes(8) + bytes([64]) + bytes(15)
"""``fdstat``: a file of unknown type with the right to write."""
_RANDOM_LIMIT = 64 * 1024
_VECTORS = 100_000
"""Most pieces of one ``fd_write`` that are looked at; libraries use one or two."""


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


def write(host: Host, fd: int, vectors: int, count: int, *rest: int) -> None:
    """``fd_write``, and ``fd_pwrite`` to any offset."""
    check_output(host, fd)
    pieces = [_piece(host, vectors, number) for number in range(count)]
    host.vm.require_context()
    text = b"".join(pieces)
    host.vm.note(text)
    _put(host, rest[-1], len(text))


def _piece(host: Host, vectors: int, number: int) -> bytes:
    """One of a vector's; the place of an empty one is not looked at."""
    if number > _VECTORS:
        raise OverLimit(f"a vector of more than {_VECTORS} pieces")
    vector = _read(host, vectors + 8 * number, 8)
    address, size = (int.from_bytes(vector[n : n + 4], "little") for n in (0, 4))
    return _read(host, address, size) if size else b""


def clock_time(host: Host, clock: int, _precision: int, result: int) -> None:
    _check_clock(clock)
    _put(host, result, time.time_ns(), 8)


def clock_resolution(host: Host, clock: int, result: int) -> None:
    _check_clock(clock)
    _put(host, result, 1, 8)


def random(host: Host, address: int, size: int) -> None:
    if size > _RANDOM_LIMIT:
        raise Refused(Errno.INVAL)
    if size and not host.memory.write(address, os.urandom(size)):
        raise Refused(Errno.FAULT)


def environ_sizes(host: Host, count: int, size: int) -> None:
    host.vm.environment_read = True
    variables = _environment(host)
    _put(host, count, len(variables))
    _put(host, size, sum(map(len, variables)))


def environ(host: Host, pointers: int, texts: int) -> None:
    host.vm.require_context()
    host.vm.environment_read = True
    for number, variable in enumerate(_environment(host)):
        _put(host, pointers + 4 * number, texts)
        if not host.memory.write(texts, variable):
            raise Refused(Errno.FAULT)
        texts += len(variable)


def _environment(host: Host) -> list[bytes]:
    """As C has them."""
    return [f"{name}={value}\0".encode() for name, value in host.vm.started.start_up.env]


def fdstat(host: Host, fd: int, result: int) -> None:
    check_output(host, fd)
    host.memory.write(result, _WRITER)  # its failure goes unnoticed


def tell(host: Host, fd: int, result: int) -> None:
    check_output(host, fd)
    _put(host, result, 0, 8)


def renumber(host: Host, fd: int, to: int) -> Errno:
    check_output(host, fd)
    check_output(host, to)
    return Errno.NOTSUP


def check_output(host: Host, fd: int, *_arguments: int) -> None:
    """All that functions do which set something on an output."""
    if fd not in _OUTPUTS:
        raise Refused(Errno.BADF)


def zero(widths: Mapping[int, int], then: Errno = Errno.SUCCESS) -> Callable[..., Errno]:
    """A function that finds nothing: it sets its results to zero.

    :param widths: which arguments are their addresses, and how many bytes each has
    :param then: the answer if they can be written
    """

    def call(host: Host, *arguments: int) -> Errno:
        for position, width in widths.items():
            _put(host, arguments[position], 0, width)
        return then

    return call


def poll(host: Host, *arguments: int) -> Errno:
    """Report no events; older hosts do not even write that."""
    if host.vm.started.host < POLL_SINCE:
        return Errno.NOSYS
    return zero({3: 4})(host, *arguments)


def _check_clock(clock: int) -> None:
    if clock not in _CLOCKS:
        raise Refused(Errno.NOTSUP)


def _read(host: Host, address: int, size: int) -> bytes:
    return found(host.memory.read(address, size), Errno.FAULT)


def _put(host: Host, address: int, value: int, width: int = 4) -> None:
    if not host.memory.write(address, value.to_bytes(width, "little")):
        raise Refused(Errno.FAULT)
