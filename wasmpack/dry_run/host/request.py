"""A request that a proxy serves, callback by callback: what the host lets the plugin see, and what
the plugin's answers and calls make of it.

How a request goes on, and where a call ends the proxy, was observed with Envoy 1.36.2 and 1.40.0
(``tests/agreement/test_request_answers.py`` and ``test_request_outcomes.py``).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from importlib.resources import files
from typing import Any

from wasmpack.dry_run.host.memory import ProxyCrash
from wasmpack.dry_run.result import Cause

STREAM = 2
"""Id of the first stream's context (context.h, ``allocContextId``)."""
REQUEST_HEADERS, REQUEST_TRAILERS, RESPONSE_HEADERS, RESPONSE_TRAILERS = range(4)
"""``proxy_map_type_t``."""
_LOGGED_MAPS = {REQUEST_HEADERS, RESPONSE_HEADERS, RESPONSE_TRAILERS}
_RESPONSE_BODY, _UPSTREAM_DATA = 1, 3
"""``proxy_buffer_type_t``."""
_DELIVERED, _FAILED = 200, 503
"""Statuses; of a connection, that its bytes came back."""
Pair = tuple[bytes, bytes]


def number(value: int) -> bytes:
    """As the host writes integers."""
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
    """What is known from here on; None is an object, whose parts alone have values."""

    def arguments(self, abi_version: str) -> tuple[int, ...]:
        """All of them."""
        return (STREAM, *self.given, *(() if abi_version == "0.1.0" else self.newer))


@dataclass(frozen=True, slots=True)
class LocalResponse:
    """An answer that the plugin gives itself."""

    status: int
    body: bytes
    headers: Sequence[Pair] = ()

    def seen_in(self, callback: Callback) -> Callback | None:
        """The callback of a response, where this is the response; None if it does not come."""
        if RESPONSE_HEADERS in callback.maps:
            pairs = [(b":status", str(self.status).encode()), *self.headers]
            if self.body:
                size = str(len(self.body)).encode()
                pairs += [(b"content-length", size), (b"content-type", b"text/plain")]
            given, newer = (len(pairs),), (int(not self.body),)
            known = {**callback.properties, b"response\0code": number(self.status)}
            return replace(
                callback, given=given, newer=newer, properties=known,
                maps={**callback.maps, RESPONSE_HEADERS: pairs},
            )  # fmt: skip
        if _RESPONSE_BODY in callback.buffers and self.body:
            buffers = {**callback.buffers, _RESPONSE_BODY: self.body}
            return replace(callback, given=(len(self.body), 1), buffers=buffers)
        return None


