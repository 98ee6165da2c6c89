"""The host's side of contexts, streams and calls to others: all that a dry run needs of a proxy.

Each method carries the name of the host function it stands for. Where a call ends the proxy was
observed with Envoy 1.36.2 to 1.40.0 (``tests/agreement``). Results are numbers of
``proxy_status_t``.
"""

from collections.abc import Callable

from wasmpack.dry_run.host.foreign_functions import call_foreign
from wasmpack.dry_run.host.grpc_service import GrpcService, grpc_service
from wasmpack.dry_run.host.header_maps import BAD_ARGUMENT, NOT_FOUND
from wasmpack.dry_run.host.shared_state import SharedState
from wasmpack.dry_run.host.values import ValuesHost
from wasmpack.dry_run.host.wasi import BAD_MEMORY, NOTSUP, OK, Guest, ProxyCrash
from wasmpack.dry_run.result import RunRequest

_PARSE_FAILURE, _INTERNAL_FAILURE, _UNIMPLEMENTED = 4, 10, 12
_REQUEST, _RESPONSE, _LAST_STREAM = 0, 1, 3
_UPSTREAM = _LAST_STREAM
_CALL, _STREAM = 1, 2
"""The last two bits of a gRPC token."""
_EARLY = {"proxy_on_context_create", "proxy_on_request_headers"}
"""Calls of a stream during which there is no response yet."""
_ANSWERING = {"proxy_on_response_headers", "proxy_on_response_body"}
"""Calls in which a local response must be the last thing that is done."""
_OVER = {"proxy_on_done", "proxy_on_log", "proxy_on_delete"}
"""Calls of a stream in which there is nothing left to answer or to close."""

HostCall = Callable[..., int | None]


class StartUpHost(ValuesHost):
    """State and answers of one instance."""

    def __init__(self, guest: Guest, request: RunRequest, shared: SharedState) -> None:
        super().__init__(guest, request, shared)
        self.over = False
        """The request was closed or answered in this call: a trap now ends the proxy."""
        self._as_root = False
        """Calls are made for the root context, where there is no stream to act on."""
        self._calls = [0, 0]

    def begin(self, step: str) -> None:
        """A call of an export begins."""
        self.step = step
        self.over = self._as_root = False

    @property
    def _acts(self) -> bool:
        return self.in_stream and not self._as_root

    def function(self, name: str) -> HostCall:
        """The answer of a host function."""
        found: HostCall | None = getattr(self, name, None)
        return found or _not_supported

    # contexts and streams

    def proxy_get_status(self, code: int, data: int, size: int) -> int:
        return self._put(code, 0, 4) or self._give(b"", data, size)

    def proxy_set_effective_context(self, context: int) -> int:
        self._uses_context()
        if context not in {0, 1, 2 if self.in_stream else 0}:
            return BAD_ARGUMENT
        self._as_root = context == 1
        return OK

    def proxy_continue_stream(self, kind: int) -> int:
        if kind > _LAST_STREAM:
            return BAD_ARGUMENT
        self._uses_context()
        if kind == _RESPONSE:
            self._needs_response()
        return _UNIMPLEMENTED if kind == _UPSTREAM else OK

    def proxy_close_stream(self, kind: int) -> int:
        if kind > _LAST_STREAM:
            return BAD_ARGUMENT
        self._uses_context()
        if self._acts and kind in {_REQUEST, _RESPONSE}:
            if self.step in _OVER or self.step == "proxy_on_context_create":
                raise ProxyCrash("stream")
            self.over = True
        return OK

    def _needs_response(self) -> None:
        if self._acts and self.step in _EARLY:
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
        if refused or not self._acts:
            return refused
        answered_twice = self.over and self.step in _ANSWERING
        if answered_twice or self.step in _OVER:
            raise ProxyCrash("stream")
        self.over = self.step in _ANSWERING
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
            return _PARSE_FAILURE
        if service is GrpcService.EMPTY:
            raise ProxyCrash("service")
        if service is GrpcService.ENVOY:
            return _INTERNAL_FAILURE
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
        if value and result and not address:
            raise ProxyCrash("allocator")  # the host does not look before it writes there
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
