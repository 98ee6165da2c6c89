"""A plain GET request, callback by callback, and the host functions that steer it.

Where a call ends the proxy was observed with Envoy 1.36.2 to 1.40.0 (``tests/agreement``).
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from wasmpack.dry_run.host.memory import Refused, Status
from wasmpack.dry_run.host.properties import number
from wasmpack.dry_run.host.state import ROOT, STREAM, Callback, Host, Pair, Phase

_REQUEST, _RESPONSE, _UPSTREAM = 0, 1, 3
"""``proxy_stream_type_t``, to its last."""


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
    return number(value) if isinstance(value, int) else None if value is None else value.encode()


GET_REQUEST = callbacks(files(__package__).joinpath("get_request.json").read_text())
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
