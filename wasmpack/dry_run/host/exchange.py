"""An exchange with a client, callback by callback, and what the host lets a plugin see of it.

Those that are tried are data: ``get_request.json`` and ``connection.json``.
"""

import json
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

STREAM = 2
"""Id of the first stream's context (context.h, ``allocContextId``)."""
REQUEST_HEADERS, REQUEST_TRAILERS, RESPONSE_HEADERS, RESPONSE_TRAILERS = range(4)
"""``proxy_map_type_t``."""
RESPONSE_BODY, UPSTREAM_DATA = 1, 3
"""``proxy_buffer_type_t``."""
Pair = tuple[bytes, bytes]


def number(value: int) -> bytes:
    """An integer as the host writes it."""
    return value.to_bytes(8, "little")


class Phase(IntEnum):
    """How far a request has come, in this order."""

    CONNECTION = -1
    """A network plugin's, which has no request."""
    CREATED = 0
    REQUEST = 1
    RESPONSE = 2
    """There is a response, and from now on it can be held or replaced."""
    TRAILERS = 3
    """Those of the response, behind which there is nothing to hold or to close."""
    LOG = 4
    """It is over, and what it was can be read."""
    OVER = 5
    """There is nothing left to answer or to close."""


@dataclass(frozen=True, slots=True)
class Callback:
    """One call of a request, and what the host lets it see."""

    name: str
    phase: Phase
    given: tuple[int, ...] = ()
    """Arguments after the stream's id."""
    newer: tuple[int, ...] = ()
    """More of them, which ABI 0.1.0 does not have."""
    goes_on: Sequence[int | None] | None = None
    """Results with which the request goes on; None: with any."""
    maps: Mapping[int, Sequence[Pair]] = field(default_factory=dict)
    """Header maps that can be read and changed in this callback, by ``proxy_map_type_t``."""
    addable: frozenset[int] = frozenset()
    """Trailers that a change would add to the last piece of a body."""
    added: Mapping[int, Sequence[Pair]] = field(default_factory=dict)
    """Headers that the proxy has added before."""
    buffers: Mapping[int, bytes] = field(default_factory=dict)
    """Bodies in this callback, by ``proxy_buffer_type_t``."""
    properties: Mapping[bytes, bytes | None] = field(default_factory=dict)
    """Properties known from here on; None is an object, whose parts alone have values."""

    def arguments(self, abi_version: str) -> tuple[int, ...]:
        """All of them."""
        return (STREAM, *self.given, *(() if abi_version == "0.1.0" else self.newer))


def callbacks(text: str | bytes) -> tuple[Callback, ...]:
    """The callbacks of an exchange, from the form of ``get_request.json``."""
    return tuple(map(_callback, json.loads(text)["callbacks"]))


def _callback(row: Mapping[str, Any]) -> Callback:
    buffers: Mapping[str, str] = row.get("buffers", {})
    properties: Mapping[str, str | int | None] = row.get("properties", {})
    return Callback(
        row["name"],
        Phase[row["phase"]],
        given=tuple(row.get("given", ())),
        newer=tuple(row.get("newer", ())),
        goes_on=row.get("goesOn"),
        maps=_maps(row.get("maps", {})),
        added=_maps(row.get("added", {})),
        addable=frozenset(row.get("addable", ())),
        buffers={int(kind): text.encode() for kind, text in buffers.items()},
        properties={_path(name): _value(value) for name, value in properties.items()},
    )


def _maps(maps: Mapping[str, list[list[str]]]) -> dict[int, list[Pair]]:
    return {int(k): [(n.encode(), v.encode()) for n, v in maps[k]] for k in maps}


def _path(name: str) -> bytes:
    return name.replace(".", "\0").encode()


def _value(value: str | int | None) -> bytes | None:
    if isinstance(value, int):
        return number(value)
    return None if value is None else value.encode()


GET_REQUEST = callbacks(pkgutil.get_data(__name__, "get_request.json") or b"")
"""The callbacks of one request and its answer, in the proxy's order."""
CONNECTION = callbacks(pkgutil.get_data(__name__, "connection.json") or b"")
"""Those of a connection, which network plugins get."""
