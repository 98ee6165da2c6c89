"""The host's side of header maps; where there are none, calls say so.

Observed with Envoy 1.40.0; proxy-wasm-cpp-host, src/exports.cc, src/pairs_util.cc.
"""

from collections.abc import Sequence

from wasmpack.dry_run.host.exchange import Pair, Phase
from wasmpack.dry_run.host.memory import Refused, Status, found
from wasmpack.dry_run.host.state import Host

_LAST_MAP = 7
"""Of ``proxy_map_type_t``."""
_EMPTY_IF_MISSING = "0.1.0"
"""The ABI in which a missing header is an empty one."""


def proxy_get_header_map_pairs(host: Host, kind: int, data: int, size: int) -> None:
    _check(kind)
    stream = host.vm.stream
    pairs = stream.readable(kind) if stream else None
    host.memory.give(encoded(pairs) if pairs else b"", data, size)


def proxy_get_header_map_size(host: Host, kind: int, result: int) -> None:
    _check(kind)
    host.vm.require_context()
    host.memory.put(result, sum(len(k) + len(v) for k, v in _map(host, kind)))


def proxy_get_header_map_value(
    host: Host, kind: int, key: int, key_size: int, data: int, size: int
) -> None:
    _check(kind)
    name = host.memory.text(key, key_size).lower()
    stream = host.vm.stream
    pairs = stream.readable(kind) if stream else None
    if pairs is None and not (stream and stream.phase is Phase.LOG):
        raise Refused(Status.BAD_ARGUMENT)
    value = next((value for known, value in pairs or () if known == name), None)
    if value is None and host.vm.started.abi_version == _EMPTY_IF_MISSING:
        value = b""
    host.memory.give(found(value), data, size)


def proxy_add_header_map_value(
    host: Host, kind: int, key: int, key_size: int, data: int, size: int
) -> None:
    _check(kind)
    name, text = host.memory.texts((key, key_size), (data, size))
    _change(host, kind, len(name) + len(text)).append((name.lower(), text))


def proxy_replace_header_map_value(
    host: Host, kind: int, key: int, key_size: int, data: int, size: int
) -> None:
    _check(kind)
    name, text = host.memory.texts((key, key_size), (data, size))
    pairs = _change(host, kind, len(name) + len(text))
    pairs[:] = [*_without(pairs, name), (name.lower(), text)]


def proxy_remove_header_map_value(host: Host, kind: int, key: int, key_size: int) -> None:
    _check(kind)
    name = host.memory.text(key, key_size)
    pairs = _change(host, kind, len(name))
    pairs[:] = _without(pairs, name)


def proxy_set_header_map_pairs(host: Host, kind: int, data: int, size: int) -> None:
    _check(kind)
    text = host.memory.text(data, size)
    _change(host, kind, len(text))[:] = decoded(text)


def _check(kind: int) -> None:
    if kind > _LAST_MAP:
        raise Refused(Status.BAD_ARGUMENT)


def _map(host: Host, kind: int) -> list[Pair]:
    """The map, to be changed."""
    stream = host.vm.stream
    return found(stream.changeable(kind) if stream else None, Status.BAD_ARGUMENT)


def _change(host: Host, kind: int, size: int) -> list[Pair]:
    """The map, which may keep so many bytes more."""
    pairs = _map(host, kind)
    host.vm.kept.add(size)
    return pairs


def _without(pairs: list[Pair], name: bytes) -> list[Pair]:
    return [pair for pair in pairs if pair[0] != name.lower()]


def encoded(pairs: Sequence[Pair]) -> bytes:
    """Number of pairs, sizes, then the strings, each followed by a zero byte."""
    sizes = b"".join(len(t).to_bytes(4, "little") for pair in pairs for t in pair)
    return len(pairs).to_bytes(4, "little") + sizes + b"".join(t + b"\0" for p in pairs for t in p)


def decoded(data: bytes) -> list[Pair]:
    """The reverse; nothing if the sizes are inconsistent."""
    count = int.from_bytes(data[:4], "little")
    pos = 4 + 8 * count
    if pos > len(data):
        return []
    sizes = [int.from_bytes(data[n : n + 4], "little") for n in range(4, pos, 4)]
    texts = []
    for size in sizes:
        texts.append(data[pos : pos + size])
        pos += size + 1
    return list(zip(texts[::2], texts[1::2], strict=True))