@dataclass(slots=True)
class RequestState:
    """One HTTP stream, as its host functions find it."""

    phase: Phase = Phase.CREATED
    maps: dict[int, list[Pair]] = field(default_factory=dict)
    """All that there were; not each can be seen now."""
    seen: set[int] = field(default_factory=set)
    """Those that this callback can read and change."""
    addable: frozenset[int] = frozenset()
    buffers: dict[int, bytearray] = field(default_factory=dict)
    properties: dict[bytes, bytes | None] = field(default_factory=dict)
    """Of the stream, but for its headers."""
    own: dict[bytes, bytes] = field(default_factory=dict)
    """Properties that the plugin has set."""
    ended: bool = False
    """Closed or answered in this callback: a trap now ends the proxy."""
    network: bool = False
    """A connection of a network plugin: what acts on requests has nothing to act on."""
    as_root: bool = False
    """Calls of this callback are made for the root context, where there is nothing to act on."""
    local: LocalResponse | None = None
    """Answered by the plugin itself."""
    resumed: bool = False
    """In this callback: it goes on whatever its result is."""
    held: str = ""
    """The callback that holds the request for ever, if one does."""
    status: int | None = None
    """What the client gets so far; None for no whole answer."""
    _next: Phase = Phase.CONNECTION
    """Callbacks of earlier phases do not come any more."""

    def expected(self, callback: Callback) -> Callback | None:
        """As it comes after what has happened; None if it does not come."""
        if callback.phase < self._next:
            return None
        if self.local is not None and callback.phase in {Phase.RESPONSE, Phase.TRAILERS}:
            return self.local.seen_in(callback)
        return callback

    def enter(self, callback: Callback) -> None:
        """Begin the next callback."""
        self.phase = callback.phase
        for kind, pairs in callback.maps.items():
            self.maps[kind] = list(pairs)
        for kind, pairs in callback.added.items():
            self.maps.setdefault(kind, []).extend(pairs)
        self.seen, self.addable = set(callback.maps), callback.addable
        self.buffers = {kind: bytearray(data) for kind, data in callback.buffers.items()}
        self.properties |= callback.properties
        self.ended = self.as_root = self.resumed = False

    def leave(self, callback: Callback, returned: object) -> None:
        """End a callback that came to its end, with its result."""
        holds = callback.goes_on is not None and returned not in callback.goes_on
        if self.phase < self._next or self.phase >= Phase.LOG:
            return  # closed or answered in the callback, or over anyway
        if holds and not self.resumed and self.local is None:
            self._end(None)
            self.held = callback.name
        elif RESPONSE_HEADERS in callback.maps:
            self.status = self._status()
        elif _UPSTREAM_DATA in callback.buffers:
            self.status = _DELIVERED

    def trapped(self, callback: Callback) -> None:
        """End a callback that did not come to its end: the plugin's VM has failed."""
        if callback.phase is Phase.CREATED and self.local is not None:
            self.status = self.local.status
        elif callback.phase is Phase.CONNECTION:
            self.status = None
        elif callback.phase <= Phase.REQUEST or RESPONSE_HEADERS in callback.maps:
            self.status = _FAILED
        elif callback.phase <= Phase.TRAILERS:
            self.status = None

    def changeable(self, kind: int) -> list[Pair] | None:
        """The header map, where it can be changed; trailers are added then."""
        if kind in self.addable and kind not in self.seen:
            self.maps[kind] = []
            self.seen.add(kind)
        return self.maps[kind] if kind in self.seen else None

    def readable(self, kind: int) -> list[Pair] | None:
        """The header map, where it can be read; in the log all but the trailers of the request."""
        if self.phase is Phase.LOG:
            return self.maps.get(kind) if kind in _LOGGED_MAPS else None
        return self.maps[kind] if kind in self.seen else None

    def go_on(self) -> None:
        """Continue the request, where one is held."""
        self.resumed = self.phase is Phase.REQUEST

    def go_on_with_data(self) -> None:
        """Continue with the bytes of a connection, where they are held."""
        self.resumed = self.phase is Phase.CONNECTION

    def go_on_with_response(self) -> None:
        """Continue the response.

        :raises ProxyCrash: there is none yet
        """
        if not self.network and self.phase in {Phase.CREATED, Phase.REQUEST, Phase.TRAILERS}:
            raise ProxyCrash(Cause.STREAM)

    def close(self) -> None:
        """Reset the stream.

        :raises ProxyCrash: it has not begun, or it is over
        """
        if self.network:
            return
        if self.phase not in {Phase.REQUEST, Phase.RESPONSE}:
            raise ProxyCrash(Cause.STREAM)
        self.ended = True
        self._end(None)

    def close_connection(self) -> None:
        """Close the connection, if it is one of a network plugin."""
        if self.phase is Phase.CONNECTION:
            self._end(None)

    def answer(self, local: LocalResponse) -> None:
        """Send a local response; it must be the last change to a response.

        :raises ProxyCrash: the stream has been answered, closed, or is over
        """
        if self.network:
            return
        answering = self.phase in {Phase.RESPONSE, Phase.TRAILERS}
        if self.phase >= Phase.LOG or (answering and self.ended):
            raise ProxyCrash(Cause.STREAM)
        self.ended = answering
        if answering:
            self._end(local.status if RESPONSE_HEADERS in self.seen else None)
        else:
            self.local = self.local or local
            self._next = Phase.RESPONSE if self.phase is Phase.REQUEST else self._next

    def _end(self, status: int | None) -> None:
        """Nothing but the log comes behind this callback."""
        self.status, self._next = status, Phase.LOG

    def _status(self) -> int | None:
        value = dict(self.maps[RESPONSE_HEADERS]).get(b":status", b"")
        return int(value) if value.isdigit() and len(value) == 3 else None


def callbacks(text: str) -> tuple[Callback, ...]:
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


GET_REQUEST = callbacks(files(__package__).joinpath("get_request.json").read_text())
"""The callbacks of one request and its answer, in the proxy's order."""
CONNECTION = callbacks(files(__package__).joinpath("connection.json").read_text())
"""Those of a connection, which network plugins get."""
