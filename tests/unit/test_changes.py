"""The changes of plugins, told from those of Envoy."""

from __future__ import annotations

import pytest

from wasmpack.envoy.changes import request_changes, response_changes
from wasmpack.envoy.messages import Exchange, Request, Response

SENT = Request(headers=(("host", "x"), ("a", "1")), body=b"b")


def exchange(reached: Request | None, response: Response) -> Exchange:
    answered = (Response(headers=(("server", "mine"), ("a", "1"))),) if reached else ()
    return Exchange(
        sent=SENT,
        reached=(reached,) if reached else (),
        answered=answered,
        response=response,
        log=(),
    )


@pytest.mark.parametrize(
    ("reached", "found"),
    [
        (SENT, []),
        (
            Request(
                headers=(*SENT.headers, ("x-request-id", "1"), ("content-length", "1")), body=b"b"
            ),
            [],
        ),
        (Request(headers=SENT.headers), [("body", "", "b", "")]),
        (Request(headers=(("host", "x"),), body=b"b"), [("header", "a", "1", None)]),
        (Request(headers=(*SENT.headers, ("a", "2")), body=b"b"), [("header", "a", "1", "1, 2")]),
        (Request(path="/b", headers=SENT.headers, body=b"b"), [("start", "", "GET /", "GET /b")]),
        (
            Request(headers=SENT.headers, body=b"b", trailers=(("t", "1"),)),
            [("trailer", "t", None, "1")],
        ),
    ],
    ids=["nothing", "by Envoy", "body", "removed", "added", "path", "trailer"],
)
def test_changes_of_the_request(reached: Request, found: list[tuple[object, ...]]) -> None:
    changes = request_changes(exchange(reached, Response()))
    assert [(one.part, one.name, one.before, one.after) for one in changes] == found


def test_changes_of_the_response() -> None:
    response = Response(
        status=418, headers=(("server", "envoy"), ("date", "now"), ("a", "1"), ("b", "2"))
    )
    found = response_changes(exchange(SENT, response))
    assert [(one.part, one.name, one.after) for one in found] == [
        ("start", "", "418"),
        ("header", "b", "2"),
    ]


def test_a_response_of_the_plugin_is_compared_with_nothing() -> None:
    found = exchange(None, Response(status=403))
    assert (request_changes(found), response_changes(found)) == ((), ())
