"""Istio's fetcher of http(s) URLs, replayed over what a server answered.

Sources: istio pkg/wasm/httpfetcher.go (``Fetch``, ``unboxIfPossible``), cache.go (checksum).
"""

import hashlib
import itertools

from wasmpack.errors import BadArtifact
from wasmpack.fetchers.refusal import Refused
from wasmpack.oci.budget import Budget
from wasmpack.oci.gunzip import UnreadableLayer, gunzip
from wasmpack.oci.stream import Stream
from wasmpack.oci.tar import TarReader

_MAGIC, _LEAST = b"\0asm", 8
"""A module's first bytes, and those that it has at least (``isValidWasmBinary``)."""
_GZIP = b"\x1f\x8b"
_TAR, _TAR_AT = b"ustar", 257
_LIMIT = 256 << 20
"""Bytes that are unpacked (httpfetcher.go, ``io.LimitReader``)."""
_MOST_BOXES = 16
"""Boxes in boxes; the fetcher has no bound, and never ends on a file that contains itself."""
_OK = 200


def module_of(status: int, body: bytes, checksum: str, shown: str) -> bytes:
    """The module that a proxy would get.

    :param checksum: in hex, of the unpacked module; empty if none is asked for
    :param shown: the URL in messages
    :raises Refused: in the fetcher's words
    """
    if status != _OK:
        said = f"wasm module download request failed: status code {status}"
        raise Refused(
            f"wasm module download failed after 1 attempts, last error: {said}",
            "url",
            "the URL of the module itself; it is fetched without credentials",
        )
    module = unboxed(body)
    digest = hashlib.sha256(module).hexdigest()
    if checksum and digest != checksum:
        raise Refused(
            f"module downloaded from {shown} has checksum {digest}, which does not match: "
            f"{checksum}",
            "sha256",
            f"sha256: {digest}, if this is the module" if _is_module(module) else "",
        )
    if not _is_module(module):
        what = "it is a web page" if b"<html" in module[:1024].lower() else "no Wasm module"
        raise Refused(
            f"fetched Wasm binary from {shown} is invalid: {what}", "url", "the URL of the module"
        )
    return module


def unboxed(origin: bytes) -> bytes:
    """Unwrap gzip and tar; return the input unchanged if one of them cannot be read.

    >>> import gzip
    >>> unboxed(gzip.compress(b"\\0asm\\1\\0\\0\\0"))
    b'\\x00asm\\x01\\x00\\x00\\x00'
    """
    found = origin
    for _ in range(_MOST_BOXES):
        if _is_module(found):
            return found
        inner: bytes | None = None
        if found[:2] == _GZIP and len(found) > len(_GZIP):
            inner = _gunzipped(found)
        elif found[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR and len(found) > _TAR_AT + len(_TAR):
            inner = _first_file(found)
        if inner is None:
            return origin
        found = inner
    return origin


def _is_module(data: bytes) -> bool:
    return data[:4] == _MAGIC and len(data) >= _LEAST


def _gunzipped(data: bytes) -> bytes | None:
    found = bytearray()
    try:
        for piece in gunzip(iter([data])):
            found += piece
            if len(found) >= _LIMIT:
                return bytes(found[:_LIMIT])
    except UnreadableLayer:
        return None
    return bytes(found)


def _first_file(data: bytes) -> bytes | None:
    """The content of the first entry, whatever it is called."""
    try:
        reader = TarReader(Stream(iter([data])), Budget())
        entry = next(iter(reader), None)
        if entry is None:
            return None
        content = b"".join(itertools.takewhile(bool, reader.content()))
    except (UnreadableLayer, BadArtifact):
        return None
    return content if len(content) == entry.size else None
