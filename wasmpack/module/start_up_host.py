"""The host's side of a start-up: what proxy-wasm and WASI calls answer in a root context.

Each method carries the name of the host function it stands for and answers as Envoy does before
any request is there (proxy-wasm-cpp-host, src/exports.cc; Envoy, contrib/… wasm/context.cc).
Results are numbers of ``proxy_status_t`` (ABI) or WASI ``errno``.
"""

import time
from collections.abc import Callable

from wasmpack.module.wasi_host import BAD_MEMORY, NOTSUP, OK, Guest, WasiHost

NOT_FOUND, BAD_ARGUMENT, PARSE_FAILURE, EMPTY, CAS_MISMATCH = 1, 2, 4, 7, 8
VM_CONFIGURATION, PLUGIN_CONFIGURATION = 6, 7
_LAST_BUFFER, _LAST_LOG_LEVEL, _LAST_METRIC_TYPE, _LAST_STREAM = 8, 5, 2, 3


HostCall = Callable[..., int | None]


class StartUpHost(WasiHost):
    """State and answers of one dry run."""

    def __init__(self, guest: Guest, plugin_config: bytes, root_id: str) -> None:
        super().__init__(guest)
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


def _bad_argument(*_arguments: int) -> int:
    """Calls on headers and bodies: none exist yet (Envoy, ``getMap`` of a root context)."""
    return BAD_ARGUMENT


def _not_supported(*_arguments: int) -> int:
    return NOTSUP
