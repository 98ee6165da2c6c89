"""gRPC services and foreign functions, as Envoy 1.40.0 answered them."""

from __future__ import annotations

import zlib

import pytest

from wasmpack.dry_run.host.foreign_functions import call_foreign
from wasmpack.dry_run.host.grpc_service import GrpcService, grpc_service


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"cluster", GrpcService.NONE),
        (b"", GrpcService.EMPTY),
        (b"\x1a\x00", GrpcService.EMPTY),
        (b"\x78\x01", GrpcService.EMPTY),
        (b"\x0a\x03\x0a\x01x", GrpcService.ENVOY),
        (b"\x0a\x00", GrpcService.ENVOY),
        (b"\x12\x00", GrpcService.GOOGLE),
        (b"\x0a\x05\x0a\x01x", GrpcService.NONE),
        (b"\xff" * 20, GrpcService.NONE),
    ],
)
def test_services(data: bytes, expected: GrpcService) -> None:
    assert grpc_service(data) is expected


def test_functions() -> None:
    packed = call_foreign(b"compress", b"abc")
    assert packed is not None
    assert packed[1] is not None
    assert zlib.decompress(packed[1]) == b"abc"
    assert call_foreign(b"uncompress", packed[1]) == (0, b"abc")
    assert call_foreign(b"uncompress", b"abc") == (3, None)
    assert call_foreign(b"clear_route_cache", b"x") == (0, None)
    assert call_foreign(b"no such", b"") is None
