"""gRPC services and foreign functions, as Envoy 1.40.0 answered them."""

from __future__ import annotations

import zlib

import pytest

from wasmpack.dry_run.host.calls_out import FOREIGN, GrpcService, grpc_service
from wasmpack.dry_run.host.memory import Status
from wasmpack.dry_run.host.state import VmState
from wasmpack.dry_run.result import RunRequest


@pytest.fixture
def vm() -> VmState:
    return VmState(RunRequest(abi_version="0.2.1"))


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


def test_what_is_packed_can_be_unpacked(vm: VmState) -> None:
    status, packed = FOREIGN[b"compress"](vm, b"abc")
    assert (status, zlib.decompress(packed or b"")) == (Status.OK, b"abc")
    assert FOREIGN[b"uncompress"](vm, packed or b"") == (Status.OK, b"abc")


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        (b"uncompress", b"abc", (Status.SERIALIZATION_FAILURE, None)),
        (b"uncompress", b"", (Status.SERIALIZATION_FAILURE, None)),
        (b"clear_route_cache", b"x", (Status.OK, None)),
        (b"expr_create", b"", (Status.BAD_ARGUMENT, None)),
        (b"expr_create", b"x", (Status.OK, bytes(4))),
        (b"declare_property", b"x", (Status.BAD_ARGUMENT, None)),
        (b"set_envoy_filter_state", b"", (Status.NOT_FOUND, None)),
        (b"sign", b"", (Status.BAD_ARGUMENT, None)),
    ],
)
def test_foreign_functions(vm: VmState, name: bytes, arguments: bytes, expected: object) -> None:
    assert FOREIGN[name](vm, arguments) == expected


def test_expressions_are_numbered(vm: VmState) -> None:
    create = FOREIGN[b"expr_create"]
    assert [create(vm, b"x")[1] for _ in range(2)] == [bytes(4), b"\1\0\0\0"]
