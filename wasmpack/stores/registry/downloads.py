"""Blobs on their way from a registry (distribution-spec, "Pulling blobs").

A stream that breaks goes on where it broke, with a range request; what it hands out is verified by
whoever wraps it in :class:`wasmpack.stores.verified.VerifiedStream`. Parts of a blob can be read
without the rest, where the registry knows ranges.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing

import requests

from wasmpack.errors import RegistryUnavailable
from wasmpack.oci.descriptor import Descriptor
from wasmpack.stores.registry.headers import content_range
from wasmpack.stores.registry.retries import Transient
from wasmpack.stores.registry.stall import SLOWEST, BlobBody
from wasmpack.stores.registry.transport import Transport

_PIECE = 1 << 20
"""Bytes read at once."""


class BlobStream:
    """A blob's bytes in order, whatever the connection does."""

    def __init__(self, transport: Transport, url: str, descriptor: Descriptor, what: str) -> None:
        """Ask for the blob.

        :raises NotFound: no such blob
        """
        self._transport = transport
        self._url = url
        self._size = descriptor.size
        self._what = what
        self._retries = transport.retry_budget()
        self._position = 0
        self._since_failure = 0
        self._body = self._retries.run(lambda: self._open({200}))

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes, as they come; nothing at the end."""
        while True:
            try:
                data = self._body.read(size)
            except Transient as failure:
                if self._position >= self._size:
                    return b""  # all of it is here, whatever was to follow
                self._retries.wait(failure)
                self._since_failure = 0
                self._go_on()
                continue
            self._position += len(data)
            self._since_failure += len(data)
            if self._since_failure >= SLOWEST:
                self._retries.progress()
            return data

    def _go_on(self) -> None:
        """Ask for the rest; a registry without ranges sends all of it again.

        :raises WasmpackError: there is no hope
        """
        self._body.close()
        self._body = self._retries.run(self._rest)

    def _rest(self) -> BlobBody:
        headers = {"Range": f"bytes={self._position}-"} if self._position else {}
        return self._open({200, 206}, headers)

    def _open(self, expect: set[int], headers: Mapping[str, str] | None = None) -> BlobBody:
        """The blob's bytes from the position on."""
        response = self._transport.open(self._url, self._what, expect, headers)
        if response.status_code == 206 and _begins(response) != self._position:
            response.close()
            raise RegistryUnavailable(f"cannot {self._what}: registry sent another range")
        body = _body_of(response, self._transport)
        skipped = self._position if response.status_code == 200 else 0
        try:
            for _ in _pieces(body, skipped):
                pass  # it was all here before
        except Transient:
            body.close()
            raise
        return body

    def close(self) -> None:
        """Give the connection back."""
        self._body.close()


def _body_of(response: requests.Response, transport: Transport) -> BlobBody:
    return BlobBody(response, transport.registry, transport.options.timeout)


def read_part(transport: Transport, url: str, offset: int, size: int, what: str) -> bytes | None:
    """Some bytes of a blob, not verified; None if the registry knows no ranges."""
    headers = {"Range": f"bytes={offset}-{offset + size - 1}"}

    def attempt() -> bytes | None:
        response = transport.open(url, what, {200, 206, 416}, headers)
        with closing(_body_of(response, transport)) as body:
            if response.status_code == 416:
                return b""
            if response.status_code == 200 or _begins(response) != offset:
                return None
            data = b"".join(_pieces(body, size))
            if len(data) < size and not _reaches_end(response, offset + len(data)):
                raise Transient(RegistryUnavailable(f"cannot {what}: the answer ended early"))
            return data

    return transport.retry_budget().run(attempt)


def _pieces(body: BlobBody, size: int) -> Iterator[bytes]:
    while size and (data := body.read(min(size, _PIECE))):
        yield data
        size -= len(data)


def _reaches_end(response: requests.Response, end: int) -> bool:
    """True if the blob has no more bytes, as far as the registry says."""
    found = content_range(response.headers.get("Content-Range", ""))
    return found is None or found[1] is None or found[1] <= end


def _begins(response: requests.Response) -> int | None:
    found = content_range(response.headers.get("Content-Range", ""))
    return found[0] if found else None
