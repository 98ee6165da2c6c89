"""The state of host functions: the instance they serve, and the request that it serves."""

from dataclasses import dataclass

from wasmpack.dry_run.host.memory import GuestMemory, Kept, ProxyCrash
from wasmpack.dry_run.host.request import RequestState
from wasmpack.dry_run.host.shared_state import SharedState
from wasmpack.dry_run.result import Cause, RunRequest

_LOG_LIMIT = 64 * 1024
"""Bytes of log kept; what comes after is counted as seen and dropped."""
_MOST_CALLED, _LONGEST_NAME = 3, 200
"""Services that are named, and bytes of each name."""
ROOT = 1
"""Id of the first root context (context.h, ``allocContextId``)."""
_VM_CONFIGURATION, _PLUGIN_CONFIGURATION, _GRPC_MESSAGE = 6, 7, 4
"""``proxy_buffer_type_t``."""
_CONFIGURING = {"proxy_on_context_create", "proxy_on_configure"}
"""Callbacks of the root context in which the plugin configuration can be read."""
_NODE = b"\x0a\x08wasmpack" + b"\x82\x7d\xc8\xdc\x03" + bytes(61_000)
"""``xds.node`` as a protobuf message: an id, and a field that nobody reads, so that it is about as
long as that of Envoy, which lists its extensions (61,090 bytes in 1.40.0)."""


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
        self.kept = Kept("headers, bodies and properties")
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
        self.tick_period = 0
        """Milliseconds between two calls of ``proxy_on_tick``; 0 for none."""
        self.grpc_calls = {1: 0, 2: 0}
        """How many were begun, by the last two bits of their tokens."""
        self.called: dict[bytes, None] = {}
        """Clusters that were called, in order; the dry run has none."""

    def note_call(self, service: bytes) -> None:
        """Remember that a service was called."""
        if len(self.called) < _MOST_CALLED:
            self.called[service[:_LONGEST_NAME]] = None

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
