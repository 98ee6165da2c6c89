"""HTTP/1.1 messages, read and written."""

from __future__ import annotations

import io

import pytest

from wasmpack.envoy.http1 import (
    MOST_BYTES,
    BadMessage,
    read_request,
    read_response,
    request_bytes,
    response_bytes,
)
from wasmpack.envoy.messages import Request, Response

REQUESTS = {
    "plain": Request(path="/a?b", headers=(("host", "x"),)),
    "body": Request(method="POST", headers=(("host", "x"),), body=b"a\r\n\r\nb"),
    "trailers": Request(method="PUT", body=b"ab", trailers=(("x-t", "1"), ("x-t", "2"))),
    "trailers alone": Request(method="PUT", trailers=(("x-t", "1"),)),
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_request_is_read_as_it_was_written(request_: Request) -> None:
    stream = io.BytesIO(request_bytes(request_) * 2)
    for _ in range(2):
        found = read_request(stream)
        assert found is not None
        assert (found.start, found.body) == (request_.start, request_.body)
        assert found.trailers == request_.trailers
        assert set(request_.headers) <= set(found.headers)
    assert read_request(stream) is None


@pytest.mark.parametrize(
    "response",
    [
        Response(status=204),
        Response(status=500, headers=(("a", "1"), ("a", "2"))),
        Response(body=b"x" * 100, trailers=(("grpc-status", "0"),)),
    ],
    ids=["no content", "empty", "trailers"],
)
def test_a_response_is_read_as_it_was_written(response: Response) -> None:
    found = read_response(io.BytesIO(response_bytes(response)))
    assert (found.status, found.body, found.trailers) == (
        response.status,
        response.body,
        response.trailers,
    )


@pytest.mark.parametrize(
    ("data", "method", "body"),
    [
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
            "GET",
            b"hi",
        ),
        (b"HTTP/1.0 200\r\n\r\nuntil the end", "GET", b"until the end"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n", "HEAD", b""),
        (b"HTTP/1.1 304 -\r\ncontent-length: 7\r\n\r\n", "GET", b""),
        (
            b"HTTP/1.1 200 -\r\ntransfer-encoding: chunked\r\n\r\n2;x=y\r\nab\r\n0\r\n\r\n",
            "GET",
            b"ab",
        ),
    ],
    ids=["interim", "until the end", "head", "not modified", "chunks"],
)
def test_bodies_end_where_they_end(data: bytes, method: str, body: bytes) -> None:
    assert read_response(io.BytesIO(data), method).body == body


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: y",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (MOST_BYTES + 1),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffff\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 2000 + b"\r\n",
    ],
    ids=["nothing", "nonsense", "cut", "short", "negative", "large", "large chunk", "many headers"],
)
def test_what_is_not_a_response_is_refused(data: bytes) -> None:
    with pytest.raises(BadMessage):
        read_response(io.BytesIO(data))
