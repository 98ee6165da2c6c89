"""Expectations on text: equal, contains, regex, absent, JSON paths, numbers.

>>> matches({"contains": "ell"}, "hello"), matches("hello", None), described({"regex": "^h"})
(True, False, 'regex: ^h')
"""

import json
import re
from collections.abc import Callable, Mapping

from wasmpack.oci.canonical import JsonValue

_STEP = re.compile(r"\.?([^.\[\]]+)|\[([0-9]+)\]")


def matches(wanted: JsonValue, got: str | None) -> bool:
    """True if a text is as wanted.

    :param wanted: a mapping of matchers, of which all must hold; anything else is to be equal
    :param got: None if there is nothing
    """
    if not isinstance(wanted, dict):
        return got == as_text(wanted)
    if wanted.get("absent") is True:
        return got is None
    return all(_MATCHERS[name](value, got) for name, value in wanted.items() if name in _MATCHERS)


def described(wanted: JsonValue) -> str:
    """The expectation, for people."""
    if not isinstance(wanted, dict):
        return as_text(wanted)
    if wanted.get("absent") is True:
        return "absent"
    return ", ".join(f"{name}: {as_text(value)}" for name, value in wanted.items())


def as_text(value: JsonValue) -> str:
    """A scalar as a header would say it; anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _equal(wanted: JsonValue, got: str | None) -> bool:
    return got == as_text(wanted)


def _contains(wanted: JsonValue, got: str | None) -> bool:
    return got is not None and as_text(wanted) in got


def _regex(wanted: JsonValue, got: str | None) -> bool:
    return got is not None and re.search(as_text(wanted), got, re.DOTALL) is not None


def _absent(wanted: JsonValue, got: str | None) -> bool:
    return (got is None) is (wanted is True)


def _differs(wanted: JsonValue, got: str | None) -> bool:
    return not matches(wanted, got)


def _at_least(wanted: JsonValue, got: str | None) -> bool:
    return _number(got) is not None and float(got or 0) >= float(as_text(wanted))


def _at_most(wanted: JsonValue, got: str | None) -> bool:
    return _number(got) is not None and float(got or 0) <= float(as_text(wanted))


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _json(wanted: JsonValue, got: str | None) -> bool:
    try:
        value: JsonValue = json.loads(got or "")
    except (ValueError, RecursionError):
        return False
    paths = wanted if isinstance(wanted, dict) else {}
    return all(matches(each, _at(value, path)) for path, each in paths.items())


def _at(value: JsonValue, path: str) -> str | None:
    """The text at a path such as ``a.b[0]`` or ``$.a``; None if there is nothing."""
    for name, index in _STEP.findall(path.removeprefix("$")):
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and index and int(index) < len(value):
            value = value[int(index)]
        else:
            return None
    return as_text(value)


_MATCHERS: Mapping[str, Callable[[JsonValue, str | None], bool]] = {
    "equal": _equal,
    "contains": _contains,
    "regex": _regex,
    "absent": _absent,
    "not": _differs,
    "atLeast": _at_least,
    "atMost": _at_most,
    "json": _json,
}
