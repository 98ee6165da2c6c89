"""The host's side of a start-up: what proxy-wasm calls answer in a root context.

Each method carries the name of the host function it stands for and answers as Envoy does before
any request is there. Observed with Envoy 1.40.0 (``tests/agreement/test_host_answers.py`` asks it
again); proxy-wasm-cpp-host, src/exports.cc; Envoy, source/extensions/common/wasm/context.cc.
Results are numbers of ``proxy_status_t``.
"""

import time
from collections.abc import Callable

from wasmpack.module.foreign_functions import call_foreign
from wasmpack.module.grpc_service import GrpcService, grpc_service
from wasmpack.module.header_maps import BAD_ARGUMENT, NOT_FOUND, HeaderMaps
from wasmpack.module.run_result import RunRequest
from wasmpack.module.shared_state import SharedState
from wasmpack.module.wasi_host import BAD_MEMORY, NOTSUP, OK, Guest, ProxyCrash

SERIALIZATION_FAILURE, PARSE_FAILURE = 3, 4
EMPTY, CAS_MISMATCH, INTERNAL_FAILURE, UNIMPLEMENTED = 7, 8, 10, 12
GRPC_MESSAGE, VM_CONFIGURATION, PLUGIN_CONFIGURATION = 4, 6, 7
_LAST_BUFFER, _LAST_LOG_LEVEL, _LAST_METRIC_TYPE, _LAST_STREAM = 8, 5, 2, 3
_REQUEST, _RESPONSE, _UPSTREAM = 0, 1, 3
_COUNTER, _GAUGE, _HISTOGRAM = 0, 1, 2
_CALL, _STREAM = 1, 2
"""The last two bits of a gRPC token."""
_CONFIGURING = {"proxy_on_context_create", "proxy_on_configure"}
"""Calls during which the plugin configuration can be read."""
_EARLY = {"proxy_on_context_create", "proxy_on_request_headers"}
"""Calls of a stream during which there is no response yet."""
_LATE_CRASHES_SINCE = "2026-07-01"
"""Envoy 1.40 crashes on some calls that 1.39 bears (both observed)."""
_RESPONSE_CRASHES = {"proxy_on_log"}
_RESPONSE_CRASHES_LATE = {"proxy_on_log", "proxy_on_done", "proxy_on_delete"}
"""Calls of a stream in which a local response ends the proxy."""
_CLOSE_CRASHES = {
    "proxy_on_context_create": {_REQUEST, _RESPONSE},
    "proxy_on_done": {_RESPONSE},
    "proxy_on_log": {_RESPONSE},
    "proxy_on_delete": {_RESPONSE},
}
_CLOSE_CRASHES_LATE = {**_CLOSE_CRASHES, "proxy_on_log": {_REQUEST, _RESPONSE}}
"""Streams whose closing in a call ends the proxy."""
_NODE = b"\x0a\x08wasmpack"
"""``xds.node`` as a protobuf message: an id alone; a mesh says much more."""

HostCall = Callable[..., int | None]


