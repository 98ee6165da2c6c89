"""Properties as a plugin asks for them: of itself, of a connection, of a request and its response.

Which there are when, and their values, was observed with Envoy 1.40.0
(``tests/agreement/test_request_answers.py`` asks it again); Envoy,
source/extensions/common/wasm/context.cc, ``Context::findValue``.
"""

from wasmpack.dry_run.host.exchange import (
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    RESPONSE_TRAILERS,
    Pair,
    number,
)
from wasmpack.dry_run.host.header_maps import encoded
from wasmpack.dry_run.host.memory import Refused, Status, found
from wasmpack.dry_run.host.request import RequestState
from wasmpack.dry_run.host.state import VmState

_HEADERS = {
    b"request\0path": b":path",
    b"request\0host": b":authority",
    b"request\0scheme": b":scheme",
    b"request\0method": b":method",
    b"request\0id": b"x-request-id",
    b"request\0useragent": b"user-agent",
    b"request\0referer": b"referer",
}
"""Properties that are headers of the request, while there are any."""
_MAPS = {
    b"request\0headers": REQUEST_HEADERS,
    b"response\0headers": RESPONSE_HEADERS,
    b"response\0trailers": RESPONSE_TRAILERS,
}
_XDS = b"xds"
"""It always has parts, and no value itself."""


def property_value(vm: VmState, path: bytes) -> bytes:
    """The value; ``path`` has zero bytes between the parts, and may have some behind them.

    :raises Refused: there is none now
    """
    name = path.rstrip(b"\0")
    if name in vm.properties:
        return vm.properties[name]
    if not path or name == _XDS:
        raise Refused(Status.SERIALIZATION_FAILURE)
    if vm.stream is None:
        raise Refused(Status.NOT_FOUND)
    if name in vm.stream.properties:
        return found(vm.stream.properties[name], Status.SERIALIZATION_FAILURE)
    value = _of_headers(vm.stream, name)
    return found(vm.stream.own.get(name) if value is None and b"\0" not in name else value)


def _of_headers(stream: RequestState, name: bytes) -> bytes | None:
    if name in _MAPS:
        return encoded(stream.readable(_MAPS[name]) or [])
    group, _, header = name.rpartition(b"\0")
    if group in _MAPS:
        return _header(stream.readable(_MAPS[group]), header)
    asked = stream.readable(REQUEST_HEADERS)
    if name in _HEADERS:
        return _header(asked, _HEADERS[name])
    if name == b"request\0total_size":
        body = stream.properties[b"request\0size"] or b""
        headers = sum(len(text) for pair in asked or () for text in pair)
        return number(headers + int.from_bytes(body, "little"))
    path = _header(asked, b":path")
    if path is not None and name in {b"request\0url_path", b"request\0query"}:
        place, _, query = path.partition(b"?")
        return query if name.endswith(b"query") else place
    return None


def _header(pairs: list[Pair] | None, wanted: bytes) -> bytes | None:
    return next((value for name, value in pairs or () if name == wanted.lower()), None)
