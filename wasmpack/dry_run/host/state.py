"""What host functions work on: the instance they serve, and the request that it serves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from wasmpack.dry_run.host.memory import GuestMemory, Kept, ProxyCrash
from wasmpack.dry_run.host.shared_state import SharedState
from wasmpack.dry_run.result import Cause, RunRequest

_LOG_LIMIT = 64 * 1024
"""Bytes of log kept; what comes after is counted as seen and dropped."""
ROOT, STREAM = 1, 2
"""Ids of the first root context and of the first stream's (context.h, ``allocContextId``)."""
_VM_CONFIGURATION, _PLUGIN_CONFIGURATION, _GRPC_MESSAGE = 6, 7, 4
"""``proxy_buffer_type_t``."""
_CONFIGURING = {"proxy_on_context_create", "proxy_on_configure"}
"""Callbacks of the root context in which the plugin configuration can be read."""
_NODE = b"\x0a\x08wasmpack" + b"\x82\x7d\xc8\xdc\x03" + bytes(61_000)
"""``xds.node`` as a protobuf message: an id, and a field that nobody reads, so that it is about as
long as that of Envoy, which lists its extensions (61,090 bytes in 1.40.0)."""

REQUEST_HEADERS, REQUEST_TRAILERS, RESPONSE_HEADERS, RESPONSE_TRAILERS = range(4)
"""``proxy_map_type_t``."""
LOGGED_MAPS = {REQUEST_HEADERS, RESPONSE_HEADERS, RESPONSE_TRAILERS}
Pair = tuple[bytes, bytes]


class Phase(IntEnum):
    """How far a request has come, in this order."""

    CREATED = 0
    REQUEST = 1
    RESPONSE = 2
    """There is a response, and from now on it can be held or replaced."""
    LOG = 3
    """It is over, and what it was can be read."""
    OVER = 4
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
    as_root: bool = False
    """Calls of this callback are made for the root context, where there is nothing to act on."""

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
        self.ended = self.as_root = False

    def changeable(self, kind: int) -> list[Pair] | None:
        """The header map, where it can be changed; trailers are added then."""
        if kind in self.addable and kind not in self.seen:
            self.maps[kind] = []
            self.seen.add(kind)
        return self.maps[kind] if kind in self.seen else None

    def readable(self, kind: int) -> list[Pair] | None:
        """The header map, where it can be read; in the log all that there were, but trailers of
        the request."""
        if self.phase is Phase.LOG:
            return self.maps.get(kind) if kind in LOGGED_MAPS else None
        return self.maps[kind] if kind in self.seen else None

    def go_on(self) -> None:
        """Continue the response.

        :raises ProxyCrash: there is none yet
        """
        if self.phase < Phase.RESPONSE:
            raise ProxyCrash(Cause.STREAM)

    def close(self) -> None:
        """Reset the stream.

        :raises ProxyCrash: it has not begun, or it is over
        """
        if self.phase is Phase.CREATED or self.phase > Phase.RESPONSE:
            raise ProxyCrash(Cause.STREAM)
        self.ended = True

    def answer(self) -> None:
        """Send a local response; it must be the last change to a response.

        :raises ProxyCrash: the stream has been answered, closed, or is over
        """
        answering = self.phase is Phase.RESPONSE
        if self.phase > Phase.RESPONSE or (answering and self.ended):
            raise ProxyCrash(Cause.STREAM)
        self.ended = answering


class VmState:
    """One instance of a plugin, and the log of its run."""

    def __init__(self, started: RunRequest) -> None:
        self.started = started
        self.callback = ""
        """The export that is being called."""
        self.environment_read = False
        """In this callback."""
        self.has_context = False
        """False while the start section runs: there is no context that a call could belong to."""
        self.request: RequestState | None = None
        """The one being served; None before the first."""
        self.log: list[str] = []
        self._logged = 0
        self.kept = Kept("headers")
        self.properties = {
            b"plugin_name": b"wasmpack",
            b"plugin_root_id": started.start_up.root_id.encode(),
            b"plugin_vm_id": b"",
            b"xds\0node": _NODE,
        }
        self.metrics: dict[int, tuple[int, bytes]] = {}
        """Type and name, by number; the last two bits of a number are its type."""
        self.expressions = 0
        """How many were created."""
        self.grpc_calls = {1: 0, 2: 0}
        """How many were begun, by the last two bits of their tokens."""

    def require_context(self) -> None:
        """Refuse calls of the start section.

        :raises ProxyCrash: there is no context that the call could belong to
        """
        if not self.has_context:
            raise ProxyCrash(Cause.CONTEXT)

    @property
    def stream(self) -> RequestState | None:
        """The request that calls act on; None for the root context."""
        return None if self.request is None or self.request.as_root else self.request

    def buffer(self, kind: int) -> bytes | bytearray | None:
        """None if there is none now; those of a request exist, but are empty."""
        self.require_context()
        if kind == _PLUGIN_CONFIGURATION:
            configuring = self.callback in _CONFIGURING and self.request is None
            return self.started.config if configuring else None
        if kind == _VM_CONFIGURATION:
            return self.started.vm_config
        if kind == _GRPC_MESSAGE:
            return None
        return self.stream.buffers.get(kind, b"") if self.stream else b""

    @property
    def configuration(self) -> bytes:
        """The plugin's where it can be read, elsewhere the VM's."""
        plugin = self.buffer(_PLUGIN_CONFIGURATION)
        return self.started.vm_config if plugin is None else bytes(plugin)

    def note(self, text: bytes) -> None:
        """Add to the log."""
        room = max(0, _LOG_LIMIT - self._logged)
        if line := text[:room].decode(errors="replace").strip():
            self.log.append(line)
        self._logged += len(text)


@dataclass(frozen=True, slots=True)
class Host:
    """Everything a host function works on."""

    memory: GuestMemory
    vm: VmState
    shared: SharedState
