"""A digest computed beside the work that moves the bytes: hashing lets other threads run."""

import queue
import threading

from wasmpack.oci.digest import Hasher

_WAITING = 4
"""Pieces that may wait to be hashed; whoever brings more waits too."""


class BesideHasher:
    """The same, in a thread of its own; for so many bytes that it pays."""

    def __init__(self, hasher: Hasher) -> None:
        self._hasher = hasher
        self._pieces: queue.Queue[bytes] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def update(self, data: bytes, /) -> None:
        """Hash it soon."""
        if data:
            self._pieces.put(data)

    def hexdigest(self) -> str:
        """Of all that was brought; no more may come."""
        self.close()
        return self._hasher.hexdigest()

    def close(self) -> None:
        """End the thread."""
        if self._thread.is_alive():
            self._pieces.put(b"")
            self._thread.join()

    def _work(self) -> None:
        while data := self._pieces.get():
            self._hasher.update(data)
