"""The host's side of what a plugin reads and keeps: log, configuration, properties, metrics, shared
data.

Answers as Envoy gives them before any request is there, observed with Envoy 1.40.0
(``tests/agreement/test_host_answers.py`` asks it again); proxy-wasm-cpp-host, src/exports.cc;
Envoy, source/extensions/common/wasm/context.cc. Results are numbers of ``proxy_status_t``.
"""

import time

from wasmpack.dry_run.host.header_maps import BAD_ARGUMENT, NOT_FOUND, HeaderMaps
from wasmpack.dry_run.host.shared_state import SharedState
from wasmpack.dry_run.host.wasi import BAD_MEMORY, OK, Guest
from wasmpack.dry_run.result import RunRequest

_SERIALIZATION_FAILURE, _EMPTY, _CAS_MISMATCH = 3, 7, 8
_GRPC_MESSAGE, _PLUGIN_CONFIGURATION = 4, 7
_LAST_BUFFER, _LAST_LOG_LEVEL, _LAST_METRIC_TYPE = 8, 5, 2
_COUNTER, _HISTOGRAM = 0, 2
_CONFIGURING = {"proxy_on_context_create", "proxy_on_configure"}
"""Calls during which the plugin configuration can be read."""
_NODE = b"\x0a\x08wasmpack" + b"\x82\x7d\xc8\xdc\x03" + bytes(61_000)
"""``xds.node`` as a protobuf message: an id, and a field that nobody reads, so that it is about as
long as that of Envoy, which lists its extensions (61,090 bytes in 1.40.0)."""


