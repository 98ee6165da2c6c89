"""A plain GET request, callback by callback, and the host functions that steer it.

Where a call ends the proxy was observed with Envoy 1.36.2 to 1.40.0 (``tests/agreement``).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from wasmpack.dry_run.host.memory import Refused, Status
from wasmpack.dry_run.host.state import ROOT, STREAM, Host, Pair, Phase

_REQUEST, _RESPONSE, _UPSTREAM = 0, 1, 3
"""``proxy_stream_type_t``, to its last."""


@dataclass(frozen=True, slots=True)
class Callback:
    """One call of a request."""

    name: str
    phase: Phase
    given: tuple[int, ...] = ()
    """Arguments after the stream's id."""
    newer: tuple[int, ...] = ()
    """More of them, which ABI 0.1.0 does not have."""
    goes_on: Sequence[int | None] | None = None
    """Results with which the request goes on; None: with any."""
    maps: Mapping[int, Sequence[Pair]] = field(default_factory=dict)
    """Header maps that there are from here on."""
    buffers: Mapping[int, bytes] = field(default_factory=dict)
    """Buffers that there are in this callback."""

    def arguments(self, abi_version: str) -> tuple[int, ...]:
        """All of them."""
        return (STREAM, *self.given, *(() if abi_version == "0.1.0" else self.newer))


def _callback(row: Mapping[str, Any]) -> Callback:
    maps: Mapping[str, list[list[str]]] = row.get("maps", {})
    buffers: Mapping[str, str] = row.get("buffers", {})
    return Callback(
        row["name"],
        Phase[row["phase"]],
        given=tuple(row.get("given", ())),
        newer=tuple(row.get("newer", ())),
        goes_on=row.get("goesOn"),
        maps={int(k): [(n.encode(), v.encode()) for n, v in maps[k]] for k in maps},
        buffers={int(kind): text.encode() for kind, text in buffers.items()},
    )


_FILE = files(__package__).joinpath("get_request.json")
GET_REQUEST = tuple(map(_callback, json.loads(_FILE.read_text())["callbacks"]))
"""The callbacks of one request and its answer, in the proxy's order."""


def proxy_set_effective_context(host: Host, context: int) -> None:
    host.vm.require_context()
    request = host.vm.request
    if context not in {0, ROOT, STREAM if request else 0}:
        raise Refused(Status.BAD_ARGUMENT)
    if request:
        request.as_root = context == ROOT


def proxy_continue_stream(host: Host, kind: int) -> None:
    _check(host, kind)
    if kind == _RESPONSE:
        proxy_continue_response(host)
    if kind == _UPSTREAM:
        raise Refused(Status.UNIMPLEMENTED)


def proxy_continue_response(host: Host) -> None:
    host.vm.require_context()
    if stream := host.vm.stream:
        stream.go_on()


def proxy_close_stream(host: Host, kind: int) -> None:
    _check(host, kind)
    if (stream := host.vm.stream) and kind in {_REQUEST, _RESPONSE}:
        stream.close()


def proxy_send_local_response(host: Host, _status: int, *arguments: int) -> None:
    host.memory.texts(*zip(arguments[0:6:2], arguments[1:6:2], strict=True))
    if stream := host.vm.stream:
        stream.answer()


def _check(host: Host, kind: int) -> None:
    if kind > _UPSTREAM:
        raise Refused(Status.BAD_ARGUMENT)
    host.vm.require_context()
