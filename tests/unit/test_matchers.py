"""Expectations on text."""

from __future__ import annotations

import pytest

from wasmpack.oci.canonical import JsonValue
from wasmpack.request_tests.matchers import described, matches


@pytest.mark.parametrize(
    ("wanted", "right", "wrong"),
    [
        ("a", "a", "ab"),
        (200, "200", "201"),
        (True, "true", "True"),
        ({"equal": "a"}, "a", None),
        ({"contains": "b"}, "abc", "ac"),
        ({"regex": "^a.c$"}, "a\nc", "abcd"),
        ({"absent": True}, None, ""),
        ({"absent": False}, "", None),
        ({"not": "a"}, "b", "a"),
        ({"not": {"contains": "a"}}, None, "ab"),
        ({"atLeast": 2, "atMost": 3}, "3", "4"),
        ({"atLeast": 2}, "2.5", "x"),
        ({"json": {"a.b[1]": 2, "$.c": {"absent": True}}}, '{"a": {"b": [1, 2]}}', '{"c": 1}'),
        ({"json": {"a": {"contains": "x"}}}, '{"a": ["x"]}', "{"),
    ],
    ids=str,
)
def test_a_matcher(wanted: JsonValue, right: str | None, wrong: str | None) -> None:
    assert matches(wanted, right)
    assert not matches(wanted, wrong)
    assert described(wanted)
