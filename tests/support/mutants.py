"""Damaged and hostile inputs from a seed: bytes and JSON."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Sequence

from support.effort import SEED

Json = object

MAGIC = [
    b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\0asm\1\0\0\0", b"ustar\00000", b"ustar  \0",
    b"\xff\xfe", b"\xef\xbb\xbf", b"\0" * 512, b"\xff" * 12, b"\x80\0\0\0" + b"\xff" * 8,
    b"77777777777\0", b"-0000000001\0", b"[" * 2000, b'{"a":' * 2000, b"9" * 5000, b"\\ud800",
    b"\xed\xa0\x80",
]  # fmt: skip
"""What readers know, and numbers at the edges of what they count with."""
ODD: list[Json] = [
    None, True, False, 0, -1, 1 << 31, 1 << 63, 1 << 64, 10**400, 1.5, -0.0, 1e308, "", "x", "\0",
    "../../x", "/", "a" * 300, "a" * 5000, "\u202e", "ünï", "sha256:" + "0" * 64, "sha256:../../x",
    "SHA256:" + "A" * 64, "sha512:" + "0" * 128, "sha512:" + "0" * 64, "md5:" + "0" * 32, [], {},
    [None], [[]], {"": None}, {"a": {}}, [0] * 200, {str(n): n for n in range(200)},
]  # fmt: skip

_MANY = 100
"""Objects and arrays in a document from which on nothing in it is multiplied or nested."""


def fresh() -> tuple[random.Random, int]:
    """A source of chance that no run had before, and the seed to have it again."""
    return random.Random(SEED), SEED


def mutant(rng: random.Random, data: bytes, pool: Sequence[bytes] = ()) -> bytes:
    """The bytes with one to four things done to them.

    :param pool: further inputs, of which pieces are spliced in
    """
    for _ in range(rng.randint(1, 4)):
        data = rng.choice(_BYTES)(rng, data, pool)
    return data


def _flip(rng: random.Random, data: bytes, _pool: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4) if data else 0):
        changed[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    return bytes(changed)


def _cut(rng: random.Random, data: bytes, _pool: Sequence[bytes]) -> bytes:
    return data[: rng.randint(0, len(data))]


def _repeat(rng: random.Random, data: bytes, _pool: Sequence[bytes]) -> bytes:
    start, end = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
    return data[:end] + data[start:end] * rng.choice((1, 1, 2, 7)) + data[end:]


def _drop(rng: random.Random, data: bytes, _pool: Sequence[bytes]) -> bytes:
    start = rng.randint(0, len(data))
    return data[:start] + data[start + rng.choice((1, 2, 8, 512)) :]


def _splice(rng: random.Random, data: bytes, pool: Sequence[bytes]) -> bytes:
    other = rng.choice(pool) if pool else data
    return data[: rng.randint(0, len(data))] + other[rng.randint(0, len(other)) :]


def _magic(rng: random.Random, data: bytes, _pool: Sequence[bytes]) -> bytes:
    at, piece = rng.randint(0, len(data)), rng.choice(MAGIC)
    return data[:at] + piece + data[at + (len(piece) if rng.random() < 0.7 else 0) :]


_BYTES: list[Callable[[random.Random, bytes, Sequence[bytes]], bytes]] = [
    _flip, _flip, _cut, _repeat, _drop, _splice, _magic,
]  # fmt: skip


def json_mutant(rng: random.Random, value: Json) -> bytes:
    """The document with one to three of its values changed, now and then as damaged bytes."""
    value = copy.deepcopy(value)
    for _ in range(rng.randint(1, 3)):
        value = _changed(rng, value)
    raw = json.dumps(value).encode()
    return mutant(rng, raw) if rng.random() < 0.15 else raw


def _changed(rng: random.Random, value: Json) -> Json:
    """Something in it replaced, taken out, doubled or nested; seldom all of it replaced."""
    inside = _filled([value])
    if not inside or rng.random() < 0.02:
        return copy.deepcopy(rng.choice(ODD))
    place = rng.choice(inside)
    key = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
    match rng.randrange(8):
        case 0:
            del place[key]
        case 1 if isinstance(place, list):
            times = rng.choice((1, 3, 200)) if len(inside) < _MANY else 1
            place.extend(copy.deepcopy(place[key]) for _ in range(times))
        case 1:
            place[rng.choice((key.upper(), f"{key} ", "extra"))] = copy.deepcopy(place[key])
        case 2:
            for _ in range(rng.choice((1, 50, 250)) if len(inside) < _MANY else 1):
                place[key] = [place[key]]
        case _:
            place[key] = copy.deepcopy(rng.choice(ODD))
    return value


def _filled(values: list[Json]) -> list[dict | list]:
    """The objects and arrays in them that are not empty."""
    found: list[dict | list] = []
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict | list) and value:
            found.append(value)
            waiting += value.values() if isinstance(value, dict) else value
    return found
