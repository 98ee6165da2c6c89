"""What Envoy makes of the service that a plugin names for a gRPC call.

It is read as a protobuf message ``envoy.config.core.v3.GrpcService`` first, and as the name of a
cluster if it is none (Envoy, context.cc, ``Context::grpcCall``). A message that names no service
ends the proxy (observed with Envoy 1.40.0).
"""

from enum import Enum, auto


class GrpcService(Enum):
    """What the bytes are."""

    NONE = auto()
    """No such message."""
    EMPTY = auto()
    """One that names no service."""
    ENVOY = auto()
    """``envoy_grpc``: a cluster, none of which is known at start-up."""
    GOOGLE = auto()
    """``google_grpc``: a client of its own."""


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


def _fields(data: bytes) -> list[tuple[int, bytes | None]]:
    """Field numbers, with the bytes of length-delimited ones.

    :raises ValueError, IndexError: not the wire format (protobuf.dev, Encoding)
    """
    found: list[tuple[int, bytes | None]] = []
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
        found.append((tag >> 3, value))
    return found


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