class StartUpHost(HeaderMaps):
    """State and answers of one instance."""

    def __init__(self, guest: Guest, request: RunRequest, shared: SharedState) -> None:
        super().__init__(guest, request.host)
        self.step = ""
        """The export that is being called."""
        self.in_stream = False
        """True for the calls of a request."""
        self.closed = False
        """The request was closed: a trap from here on ends the proxy."""
        self.bodies: dict[int, bytes] = {}
        """Buffers of the request that is being served, by ``proxy_buffer_type_t``."""
        self._config = request.config
        late = request.host >= _LATE_CRASHES_SINCE
        self._close_crashes = _CLOSE_CRASHES_LATE if late else _CLOSE_CRASHES
        self._response_crashes = _RESPONSE_CRASHES_LATE if late else _RESPONSE_CRASHES
        self._properties = {
            b"plugin_name": b"wasmpack",
            b"plugin_root_id": request.root_id.encode(),
            b"plugin_vm_id": b"",
            b"xds\0node": _NODE,
        }
        self._shared = shared
        self._metrics: dict[int, int] = {}
        self._calls = [0, 0]

    def function(self, name: str) -> HostCall:
        """The answer of a host function."""
        found: HostCall | None = getattr(self, name, None)
        return found or _not_supported

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
        if kind == PLUGIN_CONFIGURATION:
            configuring = self.step in _CONFIGURING and not self.in_stream
            return self._config if configuring else None
        return None if kind == GRPC_MESSAGE else self.bodies.get(kind, b"")

    def proxy_get_configuration(self, data: int, size: int) -> int:
        return self._give(self._buffer(PLUGIN_CONFIGURATION) or b"", data, size)

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
            return SERIALIZATION_FAILURE
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
        return OK if self._shared.set(name, value, cas) else CAS_MISMATCH

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
        return self._give(queue.pop(0), data, size) if queue else EMPTY

    # contexts and streams

    def proxy_get_status(self, code: int, data: int, size: int) -> int:
        return self._put(code, 0, 4) or self._give(b"", data, size)

    def proxy_set_effective_context(self, context: int) -> int:
        self._uses_context()
        return OK if context in {0, 1, 2 if self.in_stream else 0} else BAD_ARGUMENT

    def proxy_continue_stream(self, kind: int) -> int:
        if kind > _LAST_STREAM:
            return BAD_ARGUMENT
        self._uses_context()
        if kind == _RESPONSE:
            self._needs_response()
        return UNIMPLEMENTED if kind == _UPSTREAM else OK

    def proxy_close_stream(self, kind: int) -> int:
        if kind > _LAST_STREAM:
            return BAD_ARGUMENT
        self._uses_context()
        if self.in_stream and kind in self._close_crashes.get(self.step, ()):
            raise ProxyCrash("stream")
        self.closed = self.in_stream
        return OK

    def _needs_response(self) -> None:
        if self.in_stream and self.step in _EARLY:
            raise ProxyCrash("stream")

    def proxy_done(self) -> int:
        self._uses_context()
        return NOT_FOUND

    def proxy_continue_request(self) -> int:
        self._uses_context()
        return OK

    proxy_clear_route_cache = proxy_continue_request

    def proxy_continue_response(self) -> int:
        self._uses_context()
        self._needs_response()
        return OK

    def proxy_send_local_response(self, _status: int, *spans: int) -> int:
        refused = self._checked(OK, *zip(spans[0:6:2], spans[1:6:2], strict=True))
        if not refused and self.in_stream and self.step in self._response_crashes:
            raise ProxyCrash("stream")
        return refused

    # calls to others: no upstream is known yet

    def proxy_http_call(self, *arguments: int) -> int:
        spans = zip(arguments[0:8:2], arguments[1:8:2], strict=True)
        return self._checked(OK, *spans) or self._put(arguments[9], 0, 4) or BAD_ARGUMENT

    def proxy_grpc_call(self, *arguments: int) -> int:
        return self._grpc(_CALL, arguments, (0, 2, 4, 6, 8))

    def proxy_grpc_stream(self, *arguments: int) -> int:
        return self._grpc(_STREAM, arguments, (0, 2, 4, 6))

    def _grpc(self, kind: int, arguments: tuple[int, ...], spans: tuple[int, ...]) -> int:
        if refused := self._checked(OK, *((arguments[n], arguments[n + 1]) for n in spans)):
            return refused
        service = grpc_service(self._guest.read(arguments[0], arguments[1]) or b"")
        if service is GrpcService.NONE:
            return PARSE_FAILURE
        if service is GrpcService.EMPTY:
            raise ProxyCrash("service")
        if service is GrpcService.ENVOY:
            return INTERNAL_FAILURE
        self._calls[kind - 1] += 1
        return self._put(arguments[-1], kind + 4 * self._calls[kind - 1], 4)

    def proxy_grpc_cancel(self, token: int) -> int:
        self._uses_context()
        return NOT_FOUND if token & 3 in {_CALL, _STREAM} else BAD_ARGUMENT

    proxy_grpc_close = proxy_grpc_cancel

    def proxy_grpc_send(self, token: int, data: int, size: int, _end: int) -> int:
        return self._checked(NOT_FOUND if token & 3 == _STREAM else BAD_ARGUMENT, (data, size))

    def proxy_call_foreign_function(
        self, name: int, size: int, data: int, data_size: int, result: int, result_size: int
    ) -> int:
        function = self._guest.read(name, size)
        arguments = None if function is None else self._guest.read(data, data_size)
        if function is None or arguments is None:
            return BAD_MEMORY
        answer = call_foreign(function, arguments)
        if answer is None:
            return NOT_FOUND
        status, value = answer
        address = self._guest.allocate(len(value)) if value is not None and result else 0
        if value and address:
            self._guest.write(address, value)
        if result and self._put(result, address, 4):
            return BAD_MEMORY
        if result_size and self._put(result_size, len(value or b""), 4):
            return BAD_MEMORY
        return status


def _not_supported(*_arguments: int) -> int:
    """The WASI functions on paths and sockets: the arguments are not looked at."""
    return NOTSUP
