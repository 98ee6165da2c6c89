"""A plain GET request, callback by callback, and the host functions that steer it.

Where a call ends the proxy was observed with Envoy 1.36.2 to 1.40.0 (``tests/agreement``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wasmpack.dry_run.host.header_maps import REQUEST_HEADERS, RESPONSE_HEADERS
from wasmpack.dry_run.host.memory import Refused, Status
from wasmpack.dry_run.host.state import ROOT, STREAM, Host, Pair, Phase

_REQUEST, _RESPONSE, _UPSTREAM = 0, 1, 3
"""``proxy_stream_type_t``, to its last."""
_RESPONSE_BODY = 1
"""``proxy_buffer_type_t``."""
_HEADERS_GO_ON, _BODY_GOES_ON = (None, 0, 2), (None, 0)
"""What callbacks answer that do not hold the request (observed); None if there is none."""
_ASKED = (
    (b":authority", b"localhost"),
    (b":path", b"/"),
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b"x-forwarded-proto", b"http"),
    (b"x-request-id", b"00000000-0000-4000-8000-000000000000"),
)
_ANSWERED = ((b":status", b"200"), (b"content-length", b"6"), (b"content-type", b"text/plain"))
_BODY = b"hello\n"


@dataclass(frozen=True, slots=True)
class Callback:
    """One call of a request."""

    name: str
    phase: Phase
    given: tuple[int, ...] = ()
    """Arguments after the stream's id."""
    newer: tuple[int, ...] = ()
    """More of them, which ABI 0.1.0 does not have."""
    goes_on: tuple[int | None, ...] | None = None
    """Results with which the request goes on; None: with any."""
    maps: Mapping[int, Sequence[Pair]] = field(default_factory=dict)
    """Header maps that there are from here on."""
    buffers: Mapping[int, bytes] = field(default_factory=dict)
    """Buffers that there are in this callback."""

    def arguments(self, abi_version: str) -> tuple[int, ...]:
        """All of them."""
        return (STREAM, *self.given, *(() if abi_version == "0.1.0" else self.newer))


GET_REQUEST = (
    Callback("proxy_on_context_create", Phase.CREATED, given=(ROOT,)),
    Callback(
        "proxy_on_request_headers",
        Phase.REQUEST,
        given=(len(_ASKED),),
        newer=(1,),
        goes_on=_HEADERS_GO_ON,
        maps={REQUEST_HEADERS: _ASKED},
    ),
    Callback(
        "proxy_on_response_headers",
        Phase.RESPONSE,
        given=(len(_ANSWERED),),
        newer=(0,),
        goes_on=_HEADERS_GO_ON,
        maps={RESPONSE_HEADERS: _ANSWERED},
    ),
    Callback(
        "proxy_on_response_body",
        Phase.RESPONSE,
        given=(len(_BODY), 1),
        goes_on=_BODY_GOES_ON,
        buffers={_RESPONSE_BODY: _BODY},
    ),
    Callback("proxy_on_done", Phase.OVER),
    Callback("proxy_on_log", Phase.OVER),
    Callback("proxy_on_delete", Phase.OVER),
)
"""The callbacks of one request and its answer, in the proxy's order."""


def proxy_set_effective_context(host: Host, context: int) -> None:
    host.vm.require_context()
    request = host.vm.request
    if context not in {0, ROOT, STREAM if request else 0}:
        raise Refused(Status.BAD_ARGUMENT)
    if request:
        request.as_root = context == ROOT


def proxy_continue_stream(host: Host, kind: int) -> None:
    _check(host, kind)
    if kind == _RESPONSE:
        proxy_continue_response(host)
    if kind == _UPSTREAM:
        raise Refused(Status.UNIMPLEMENTED)


def proxy_continue_response(host: Host) -> None:
    host.vm.require_context()
    if stream := host.vm.stream:
        stream.go_on()


def proxy_close_stream(host: Host, kind: int) -> None:
    _check(host, kind)
    if (stream := host.vm.stream) and kind in {_REQUEST, _RESPONSE}:
        stream.close()


def proxy_send_local_response(host: Host, _status: int, *arguments: int) -> None:
    host.memory.texts(*zip(arguments[0:6:2], arguments[1:6:2], strict=True))
    if stream := host.vm.stream:
        stream.answer()


def _check(host: Host, kind: int) -> None:
    if kind > _UPSTREAM:
        raise Refused(Status.BAD_ARGUMENT)
    host.vm.require_context()
