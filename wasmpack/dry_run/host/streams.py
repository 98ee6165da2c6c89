"""A plain GET request, callback by callback, and the host functions that steer it.

Where a call ends the proxy was observed with Envoy 1.36.2 to 1.40.0 (``tests/agreement``).
"""

from collections.abc import Mapping

from wasmpack.dry_run.host.memory import Refused, Status
from wasmpack.dry_run.host.properties import number
from wasmpack.dry_run.host.state import (
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    RESPONSE_TRAILERS,
    ROOT,
    STREAM,
    Callback,
    Host,
    Phase,
)

_REQUEST, _RESPONSE, _UPSTREAM = 0, 1, 3
"""``proxy_stream_type_t``, to its last."""
_RESPONSE_BODY = 1
"""``proxy_buffer_type_t``."""
HEADERS_GO_ON, BODY_GOES_ON = (None, 0, 2), (None, 0)
"""What callbacks answer that do not hold the request (observed); None if there is none."""
_ASKED = (
    (b":authority", b"localhost"),
    (b":path", b"/"),
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b"user-agent", b"curl/8.0"),
    (b"accept", b"*/*"),
    (b"x-forwarded-proto", b"http"),
    (b"x-request-id", b"00000000-0000-4000-8000-000000000000"),
)
_ANSWERED = ((b":status", b"200"), (b"content-length", b"6"), (b"content-type", b"text/plain"))
_SENT = (
    (b"date", b"Sat, 28 Nov 2026 00:00:00 GMT"),
    (b"server", b"envoy"),
    (b"connection", b"close"),
)
_BODY = b"hello\n"
_NOTHING = number(0)
_OBJECTS = (
    "request",
    "response",
    "connection",
    "source",
    "destination",
    "upstream",
    "xds",
    "filter_state",
)
CONNECTION: Mapping[bytes, bytes | None] = {
    **{name.encode(): None for name in _OBJECTS},
    b"request\0protocol": b"HTTP/1.1",
    b"request\0time": _NOTHING,
    b"request\0size": _NOTHING,
    b"response\0flags": _NOTHING,
    b"response\0size": _NOTHING,
    b"response\0total_size": _NOTHING,
    b"source\0address": b"127.0.0.1:40000",
    b"source\0port": number(40000),
    b"destination\0address": b"127.0.0.1:80",
    b"destination\0port": number(80),
    b"connection\0id": number(1),
    b"connection\0mtls": b"\0",
    b"connection\0requested_server_name": b"",
    b"connection_id": number(1),
    b"upstream\0request_attempt_count": _NOTHING,
    b"metadata": b"",
    b"metadata\0filter_metadata": bytes(4),
    b"xds\0route_name": b"",
    b"xds\0route_metadata": b"",
    b"xds\0filter_chain_name": b"",
    b"xds\0listener_direction": _NOTHING,
    b"xds\0listener_metadata": b"",
    b"xds\0virtual_host_name": b"all",
    b"xds\0virtual_host_metadata": b"",
}
"""Properties of a stream from its beginning."""
ANSWERED = {
    b"response\0code": number(200),
    b"response\0code_details": b"direct_response",
    b"response\0grpc_status": number(2),
}
"""Properties from the response headers on."""


GET_REQUEST = (
    Callback("proxy_on_context_create", Phase.CREATED, given=(ROOT,), properties=CONNECTION),
    Callback(
        "proxy_on_request_headers",
        Phase.REQUEST,
        given=(len(_ASKED),),
        newer=(1,),
        goes_on=HEADERS_GO_ON,
        maps={REQUEST_HEADERS: _ASKED},
    ),
    Callback(
        "proxy_on_response_headers",
        Phase.RESPONSE,
        given=(len(_ANSWERED),),
        newer=(0,),
        goes_on=HEADERS_GO_ON,
        maps={RESPONSE_HEADERS: _ANSWERED},
        properties=ANSWERED,
    ),
    Callback(
        "proxy_on_response_body",
        Phase.RESPONSE,
        given=(len(_BODY), 1),
        goes_on=BODY_GOES_ON,
        addable=frozenset({RESPONSE_TRAILERS}),
        buffers={_RESPONSE_BODY: _BODY},
    ),
    Callback(
        "proxy_on_log",
        Phase.LOG,
        added={RESPONSE_HEADERS: _SENT},
        properties={b"response\0size": number(len(_BODY)), b"request\0duration": _NOTHING},
    ),
    Callback("proxy_on_done", Phase.OVER),
    Callback("proxy_on_delete", Phase.OVER),
)
"""The callbacks of one request and its answer, in the proxy's order."""


def set_effective_context(host: Host, context: int) -> None:
    host.vm.require_context()
    request = host.vm.request
    if context not in {0, ROOT, STREAM if request else 0}:
        raise Refused(Status.BAD_ARGUMENT)
    if request:
        request.as_root = context == ROOT


def continue_stream(host: Host, kind: int) -> None:
    _check(host, kind)
    if kind == _RESPONSE:
        continue_response(host)
    if kind == _UPSTREAM:
        raise Refused(Status.UNIMPLEMENTED)


def continue_response(host: Host) -> None:
    host.vm.require_context()
    if stream := host.vm.stream:
        stream.go_on()


def close_stream(host: Host, kind: int) -> None:
    _check(host, kind)
    if (stream := host.vm.stream) and kind in {_REQUEST, _RESPONSE}:
        stream.close()


def send_local_response(host: Host, _status: int, *arguments: int) -> None:
    host.memory.texts(*zip(arguments[0:6:2], arguments[1:6:2], strict=True))
    if stream := host.vm.stream:
        stream.answer()


def _check(host: Host, kind: int) -> None:
    if kind > _UPSTREAM:
        raise Refused(Status.BAD_ARGUMENT)
    host.vm.require_context()
