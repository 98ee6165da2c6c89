"""True if a blob's bytes keep coming: a few of them now and then are as good as none."""

import time

import requests

from wasmpack.errors import RegistryUnavailable
from wasmpack.stores.registry.deadline import Deadline
from wasmpack.stores.registry.failures import TRANSPORT_ERRORS, Peer, failed
from wasmpack.stores.registry.retries import Transient

SLOWEST = 1024
"""Bytes that have to arrive within the timeout."""
WAITS = 3
"""Timeouts that an answer may take in all, where bytes come but do not end."""
_PIECE = 1 << 16


class StallGuard:
    """Watches one answer's body."""

    def __init__(self, window: float) -> None:
        """:param window: seconds; in each of them so many bytes have to come."""
        self._window = window
        self._since = time.monotonic()
        self._bytes = 0

    def keeps(self, size: int) -> bool:
        """Note that so many bytes have come; False if they come too slowly."""
        self._bytes += size
        now = time.monotonic()
        if now - self._since < self._window:
            return True
        enough = self._bytes >= SLOWEST or not size
        self._since, self._bytes = now, 0
        return enough


class BlobBody:
    """A blob's answer, as long as its bytes keep coming.

    A deadline for each read besides: within one, chunk sizes and trailers may drip for ever.
    """

    def __init__(self, response: requests.Response, registry: str, timeout: float) -> None:
        self._response = response
        self._peer = Peer(host=registry)
        self._timeout = timeout
        self._guard = StallGuard(timeout)
        self._deadline = Deadline(WAITS * timeout)
        if not response.raw.closed:
            self._deadline.attach(response.raw.fileno())

    def read(self, size: int) -> bytes:
        """Up to so many bytes, as they come; nothing at the end.

        :raises Transient: it broke, or came too slowly
        """
        try:
            with self._deadline:
                data: bytes = self._response.raw.read1(size)
        except TRANSPORT_ERRORS as error:
            raise failed(error, self._peer, self._timeout, self._deadline) from error
        self._deadline.renew()
        if not self._guard.keeps(len(data)):
            slow = RegistryUnavailable(f"{self._peer}: too slow to go on with")
            raise Transient(slow, silence=self._timeout)
        return data

    def close(self) -> None:
        """Give the connection back."""
        self._deadline.detach()
        self._response.close()


def read_up_to(response: requests.Response, limit: int) -> bytes:
    """The body, decoded, or the first ``limit`` bytes of it."""
    pieces = []
    while limit and (data := response.raw.read1(min(limit, _PIECE), decode_content=True)):
        pieces.append(data)
        limit -= len(data)
    return b"".join(pieces)
