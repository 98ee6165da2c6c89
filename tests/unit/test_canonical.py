"""Values out of foreign JSON, and the errors that say where one is wrong."""

from collections.abc import Callable

import pytest

from wasmpack.errors import BadArtifact
from wasmpack.oci.canonical import Fields, JsonValue, expect, find

DOCUMENT: JsonValue = {"text": "x", "size": 5, "yes": True, "rows": [1], "inner": {"text": "y"}}


@pytest.mark.parametrize(
    ("kind", "keys", "found"),
    [
        (str, ("text",), "x"),
        (str, ("inner", "text"), "y"),
        (int, ("size",), 5),
        (int, ("yes",), None),
        (bool, ("yes",), True),
        (str, ("size",), None),
        (str, ("text", "deeper"), None),
        (dict, ("missing", "deeper"), None),
        (list, ("rows",), [1]),
    ],
    ids=str,
)
def test_find_takes_what_is_there_if_it_fits(
    kind: type, keys: tuple[str, ...], found: object
) -> None:
    assert find(DOCUMENT, kind, *keys) == found


def fields() -> Fields:
    return Fields(DOCUMENT, "manifest")


WRONG = {
    "another kind": (
        lambda: fields().required(int, "text"),
        "manifest.text: expected an integer, found 'x'",
    ),
    "a truth value": (
        lambda: fields().required(int, "yes"),
        "manifest.yes: expected an integer, found a boolean",
    ),
    "nothing": (
        lambda: fields().required(str, "none"),
        "manifest.none: expected a string, found null",
    ),
    "optional, but wrong": (
        lambda: fields().get(str, "size"),
        "manifest.size: expected a string, found 5",
    ),
    "no array": (
        lambda: fields().rows("size", "an array of ints"),
        "manifest.size: expected an array of ints, found 5",
    ),
    "deeper": (
        lambda: fields().within("inner").required(int, "text"),
        "manifest.inner.text: expected an integer, found 'y'",
    ),
    "no object within": (
        lambda: fields().within("size"),
        "manifest.size: expected an object, found 5",
    ),
    "a row": (
        lambda: [expect(row, str, place) for row, place in fields().rows("rows")],
        "manifest.rows[0]: expected a string, found 1",
    ),
    "texts": (lambda: fields().texts(), "manifest.size: expected a string, found 5"),
    "no object": (
        lambda: Fields([], "index", "a list of images"),
        "index: expected a list of images, found an array",
    ),
    "in a file": (
        lambda: Fields({}, "a.json", separator=": ").required(str, "k"),
        "a.json: k: expected a string, found null",
    ),
    "a secret": (
        lambda: Fields({"k": {"p": 1234}}, "f", secret=True).within("k").required(str, "p"),
        "f.k.p: expected a string, found a number",
    ),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_errors_name_the_place(case: tuple[Callable[[], object], str]) -> None:
    read, message = case
    with pytest.raises(BadArtifact) as caught:
        read()
    assert caught.value.message == message


def test_what_is_optional_may_be_absent_or_null() -> None:
    assert Fields({"a": None}, "x").get(str, "a") is None
    assert Fields({}, "x").get(str, "a") is None
    assert Fields({}, "x").within("a").texts() == {}
