"""The host's side of header maps; at start-up there are none, and calls say so.

Observed with Envoy 1.40.0; proxy-wasm-cpp-host, src/exports.cc, src/pairs_util.cc.
"""

from wasmpack.dry_run.host.wasi import BAD_MEMORY, OK, Guest, WasiHost

NOT_FOUND, BAD_ARGUMENT = 1, 2
REQUEST_HEADERS, RESPONSE_HEADERS, LAST_MAP = 0, 2, 7
"""``proxy_map_type_t``."""
Pairs = list[tuple[bytes, bytes]]


class HeaderMaps(WasiHost):
    """``proxy_*_header_map_*``."""

    def __init__(self, guest: Guest, host: str) -> None:
        super().__init__(guest, host)
        self.maps: dict[int, Pairs] = {}
        """Those of the request that is being served."""

    def proxy_get_header_map_pairs(self, kind: int, data: int, size: int) -> int:
        if kind > LAST_MAP:
            return BAD_ARGUMENT
        pairs = self.maps.get(kind)
        return self._give(_encoded(pairs) if pairs else b"", data, size)

    def proxy_get_header_map_size(self, kind: int, result: int) -> int:
        if kind > LAST_MAP:
            return BAD_ARGUMENT
        self._uses_context()
        if kind not in self.maps:
            return BAD_ARGUMENT
        return self._put(result, sum(len(k) + len(v) for k, v in self.maps[kind]), 4)

    def proxy_get_header_map_value(
        self, kind: int, key: int, size: int, data: int, data_size: int
    ) -> int:
        if kind > LAST_MAP:
            return BAD_ARGUMENT
        name = self._guest.read(key, size)
        if name is None:
            return BAD_MEMORY
        if kind not in self.maps:
            return BAD_ARGUMENT
        found = [value for known, value in self.maps[kind] if known == name.lower()]
        return self._give(found[0], data, data_size) if found else NOT_FOUND

    def proxy_add_header_map_value(
        self, kind: int, key: int, key_size: int, data: int, size: int
    ) -> int:
        return self._change(kind, (key, key_size), (data, size), replace=False)

    def proxy_replace_header_map_value(
        self, kind: int, key: int, key_size: int, data: int, size: int
    ) -> int:
        return self._change(kind, (key, key_size), (data, size), replace=True)

    def proxy_remove_header_map_value(self, kind: int, key: int, size: int) -> int:
        return self._change(kind, (key, size), None, replace=True)

    def _change(
        self, kind: int, key: tuple[int, int], value: tuple[int, int] | None, *, replace: bool
    ) -> int:
        if kind > LAST_MAP:
            return BAD_ARGUMENT
        name = self._guest.read(*key)
        text = self._guest.read(*value) if value else b""
        if name is None or text is None:
            return BAD_MEMORY
        pairs = self.maps.get(kind)
        if pairs is None:
            return BAD_ARGUMENT
        self._keep(len(name) + len(text))
        if replace:
            pairs[:] = [pair for pair in pairs if pair[0] != name.lower()]
        if value:
            pairs.append((name.lower(), text))
        return OK

    def proxy_set_header_map_pairs(self, kind: int, data: int, size: int) -> int:
        if kind > LAST_MAP:
            return BAD_ARGUMENT
        text = self._guest.read(data, size)
        if text is None:
            return BAD_MEMORY
        if kind not in self.maps:
            return BAD_ARGUMENT
        self._keep(len(text))
        self.maps[kind][:] = _decoded(text)
        return OK


def _encoded(pairs: Pairs) -> bytes:
    """Number of pairs, sizes, then the strings, each with a zero behind it."""
    sizes = b"".join(len(t).to_bytes(4, "little") for pair in pairs for t in pair)
    return len(pairs).to_bytes(4, "little") + sizes + b"".join(t + b"\0" for p in pairs for t in p)


def _decoded(data: bytes) -> Pairs:
    """The reverse; nothing if it does not fit together."""
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
