"""Blobs on their way from a registry (distribution-spec, "Pulling blobs").

A stream that breaks goes on where it broke, with a range request; what it hands out is verified by
whoever wraps it in :class:`wasmpack.stores.verified.VerifiedStream`. Parts of a blob can be read
without the rest, where the registry knows ranges.
"""

import re

import requests

from wasmpack.errors import RegistryUnavailable
from wasmpack.oci.descriptor import Descriptor
from wasmpack.stores.registry.answers import TRANSPORT_ERRORS, failed
from wasmpack.stores.registry.pace import SLOWEST, Pace, read_up_to
from wasmpack.stores.registry.patience import Transient
from wasmpack.stores.registry.transport import Transport

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/(?:[0-9]{1,18}|\*)")


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
        self._silence = transport.options.timeout
        self._patience = transport.patience()
        self._position = 0
        self._since_failure = 0
        self._response = transport.request("GET", url, what, {200})
        self._pace = Pace(transport.options.timeout)

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes, as they come; nothing at the end."""
        while True:
            try:
                data = self._read(size)
            except Transient as failure:
                if self._position >= self._size:
                    return b""  # all of it is here, whatever was to follow
                self._patience.wait(failure)
                self._since_failure = 0
                self._go_on()
                continue
            self._position += len(data)
            self._since_failure += len(data)
            if self._since_failure >= SLOWEST:
                self._patience.progress()
            return data

    def _read(self, size: int) -> bytes:
        try:
            raw = self._response.raw
            data: bytes = raw.read1(size) if size >= 0 else raw.read()
        except TRANSPORT_ERRORS as error:
            raise failed(error, self._transport.registry, self._silence) from error
        if not self._pace.keeps(len(data)):
            registry = self._transport.registry
            slow = RegistryUnavailable(f"registry {registry}: too slow to go on with")
            raise Transient(slow, silence=self._silence)
        return data

    def _go_on(self) -> None:
        """Ask for the rest; a registry without ranges sends all of it again.

        :raises WasmpackError: there is no hope
        """
        self._response.close()
        self._response = self._patience.through(self._rest)
        self._pace = Pace(self._transport.options.timeout)

    def _rest(self) -> requests.Response:
        headers = {"Range": f"bytes={self._position}-"} if self._position else {}
        response = self._transport.attempt(
            "GET", self._url, self._what, {200, 206}, headers=headers
        )
        skip = self._position if response.status_code == 200 else 0
        if response.status_code == 206 and _begins(response) != self._position:
            response.close()
            raise RegistryUnavailable(f"cannot {self._what}: registry sent another range")
        try:
            while skip and (data := read_up_to(response, min(skip, 1 << 20), self._silence)):
                skip -= len(data)
        except TRANSPORT_ERRORS as error:
            response.close()
            raise failed(error, self._transport.registry, self._silence) from error
        return response

    def close(self) -> None:
        """Give the connection back."""
        self._response.close()


def read_part(transport: Transport, url: str, offset: int, size: int, what: str) -> bytes | None:
    """Some bytes of a blob, not verified; None if the registry knows no ranges."""
    headers = {"Range": f"bytes={offset}-{offset + size - 1}"}

    def attempt() -> bytes | None:
        with transport.attempt("GET", url, what, {200, 206, 416}, headers=headers) as response:
            if response.status_code == 416:
                return b""
            if response.status_code == 200 or _begins(response) != offset:
                return None
            try:
                data = read_up_to(response, size, transport.options.timeout)
            except TRANSPORT_ERRORS as error:
                raise failed(error, transport.registry, transport.options.timeout) from error
            if len(data) < size and not _reaches_end(response, offset + len(data)):
                broken = RegistryUnavailable(f"cannot {what}: the answer ended early")
                raise Transient(broken)
            return data

    return transport.patience().through(attempt)


def _reaches_end(response: requests.Response, end: int) -> bool:
    """Whether the blob has no more bytes, as far as the registry says."""
    total = response.headers.get("Content-Range", "").rpartition("/")[2]
    return not total.isdecimal() or int(total) <= end


def _begins(response: requests.Response) -> int | None:
    found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    return int(found[1]) if found else None
