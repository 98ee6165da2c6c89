"""The host's side of a start-up: what proxy-wasm and WASI calls answer in a root context.

Each method carries the name of the host function it stands for and answers as Envoy does before
any request is there (proxy-wasm-cpp-host, src/exports.cc; Envoy, contrib/… wasm/context.cc).
Results are numbers of ``proxy_status_t`` (ABI) or WASI ``errno``.
"""

import os
import time
from collections.abc import Callable
from typing import Protocol

OK, NOT_FOUND, BAD_ARGUMENT, PARSE_FAILURE, BAD_MEMORY, EMPTY, CAS_MISMATCH = 0, 1, 2, 4, 6, 7, 8
SUCCESS, BADF, FAULT, INVAL, NOENT, NOTSUP = 0, 8, 21, 28, 44, 58
VM_CONFIGURATION, PLUGIN_CONFIGURATION = 6, 7
_LAST_BUFFER, _LAST_LOG_LEVEL, _LAST_METRIC_TYPE, _LAST_STREAM = 8, 5, 2, 3
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


HostCall = Callable[..., int | None]


class StartUpHost:
    """State and answers of one dry run."""

    def __init__(self, guest: Guest, plugin_config: bytes, root_id: str) -> None:
        self._guest = guest
        self._buffers = {VM_CONFIGURATION: b"", PLUGIN_CONFIGURATION: plugin_config}
        self._properties = {
            b"plugin_name": b"wasmpack",
            b"plugin_root_id": root_id.encode(),
            b"plugin_vm_id": b"",
        }
        self._shared: dict[bytes, tuple[bytes, int]] = {}
        self._queues: dict[bytes, list[bytes]] = {}
        self._metrics: dict[bytes, int] = {}
        self._values: dict[int, int] = {}
        self.log: list[str] = []
        self._logged = 0
        self._kept = 0

    def function(self, name: str) -> HostCall:
        """The answer of a host function; what has none of its own says "not now"."""
        found: HostCall | None = getattr(self, name, None)
        if found is not None:
            return found
        return _bad_argument if name.startswith("proxy_") else _not_supported

    # proxy-wasm

    def proxy_log(self, level: int, address: int, size: int) -> int:
        if level > _LAST_LOG_LEVEL:
            return BAD_ARGUMENT
        text = self._guest.read(address, size)
        if text is None:
            return BAD_MEMORY
        self._note(text)
        return OK

    def proxy_get_log_level(self, result: int) -> int:
        return self._put(result, 2, 4)

    def proxy_get_current_time_nanoseconds(self, result: int) -> int:
        return self._put(result, time.time_ns(), 8)

    def proxy_set_tick_period_milliseconds(self, _period: int) -> int:
        return OK

    def proxy_get_configuration(self, data: int, size: int) -> int:
        return self._give(self._buffers[PLUGIN_CONFIGURATION], data, size)

    def proxy_get_buffer_bytes(
        self, kind: int, start: int, length: int, data: int, size: int
    ) -> int:
        if kind > _LAST_BUFFER:
            return BAD_ARGUMENT
        buffer = self._buffers.get(kind)
        if buffer is None:
            return NOT_FOUND
        if start + length > 0xFFFFFFFF:
            return BAD_ARGUMENT
        part = buffer[start : start + length]
        return self._give(part, data, size) if part else OK

    def proxy_get_buffer_status(self, kind: int, size: int, flags: int) -> int:
        if kind > _LAST_BUFFER:
            return BAD_ARGUMENT
        buffer = self._buffers.get(kind)
        if buffer is None:
            return NOT_FOUND
        return self._put(size, len(buffer), 4) or self._put(flags, 0, 4)

    def proxy_get_property(self, path: int, path_size: int, data: int, size: int) -> int:
        name = self._guest.read(path, path_size)
        if name is None:
            return BAD_MEMORY
        value = self._properties.get(name.rstrip(b"\0"))
        return NOT_FOUND if value is None else self._give(value, data, size)

    def proxy_set_property(self, path: int, path_size: int, data: int, size: int) -> int:
        return self._checked(NOT_FOUND, (path, path_size), (data, size))

    def proxy_define_metric(self, kind: int, name: int, size: int, result: int) -> int:
        if kind > _LAST_METRIC_TYPE:
            return BAD_ARGUMENT
        text = self._guest.read(name, size)
        if text is None:
            return BAD_MEMORY
        number = self._metrics.setdefault(text, len(self._metrics) * 4 + kind)
        self._values.setdefault(number, 0)
        return self._put(result, number, 4)

    def proxy_record_metric(self, number: int, value: int) -> int:
        if number not in self._values:
            return NOT_FOUND
        self._values[number] = value
        return OK

    def proxy_increment_metric(self, number: int, offset: int) -> int:
        if number not in self._values:
            return NOT_FOUND
        self._values[number] += offset
        return OK

    def proxy_get_metric(self, number: int, result: int) -> int:
        if number not in self._values:
            return NOT_FOUND
        return self._put(result, self._values[number] & (2**64 - 1), 8)

    def proxy_set_shared_data(self, key: int, key_size: int, data: int, size: int, cas: int) -> int:
        name, value = self._guest.read(key, key_size), self._guest.read(data, size)
        if name is None or value is None:
            return BAD_MEMORY
        self._keep(len(name) + len(value))
        _, current = self._shared.get(name, (b"", 0))
        if cas and cas != current:
            return CAS_MISMATCH
        self._shared[name] = (value, current + 1)
        return OK

    def proxy_get_shared_data(self, key: int, key_size: int, data: int, size: int, cas: int) -> int:
        name = self._guest.read(key, key_size)
        if name is None:
            return BAD_MEMORY
        if name not in self._shared:
            return NOT_FOUND
        value, current = self._shared[name]
        return self._give(value, data, size) or self._put(cas, current, 4)

    def proxy_register_shared_queue(self, name: int, size: int, result: int) -> int:
        text = self._guest.read(name, size)
        if text is None:
            return BAD_MEMORY
        self._queues.setdefault(text, [])
        return self._put(result, list(self._queues).index(text) + 1, 4)

    def proxy_resolve_shared_queue(
        self, vm: int, vm_size: int, name: int, size: int, result: int
    ) -> int:
        text = self._guest.read(name, size)
        if text is None or self._guest.read(vm, vm_size) is None:
            return BAD_MEMORY
        if text not in self._queues:
            return NOT_FOUND
        return self._put(result, list(self._queues).index(text) + 1, 4)

    def proxy_enqueue_shared_queue(self, token: int, data: int, size: int) -> int:
        value = self._guest.read(data, size)
        if value is None:
            return BAD_MEMORY
        if not 0 < token <= len(self._queues):
            return NOT_FOUND
        self._keep(len(value))
        list(self._queues.values())[token - 1].append(value)
        return OK

    def proxy_dequeue_shared_queue(self, token: int, data: int, size: int) -> int:
        if not 0 < token <= len(self._queues):
            return NOT_FOUND
        queue = list(self._queues.values())[token - 1]
        return self._give(queue.pop(0), data, size) if queue else EMPTY

    def proxy_get_status(self, code: int, data: int, size: int) -> int:
        return self._put(code, 0, 4) or self._give(b"", data, size)

    def proxy_set_effective_context(self, context: int) -> int:
        return OK if context in {0, 1} else BAD_ARGUMENT

    def proxy_continue_stream(self, kind: int) -> int:
        return BAD_ARGUMENT if kind > _LAST_STREAM else OK

    proxy_close_stream = proxy_continue_stream

    def proxy_done(self) -> int:
        return NOT_FOUND

    def proxy_call_foreign_function(self, name: int, size: int, *rest: int) -> int:
        return self._checked(NOT_FOUND, (name, size), (rest[0], rest[1]))

    def proxy_grpc_call(self, *_arguments: int) -> int:
        return PARSE_FAILURE

    proxy_grpc_stream = proxy_grpc_call

    def proxy_continue_request(self) -> int:
        return OK

    proxy_continue_response = proxy_clear_route_cache = proxy_continue_request

    def proxy_send_local_response(self, *_arguments: int) -> int:
        return OK

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


def _bad_argument(*_arguments: int) -> int:
    """Calls on headers and bodies: none exist yet (Envoy, ``getMap`` of a root context)."""
    return BAD_ARGUMENT


def _not_supported(*_arguments: int) -> int:
    return NOTSUP
