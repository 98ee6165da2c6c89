"""Header fields and JSON of hostile registries: other ones in each run, the same from a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence

from support.effort import SEED

PIECES = [
    '"', "\\", ",", ";", "=", "<", ">", " ", "\t", "\0", "\x1b[31m", "\xe9", "\xff", "://", "@",
    "[", "]", "%", "?", "#", "..", "//", ":", ":99999", ":-1", "299 - ", "Bearer ", "Basic ",
    "realm=", "rel=", "next", "bytes ", "0-", "/*", "9" * 400, "-", "+", "0x", "\u0663", "a" * 64,
    "http://[", "GMT", "\ud800", "\r\n", "\n", "null", "{", "}", "true",
]  # fmt: skip
ODD: list[object] = [
    None, True, 0, -1, 1.5, 1e308, 10**400, "", "x", "\0", "\ud800", "a" * 5000, [], {}, [None],
    {"": None}, [[[]]], "../x", "-x", "x/y", "=", "bWU6eA", "bWU6eA==", "\xe9",
]  # fmt: skip
_LONGEST = 64 * 1024
Change = Callable[[random.Random, str, Sequence[str]], str]


def text_mutants(name: str, seeds: Sequence[str], number: int) -> Iterator[str]:
    """Texts with one to five things done to them."""
    print(f"WASMPACK_FUZZ_SEED={SEED}")
    rng = random.Random(f"{SEED} {name}")
    for _ in range(number):
        text = rng.choice(seeds)
        for _ in range(rng.randint(1, 5)):
            text = rng.choice(_CHANGES)(rng, text, seeds)
        yield text[:_LONGEST]


def json_mutants(name: str, values: Sequence[object], number: int) -> Iterator[bytes]:
    """Documents in which values are replaced, nested or damaged."""
    print(f"WASMPACK_FUZZ_SEED={SEED}")
    rng = random.Random(f"{SEED} {name}")
    for _ in range(number):
        value = json.loads(json.dumps(rng.choice(values)))
        for _ in range(rng.randint(1, 3)):
            value = _replaced(rng, value, depth=rng.randint(0, 4))
        text = json.dumps(value)
        if rng.random() < 0.2:
            text = rng.choice(_CHANGES)(rng, text, [text])
        yield text.encode(errors="surrogatepass")[:_LONGEST]


def _replaced(rng: random.Random, value: object, depth: int) -> object:
    """The value with something in it replaced, that many steps below at most."""
    if depth and isinstance(value, dict) and value:
        key = rng.choice(list(value))
        return {**value, key: _replaced(rng, value[key], depth - 1)}
    if depth and isinstance(value, list) and value:
        at = rng.randrange(len(value))
        return [*value[:at], _replaced(rng, value[at], depth - 1), *value[at + 1 :]]
    return rng.choice([*ODD, [value], {"a": value}, [value] * 300])


def _span(rng: random.Random, text: str) -> tuple[int, int]:
    first, last = sorted(rng.randint(0, len(text)) for _ in range(2))
    return first, last


def _insert(rng: random.Random, text: str, _seeds: Sequence[str]) -> str:
    at = rng.randint(0, len(text))
    return text[:at] + rng.choice(PIECES) + text[at:]


def _cut(rng: random.Random, text: str, _seeds: Sequence[str]) -> str:
    first, last = _span(rng, text)
    return text[:first] + text[last:]


def _repeat(rng: random.Random, text: str, _seeds: Sequence[str]) -> str:
    first, last = _span(rng, text)
    return text[:last] + text[first:last] * rng.choice([1, 3, 50]) + text[last:]


def _flood(rng: random.Random, text: str, _seeds: Sequence[str]) -> str:
    at = rng.randint(0, len(text))
    return text[:at] + rng.choice(PIECES) * rng.choice([10, 1000, _LONGEST // 8]) + text[at:]


def _splice(rng: random.Random, text: str, seeds: Sequence[str]) -> str:
    other = rng.choice(seeds)
    return text[: rng.randint(0, len(text))] + other[rng.randint(0, len(other)) :]


def _change(rng: random.Random, text: str, _seeds: Sequence[str]) -> str:
    at = rng.randint(0, len(text))
    return text[:at] + chr(rng.choice([rng.randrange(32), rng.randrange(256)])) + text[at + 1 :]


_CHANGES: list[Change] = [_insert, _insert, _cut, _repeat, _flood, _splice, _change]
