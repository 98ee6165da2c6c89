"""Whether bytes keep coming: a few of them now and then are as good as none."""

import time

import requests

SLOWEST = 1024
"""Bytes that have to arrive within the timeout."""
_PIECE = 1 << 16


class Pace:
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


def hurry(response: requests.Response, seconds: float) -> None:
    """Let what is still to come of this answer take no longer than that between two bytes."""
    connection = getattr(response.raw, "connection", None)
    socket = getattr(connection, "sock", None)
    if socket is not None:
        socket.settimeout(seconds)


def read_up_to(response: requests.Response, limit: int, window: float) -> bytes:
    """The body, decoded, or the first ``limit`` bytes of it.

    :raises requests.exceptions.ReadTimeout: it drips
    """
    pace, pieces = Pace(window), []
    while limit and (data := response.raw.read1(min(limit, _PIECE), decode_content=True)):
        pieces.append(data)
        limit -= len(data)
        if not pace.keeps(len(data)):
            raise requests.exceptions.ReadTimeout("the answer drips")
    return b"".join(pieces)