class ValuesHost(HeaderMaps):
    """State of one instance."""

    def __init__(self, guest: Guest, request: RunRequest, shared: SharedState) -> None:
        super().__init__(guest, request.host)
        self.step = ""
        """The export that is being called."""
        self.in_stream = False
        """True for the calls of a request."""
        self.bodies: dict[int, bytes] = {}
        """Buffers of the request that is being served, by ``proxy_buffer_type_t``."""
        self._config = request.config
        self._properties = {
            b"plugin_name": b"wasmpack",
            b"plugin_root_id": request.root_id.encode(),
            b"plugin_vm_id": b"",
            b"xds\0node": _NODE,
        }
        self._shared = shared
        self._metrics: dict[int, int] = {}

    # logging, clocks, timers

    def proxy_log(self, level: int, address: int, size: int) -> int:
        if level > _LAST_LOG_LEVEL:
            return BAD_ARGUMENT
        text = self._guest.read(address, size)
        if text is None:
            return BAD_MEMORY
        if level:
            self._note(text)
        return OK

    def proxy_get_log_level(self, result: int) -> int:
        return self._put(result, 2, 4)

    def proxy_get_current_time_nanoseconds(self, result: int) -> int:
        return self._put(result, time.time_ns(), 8)

    def proxy_set_tick_period_milliseconds(self, _period: int) -> int:
        self._uses_context()
        return OK

    # configuration and buffers

    def _buffer(self, kind: int) -> bytes | None:
        """None if there is none now; those of a request are there, and empty."""
        self._uses_context()
        if kind == _PLUGIN_CONFIGURATION:
            configuring = self.step in _CONFIGURING and not self.in_stream
            return self._config if configuring else None
        return None if kind == _GRPC_MESSAGE else self.bodies.get(kind, b"")

    def proxy_get_configuration(self, data: int, size: int) -> int:
        return self._give(self._buffer(_PLUGIN_CONFIGURATION) or b"", data, size)

    def proxy_get_buffer_bytes(
        self, kind: int, start: int, length: int, data: int, size: int
    ) -> int:
        if kind > _LAST_BUFFER:
            return BAD_ARGUMENT
        buffer = self._buffer(kind)
        if buffer is None:
            return NOT_FOUND
        return self._give(buffer[start : start + length], data, size)

    def proxy_get_buffer_status(self, kind: int, size: int, flags: int) -> int:
        if kind > _LAST_BUFFER:
            return BAD_ARGUMENT
        buffer = self._buffer(kind)
        if buffer is None:
            return NOT_FOUND
        return self._put(size, len(buffer), 4) or self._put(flags, 0, 4)

    def proxy_set_buffer_bytes(self, kind: int, _start: int, _size: int, *data: int) -> int:
        if kind > _LAST_BUFFER:
            return BAD_ARGUMENT
        if self._buffer(kind) is None:
            return NOT_FOUND
        return self._checked(BAD_ARGUMENT, (data[0], data[1]))

    # properties

    def proxy_get_property(self, path: int, path_size: int, data: int, size: int) -> int:
        name = self._guest.read(path, path_size)
        if name is None:
            return BAD_MEMORY
        if name.rstrip(b"\0") == b"xds" or not name:
            return _SERIALIZATION_FAILURE
        value = self._properties.get(name.rstrip(b"\0"))
        return NOT_FOUND if value is None else self._give(value, data, size)

    def proxy_set_property(self, path: int, path_size: int, data: int, size: int) -> int:
        return self._checked(NOT_FOUND, (path, path_size), (data, size))

    # metrics: a number's last two bits are its type

    def proxy_define_metric(self, kind: int, name: int, size: int, result: int) -> int:
        if self._guest.read(name, size) is None:
            return BAD_MEMORY
        if kind > _LAST_METRIC_TYPE:
            return BAD_ARGUMENT
        number = 4 + kind + 4 * sum(1 for known in self._metrics if known & 3 == kind)
        self._metrics[number] = 0
        return self._put(result, number, 4)

    def proxy_record_metric(self, number: int, value: int) -> int:
        self._uses_context()
        if number not in self._metrics:
            return NOT_FOUND
        self._metrics[number] = value + (self._metrics[number] if number & 3 == _COUNTER else 0)
        return OK

    def proxy_increment_metric(self, number: int, offset: int) -> int:
        self._uses_context()
        if number & 3 >= _HISTOGRAM:
            return BAD_ARGUMENT
        if number not in self._metrics:
            return NOT_FOUND
        if number & 3 == _COUNTER and offset <= 0:
            return BAD_ARGUMENT
        self._metrics[number] += offset
        return OK

    def proxy_get_metric(self, number: int, result: int) -> int:
        self._uses_context()
        if number & 3 >= _HISTOGRAM:
            return BAD_ARGUMENT
        if number not in self._metrics:
            return NOT_FOUND
        return self._put(result, self._metrics[number] & (2**64 - 1), 8)

    # shared data and queues

    def proxy_set_shared_data(self, key: int, key_size: int, data: int, size: int, cas: int) -> int:
        name, value = self._guest.read(key, key_size), self._guest.read(data, size)
        if name is None or value is None:
            return BAD_MEMORY
        return OK if self._shared.set(name, value, cas) else _CAS_MISMATCH

    def proxy_get_shared_data(self, key: int, key_size: int, data: int, size: int, cas: int) -> int:
        name = self._guest.read(key, key_size)
        if name is None:
            return BAD_MEMORY
        found = self._shared.get(name)
        if found is None:
            return NOT_FOUND
        return self._give(found[0], data, size) or self._put(cas, found[1], 4)

    def proxy_register_shared_queue(self, name: int, size: int, result: int) -> int:
        text = self._guest.read(name, size)
        if text is None:
            return BAD_MEMORY
        return self._put(result, self._shared.register(text), 4)

    def proxy_resolve_shared_queue(
        self, vm: int, vm_size: int, name: int, size: int, result: int
    ) -> int:
        vm_id, text = self._guest.read(vm, vm_size), self._guest.read(name, size)
        if text is None or vm_id is None:
            return BAD_MEMORY
        number = 0 if vm_id else self._shared.resolve(text)
        return self._put(result, number, 4) if number else NOT_FOUND

    def proxy_enqueue_shared_queue(self, token: int, data: int, size: int) -> int:
        value = self._guest.read(data, size)
        if value is None:
            return BAD_MEMORY
        queue = self._shared.queue(token)
        if queue is None:
            return NOT_FOUND
        self._shared.enqueue(queue, value)
        return OK

    def proxy_dequeue_shared_queue(self, token: int, data: int, size: int) -> int:
        self._uses_context()
        queue = self._shared.queue(token)
        if queue is None:
            return NOT_FOUND
        return self._give(queue.pop(0), data, size) if queue else _EMPTY
