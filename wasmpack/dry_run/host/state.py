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

Pair = tuple[bytes, bytes]


class Phase(IntEnum):
    """How far a request has come, in this order."""

    CREATED = 0
    REQUEST = 1
    RESPONSE = 2
    """There is a response, and from now on it can be held or replaced."""
    OVER = 3
    """There is nothing left to answer or to close."""


@dataclass(slots=True)
class RequestState:
    """One HTTP stream, as its host functions find it."""

    phase: Phase = Phase.CREATED
    maps: dict[int, list[Pair]] = field(default_factory=dict)
    """By ``proxy_map_type_t``; they stay until the end."""
    buffers: dict[int, bytes] = field(default_factory=dict)
    """By ``proxy_buffer_type_t``; those of the callback that runs."""
    ended: bool = False
    """Closed or answered in this callback: a trap now ends the proxy."""
    as_root: bool = False
    """Calls of this callback are made for the root context, where there is nothing to act on."""

    def enter(
        self, phase: Phase, maps: Mapping[int, Sequence[Pair]], buffers: Mapping[int, bytes]
    ) -> None:
        """Begin the next callback.

        :param maps: added, and kept until the end
        :param buffers: visible in this callback alone
        """
        self.phase = phase
        self.maps |= {kind: list(pairs) for kind, pairs in maps.items()}
        self.buffers = dict(buffers)
        self.ended = self.as_root = False

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
        if self.phase in {Phase.CREATED, Phase.OVER}:
            raise ProxyCrash(Cause.STREAM)
        self.ended = True

    def answer(self) -> None:
        """Send a local response; it must be the last change to a response.

        :raises ProxyCrash: the stream has been answered, closed, or is over
        """
        answering = self.phase is Phase.RESPONSE
        if self.phase is Phase.OVER or (answering and self.ended):
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
        self.metrics: dict[int, int] = {}
        """The last two bits of a metric's number are its type."""
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

    def header_map(self, kind: int) -> list[Pair] | None:
        """None if there is none now."""
        return self.request.maps.get(kind) if self.request else None

    def buffer(self, kind: int) -> bytes | None:
        """None if there is none now; those of a request exist, but are empty."""
        self.require_context()
        if kind == _PLUGIN_CONFIGURATION:
            configuring = self.callback in _CONFIGURING and self.request is None
            return self.started.config if configuring else None
        if kind == _VM_CONFIGURATION:
            return self.started.vm_config
        if kind == _GRPC_MESSAGE:
            return None
        return self.request.buffers.get(kind, b"") if self.request else b""

    @property
    def configuration(self) -> bytes:
        """The plugin's where it can be read, elsewhere the VM's."""
        plugin = self.buffer(_PLUGIN_CONFIGURATION)
        return self.started.vm_config if plugin is None else plugin

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
