"""Header fields as registries write them, and as nobody should."""

import pytest

from wasmpack.stores.registry.headers import (
    content_range,
    next_link,
    parameters,
    received_bytes,
    retry_after,
    warning_texts,
)

LONG = 1 << 18
"""Characters: a reader that goes back over them would take hours."""


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('</v2/x/tags/list?last=b>; rel="next"', "/v2/x/tags/list?last=b"),
        ("</a>; rel=next", "/a"),
        ("/v2/x/tags/list?n=2&last=y; rel=next", "/v2/x/tags/list?n=2&last=y"),
        ("</a>;rel=NEXT", "/a"),
        ('</a>; rel="prev next"', "/a"),
        ('</a,b>; title="x, y; rel=next"; rel=prev, </c>; rel="next"', "/c"),
        ("</a>; title=\"</b>; rel=next\"", ""),
        ("</a>; rel=prev; rel=next", ""),
        ("</a>; rel=last", ""),
        ("</a>", ""),
        ("", ""),
        ("</a", ""),
    ],
    ids=str,
)  # fmt: skip
def test_the_next_link(header: str, found: str) -> None:
    assert next_link(header) == found


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('299 - "goes away"', ["goes away"]),
        ('299 - "one", 199 - "x", 299 h:1 "two" "Sat, 01 Jan 2022 00:00:00 GMT"', ["one", "two"]),
        (r'299 - "say \"x\" \\ y"', ['say "x" \\ y']),
        ('299 - "half', ["half"]),
        ("299 - half", []),
        ('1299 - "x"', []),
        ("", []),
    ],
    ids=str,
)
def test_warnings(header: str, found: list[str]) -> None:
    assert warning_texts(header) == found


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('Bearer realm="a", x = b', [("bearer", None), ("realm", "a"), ("x", "b")]),
        (r'REALM="a\"b\\c"', [("realm", r'a"b\c')]),
        ("realm=https://h/t?x=1,y=", [("realm", "https://h/t?x=1"), ("y", "")]),
        ('realm="half, a=b', [("realm", "half, a=b")]),
        ('="x" ,;', [("x", None)]),
    ],
    ids=str,
)
def test_parameters(header: str, found: list[tuple[str, str | None]]) -> None:
    assert list(parameters(header)) == found


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("bytes 5-9/10", (5, 10)), (" bytes 0-0/* ", (0, None)), ("bytes */10", None),
        ("bytes -5-9/10", None), ("octets 5-9/10", None), ("bytes 5-9/" + "9" * 5000, None),
        ("bytes \u0665-9/10", None), ("", None),
    ],
    ids=lambda v: str(v)[:20],
)  # fmt: skip
def test_content_ranges(header: str, found: tuple[int, int | None] | None) -> None:
    assert content_range(header) == found


@pytest.mark.parametrize(
    ("header", "found"),
    [("0-9", 10), ("bytes=0-9", 10), ("0-0", None), ("0--1", None), ("5-9", None), ("", None)],
)
def test_received_bytes(header: str, found: int | None) -> None:
    assert received_bytes(header) == found


@pytest.mark.parametrize(
    "header",
    ["", "-5", "+5", "1e9", "soon", "\u0665", "Sat, 28 Nov 2015 08:00:00 GMT", "1.5", "\0", ",",
     "Sat, 99 Nov 2015 08:00:00 GMT", "Mon, 1 Jan 0000 00:00:00 +9999"],
)  # fmt: skip
def test_pauses_that_are_none(header: str) -> None:
    assert retry_after(header) == 0


@pytest.mark.parametrize("header", ["9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_pauses_that_nobody_waits_for(header: str) -> None:
    assert retry_after(header) > 1e6


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    [",", '"', "\\", '\\"', "<", ">", ";", "=", " ", "a=", "a ", '="', "a;b,", "<a>", "<a>;",
     "299 ", '299 - "', "299 - \\", "Bearer ", "rel=next", '"a', "a\\"],
)  # fmt: skip
@pytest.mark.parametrize("start", ["", '"', "<", "a=", 'a="', '299 - "', "<a>;x="])
def test_long_fields_take_one_pass(start: str, piece: str) -> None:
    text = start + piece * (LONG // len(piece))
    for _ in parameters(text):
        pass
    next_link(text)
    warning_texts(text)
    content_range(text)
    received_bytes(text)
    retry_after(text)
