"""A request that a proxy serves, and what the plugin's answers and calls make of it.

How a request goes on, and where a call ends the proxy, was observed with Envoy 1.36.2 and 1.40.0
(``tests/agreement/test_request_answers.py`` and ``test_request_outcomes.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from wasmpack.dry_run.host.exchange import (
    REQUEST_HEADERS,
    RESPONSE_BODY,
    RESPONSE_HEADERS,
    RESPONSE_TRAILERS,
    UPSTREAM_DATA,
    Callback,
    Pair,
    Phase,
    number,
)
from wasmpack.dry_run.host.memory import ProxyCrash
from wasmpack.dry_run.result import Cause

_LOGGED_MAPS = {REQUEST_HEADERS, RESPONSE_HEADERS, RESPONSE_TRAILERS}
_DELIVERED, _FAILED = 200, 503
"""Statuses; of a connection, that its bytes came back."""
_DIGITS = 10
"""The most digits of a status that are read."""


@dataclass(frozen=True, slots=True)
class LocalResponse:
    """An answer that the plugin gives itself."""

    status: int
    body: bytes
    headers: Sequence[Pair] = ()

    @property
    def shown_status(self) -> int | None:
        """The status that the client gets; None where it is not one for clients."""
        return _shown(self.status)

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
        if RESPONSE_BODY in callback.buffers and self.body:
            buffers = {**callback.buffers, RESPONSE_BODY: self.body}
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
    """Properties of the stream, but for its headers."""
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
    closed: bool = False
    """By the plugin."""
    held: str = ""
    """The callback that holds the request forever, if one does."""
    status: int | None = None
    """The status sent to the client so far; None without a complete response."""
    _kept_maps: frozenset[int] = frozenset()
    """Header maps of the callback that holds the request: they stay until it is over."""
    _kept_addable: frozenset[int] = frozenset()
    _kept_buffers: dict[int, bytearray] = field(default_factory=dict)
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
        self.seen, self.addable = set(callback.maps) | self._kept_maps, callback.addable
        self.addable |= self._kept_addable
        self.buffers = {kind: bytearray(data) for kind, data in callback.buffers.items()}
        self.buffers |= self._kept_buffers
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
            self._kept_maps, self._kept_addable = frozenset(self.seen), callback.addable
            self._kept_buffers = self.buffers
        elif RESPONSE_HEADERS in callback.maps:
            self.status = self._status()
        elif UPSTREAM_DATA in callback.buffers:
            self.status = _DELIVERED

    def trapped(self, callback: Callback) -> None:
        """End a callback that did not come to its end: the plugin's VM has failed."""
        if callback.phase is Phase.CREATED and self.local is not None:
            self.status = self.local.shown_status
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
            logged = kind in _LOGGED_MAPS and not (self.held and kind in self._kept_addable)
            return self.maps.get(kind) if logged else None
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
        """Reset the stream; where the client has given up, there is nothing to reset.

        :raises ProxyCrash: it has not begun, or it is over
        """
        if self.network or self.held:
            return
        if self.phase not in {Phase.REQUEST, Phase.RESPONSE}:
            raise ProxyCrash(Cause.STREAM)
        self.ended = self.closed = True
        self._end(None)

    def close_connection(self) -> None:
        """Close the connection, if it is one of a network plugin."""
        if self.phase is Phase.CONNECTION:
            self._end(None)

    def answer(self, local: LocalResponse) -> None:
        """Send a local response; it must be the last change to a response.

        :raises ProxyCrash: the stream has been answered, or is over
        """
        if self.network or self.held:
            return
        answering = self.phase in {Phase.RESPONSE, Phase.TRAILERS}
        over = self.phase >= Phase.LOG
        if (over and not self.closed) or (answering and self.ended):
            raise ProxyCrash(Cause.STREAM)
        self.ended = answering or over
        if answering:
            self._end(local.shown_status if RESPONSE_HEADERS in self.seen else None)
        elif not over:
            self.local = self.local or local
            self._next = Phase.RESPONSE if self.phase is Phase.REQUEST else self._next

    def _end(self, status: int | None) -> None:
        """Nothing but the log comes behind this callback."""
        self.status, self._next = status, Phase.LOG

    def _status(self) -> int | None:
        value = dict(self.maps[RESPONSE_HEADERS]).get(b":status", b"")
        return _shown(int(value)) if value.isdigit() and len(value) <= _DIGITS else None


def _shown(status: int) -> int | None:
    """The status as clients take it; None for what is none to them (RFC 9110 15)."""
    return status if 100 <= status <= 999 else None
