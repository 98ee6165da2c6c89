"""The host functions that steer a stream, and those that choose the context of the next calls."""

from wasmpack.dry_run.host.exchange import STREAM
from wasmpack.dry_run.host.header_maps import decoded
from wasmpack.dry_run.host.memory import Refused, Status
from wasmpack.dry_run.host.request import LocalResponse
from wasmpack.dry_run.host.state import ROOT, Host

_REQUEST, _RESPONSE, _DOWNSTREAM, _UPSTREAM = range(4)
"""``proxy_stream_type_t``, to its last."""


def proxy_set_effective_context(host: Host, context: int) -> None:
    host.vm.require_context()
    request = host.vm.request
    if context not in {0, ROOT, STREAM if request else 0}:
        raise Refused(Status.BAD_ARGUMENT)
    if request:
        request.as_root = context == ROOT


def proxy_set_tick_period_milliseconds(host: Host, period: int) -> None:
    host.vm.require_context()
    host.vm.tick_period = period


def proxy_continue_stream(host: Host, kind: int) -> None:
    _check(host, kind)
    if kind == _REQUEST:
        proxy_continue_request(host)
    if kind == _RESPONSE:
        proxy_continue_response(host)
    if kind == _DOWNSTREAM and (stream := host.vm.stream):
        stream.go_on_with_data()
    if kind == _UPSTREAM:
        raise Refused(Status.UNIMPLEMENTED)


def proxy_continue_request(host: Host) -> None:
    host.vm.require_context()
    if stream := host.vm.stream:
        stream.go_on()


def proxy_continue_response(host: Host) -> None:
    host.vm.require_context()
    if stream := host.vm.stream:
        stream.go_on_with_response()


def proxy_close_stream(host: Host, kind: int) -> None:
    _check(host, kind)
    if stream := host.vm.stream:
        if kind in {_REQUEST, _RESPONSE}:
            stream.close()
        else:
            stream.close_connection()


def proxy_send_local_response(host: Host, status: int, *arguments: int) -> None:
    spans = zip(arguments[0:6:2], arguments[1:6:2], strict=True)
    _, body, headers = host.memory.texts(*spans)
    if stream := host.vm.stream:
        stream.answer(LocalResponse(status, body, decoded(headers)))


def _check(host: Host, kind: int) -> None:
    if kind > _UPSTREAM:
        raise Refused(Status.BAD_ARGUMENT)
    host.vm.require_context()
