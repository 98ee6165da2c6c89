"""The host's side of calls to others: HTTP, gRPC, and the functions of Envoy's own.

No upstream is known at start-up. Answers observed with Envoy 1.40.0
(``tests/agreement/test_host_answers.py`` asks it again).
"""

import zlib
from collections.abc import Callable, Mapping
from enum import Enum, auto

from wasmpack.dry_run.host.memory import ProxyCrash, Refused, Status, found
from wasmpack.dry_run.host.state import Host, VmState
from wasmpack.dry_run.result import Cause

_CALL, _STREAM = 1, 2
"""The last two bits of a gRPC token."""
_UNPACKED = 16 * 1024 * 1024


def proxy_http_call(host: Host, *arguments: int) -> Status:
    host.vm.note_call(_read(host, arguments[:8])[0])
    host.memory.put(arguments[9], 0)
    return Status.BAD_ARGUMENT


def proxy_grpc_call(host: Host, *arguments: int) -> None:
    _grpc(host, _CALL, _read(host, arguments[:10]), arguments[-1])


def proxy_grpc_stream(host: Host, *arguments: int) -> None:
    _grpc(host, _STREAM, _read(host, arguments[:8]), arguments[-1])


def _read(host: Host, spans: tuple[int, ...]) -> list[bytes]:
    return host.memory.texts(*zip(spans[::2], spans[1::2], strict=True))


def _grpc(host: Host, kind: int, texts: list[bytes], result: int) -> None:
    service = grpc_service(texts[0])
    if service is GrpcService.EMPTY:
        raise ProxyCrash(Cause.SERVICE)
    if service is not GrpcService.GOOGLE:
        host.vm.note_call(_cluster(texts[0]) if service is GrpcService.ENVOY else texts[0])
        missing = service is GrpcService.NONE
        raise Refused(Status.PARSE_FAILURE if missing else Status.INTERNAL_FAILURE)
    host.vm.grpc_calls[kind] += 1
    host.memory.put(result, kind + 4 * host.vm.grpc_calls[kind])


def proxy_grpc_cancel(host: Host, token: int) -> Status:
    host.vm.require_context()
    return Status.NOT_FOUND if token & 3 in {_CALL, _STREAM} else Status.BAD_ARGUMENT


proxy_grpc_close = proxy_grpc_cancel


def proxy_grpc_send(host: Host, token: int, data: int, size: int, _end: int) -> Status:
    host.memory.text(data, size)
    return Status.NOT_FOUND if token & 3 == _STREAM else Status.BAD_ARGUMENT


def proxy_call_foreign_function(
    host: Host, name: int, name_size: int, data: int, data_size: int, result: int, result_size: int
) -> Status:
    function = FOREIGN.get(host.memory.text(name, name_size))
    arguments = host.memory.text(data, data_size)
    status, value = found(function)(host.vm, arguments)
    address = host.memory.allocate(len(value)) if value is not None and result else 0
    if value and result and not address:
        raise ProxyCrash(Cause.ALLOCATOR)  # the host does not look before it writes there
    if value and address:
        host.memory.write(address, value)
    if result:
        host.memory.put(result, address)
    if result_size:
        host.memory.put(result_size, len(value or b""))
    return status


Answer = tuple[Status, bytes | None]
"""With the result, if any."""


def _uncompress(_: VmState, data: bytes) -> Answer:
    if not data:
        return Status.SERIALIZATION_FAILURE, None
    try:
        return Status.OK, zlib.decompressobj().decompress(data, _UNPACKED)
    except zlib.error:
        return Status.SERIALIZATION_FAILURE, None


def _create_expression(vm: VmState, data: bytes) -> Answer:
    if not data:
        return _REFUSED
    number = vm.expressions
    vm.expressions += 1
    return Status.OK, number.to_bytes(4, "little")


_REFUSED: Answer = (Status.BAD_ARGUMENT, None)
_DONE: Answer = (Status.OK, None)
FOREIGN: Mapping[bytes, Callable[[VmState, bytes], Answer]] = {
    b"compress": lambda _, data: (Status.OK, zlib.compress(data)),
    b"uncompress": _uncompress,
    b"clear_route_cache": lambda *_: _DONE,
    b"expr_create": _create_expression,
    b"declare_property": lambda _, data: _REFUSED if data else _DONE,
    b"set_envoy_filter_state": lambda _, data: _REFUSED if data else (Status.NOT_FOUND, None),
    b"verify_signature": lambda *_: _REFUSED,
    b"sign": lambda *_: _REFUSED,
    b"expr_evaluate": lambda *_: _REFUSED,
    b"expr_delete": lambda *_: _REFUSED,
}
"""Envoy's own functions, by name (Envoy, source/extensions/common/wasm/foreign.cc)."""


class GrpcService(Enum):
    """The service that a plugin names for a gRPC call.

    It is read as a protobuf message ``envoy.config.core.v3.GrpcService`` first, and as the name of
    a cluster if it is none (Envoy, context.cc, ``Context::grpcCall``). A message that names no
    service ends the proxy (observed with Envoy 1.40.0).
    """

    NONE = auto()
    """No such message."""
    EMPTY = auto()
    """One that names no service."""
    ENVOY = auto()
    """``envoy_grpc``: a cluster; no cluster is known at start-up."""
    GOOGLE = auto()
    """``google_grpc``: a separate client."""


_SERVICES = {1: GrpcService.ENVOY, 2: GrpcService.GOOGLE}
_MESSAGES = {1, 2, 3, 5}
"""Fields of the message that are messages themselves."""


def grpc_service(data: bytes) -> GrpcService:
    """Classify; never raises."""
    try:
        fields = _fields(data)
        for number, value in fields:
            if number in _MESSAGES and value is not None:
                _fields(value)
    except (ValueError, IndexError):
        return GrpcService.NONE
    named = [_SERVICES[n] for n, value in fields if n in _SERVICES and value is not None]
    return named[-1] if named else GrpcService.EMPTY


def _cluster(data: bytes) -> bytes:
    """``envoy_grpc.cluster_name``; empty without one."""
    names = [value for number, value in _fields(dict(_fields(data))[1] or b"") if number == 1]
    return names[-1] or b"" if names else b""


def _fields(data: bytes) -> list[tuple[int, bytes | None]]:
    """Field numbers, with the bytes of length-delimited ones.

    :raises ValueError, IndexError: not the wire format (protobuf.dev, Encoding)
    """
    fields: list[tuple[int, bytes | None]] = []
    pos = 0
    while pos < len(data):
        tag, pos = _varint(data, pos)
        value: bytes | None = None
        kind = tag & 7
        if kind == 0:
            _, pos = _varint(data, pos)
        elif kind == 2:
            size, pos = _varint(data, pos)
            value = data[pos : pos + size]
            pos += size
        elif kind in {1, 5}:
            pos += 8 if kind == 1 else 4
        else:
            raise ValueError("groups are not used here")
        if tag >> 3 == 0 or pos > len(data):
            raise ValueError("field 0, or a value that is cut off")
        fields.append((tag >> 3, value))
    return fields


def _varint(data: bytes, pos: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[pos]
        pos += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, pos
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than ten bytes")
