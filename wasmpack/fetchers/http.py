"""Istio's fetcher of http(s) URLs, replayed over what a server answered.

Sources: istio pkg/wasm/httpfetcher.go (``Fetch``, ``unboxIfPossible``), cache.go (checksum).
"""

import hashlib
import itertools
from collections.abc import Iterator

from wasmpack.errors import BadArtifact
from wasmpack.fetchers.refusal import Refused
from wasmpack.oci.budget import Budget
from wasmpack.oci.gunzip import UnreadableLayer, gunzip
from wasmpack.oci.stream import Stream
from wasmpack.oci.tar import TarReader
from wasmpack.stores.registry.options import RegistryOptions

_MAGIC, _LEAST = b"\0asm", 8
"""A module's first bytes, and those that it has at least (``isValidWasmBinary``)."""
_GZIP = b"\x1f\x8b"
_TAR, _TAR_AT = b"ustar", 257
_LIMIT = 256 << 20
"""Bytes that are unpacked (httpfetcher.go, ``io.LimitReader``)."""
_MOST_BOXES = 16
"""Boxes in boxes; the fetcher has no bound, and never ends on a file that contains itself."""
_OK, _BAD_REQUEST = 200, 400
_NOT_THERE = {404, 410}
_BEGINNINGS = {
    b"PK\3\4": "a zip archive",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"\xfd7zXZ": "compressed by xz",
    b"BZh": "compressed by bzip2",
    _GZIP: "gzip that cannot be read",
    b"(module": "WebAssembly text",
}
"""Other files by their first bytes."""
_SCANNED = 1024
_UNPACKED = "only gzip and tar are unpacked, and of a tar only its first file"


class NotServed(Refused):
    """The server answers that the module does not exist; it may be published later."""


def fetched_module(url: str, options: RegistryOptions, checksum: str, shown: str) -> bytes:
    """The module that a proxy would get from a URL.

    :param shown: as for :func:`module_of`
    :raises Refused: in the fetcher's words
    :raises WasmpackError: it cannot be asked for
    """
    from wasmpack.stores.http import EndlessRedirects, download

    try:
        got = download(url, options)
    except EndlessRedirects as error:
        raise Refused("stopped after 10 redirects", "url", "a URL that leads there") from error
    return module_of(got.status, got.body, checksum, shown)


def module_of(status: int, body: bytes, checksum: str, shown: str) -> bytes:
    """The module that a proxy would get.

    :param checksum: in hex, of the unpacked module; empty if none is asked for
    :param shown: the URL in messages
    :raises Refused: in the fetcher's words
    """
    if status != _OK:
        said = f"wasm module download request failed: status code {status}"
        said = f"wasm module download failed after 1 attempts, last error: {said}"
        hint = "the URL of the module itself; no credentials are sent but those in the URL"
        if status == _BAD_REQUEST:
            hint += "; https://, if the server speaks TLS"
        raise (NotServed if status in _NOT_THERE else Refused)(said, "url", hint)
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
        said, hint = f"fetched Wasm binary from {shown} is invalid", "the URL of a Wasm module; "
        raise Refused(said, "url", hint + _UNPACKED, why=_what(body))
    return module


def _what(body: bytes) -> str:
    """Say which other file it is."""
    in_tar, last = False, b""
    for found in _contents(body):
        in_tar, last = _is_tar(last), found
    kind = next((kind for start, kind in _BEGINNINGS.items() if last.startswith(start)), "")
    if b"<html" in last[:_SCANNED].lower():
        kind = "a web page"
    elif _is_tar(last):
        kind = "a tar that begins with something other than a whole file"
    where = "the tar's first file" if in_tar else "it"
    return f"{where} is {kind or 'not a Wasm module'}"


def unboxed(origin: bytes) -> bytes:
    """Unwrap gzip and tar; return the input unchanged if one of them cannot be read.

    >>> import gzip
    >>> unboxed(gzip.compress(b"\\0asm\\1\\0\\0\\0"))
    b'\\x00asm\\x01\\x00\\x00\\x00'
    """
    last = origin
    for found in _contents(origin):  # one at a time: each may have the size of the limit
        last = found
    return last if _is_module(last) else origin


def _contents(origin: bytes) -> Iterator[bytes]:
    """The file, the content of that, and so on as far as it can be read."""
    found: bytes | None = origin
    for _ in range(_MOST_BOXES):
        if found is None:
            return
        yield found
        if _is_module(found):
            return
        if found[:2] == _GZIP and len(found) > len(_GZIP):
            found = _gunzipped(found)
        else:
            found = _first_file(found) if _is_tar(found) else None


def _is_tar(data: bytes) -> bool:
    end = _TAR_AT + len(_TAR)
    return data[_TAR_AT:end] == _TAR and len(data) > end


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
