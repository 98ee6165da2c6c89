"""The server behind the proxy."""

from __future__ import annotations

import json
import socket

import pytest

from wasmpack.envoy.http1 import BadMessage, read_response, request_bytes
from wasmpack.envoy.messages import Request, Response
from wasmpack.envoy.upstream import Answer, Relay, Upstream, always
from wasmpack.errors import WrongUsage


def ask(port: int, *requests: Request) -> list[Response]:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"".join(map(request_bytes, requests)))
        with connection.makefile("rb") as stream:
            return [read_response(stream, request.method) for request in requests]


def test_it_shows_what_reached_it() -> None:
    request = Request(method="POST", path="/x", headers=(("a", "1"), ("a", "2")), body=b"b")
    with Upstream() as upstream:
        first, second = ask(upstream.port, request, Request(method="HEAD"))
        requests, responses = upstream.take()
        assert upstream.take() == ((), ())
    shown = json.loads(first.body)
    assert (shown["method"], shown["path"], shown["headers"]["a"]) == ("POST", "/x", ["1", "2"])
    assert second.body == b""
    assert [one.path for one in requests] == ["/x", "/"]
    assert len(responses) == 2


def test_it_answers_as_told() -> None:
    answer = Response(status=503, headers=(("a", "b"),), body=b"no", trailers=(("t", "1"),))
    with Upstream(always(Answer(response=answer))) as upstream:
        (found,) = ask(upstream.port, Request())
    assert (found.status, found.header("a"), found.body) == (503, "b", b"no")
    assert found.trailers == (("t", "1"),)


def test_it_resets() -> None:
    with (
        Upstream(always(Answer(response=Response(), reset=True))) as upstream,
        pytest.raises((BadMessage, ConnectionError)),
    ):
        ask(upstream.port, Request())


def test_it_relays() -> None:
    with Upstream() as server, Upstream(Relay.to(f"http://127.0.0.1:{server.port}/base")) as relay:
        (found,) = ask(relay.port, Request(path="/x", headers=(("host", "other"), ("a", "1"))))
    shown = json.loads(found.body)
    assert (shown["path"], shown["headers"]["a"]) == ("/base/x", "1")
    assert shown["headers"]["Host"] == f"127.0.0.1:{server.port}"


def test_an_unreachable_server_is_a_502() -> None:
    with Upstream() as gone:
        port = gone.port
    with Upstream(Relay.to(f"http://127.0.0.1:{port}")) as relay:
        (found,) = ask(relay.port, Request())
    assert (found.status, found.body[:9]) == (502, b"wasmpack:")


@pytest.mark.parametrize("url", ["ftp://x", "x", "http://", "http://x:99999"])
def test_what_is_not_a_server_is_refused(url: str) -> None:
    with pytest.raises(WrongUsage, match="expected http://HOST"):
        Relay.to(url)
