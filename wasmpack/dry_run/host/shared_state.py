"""State that the instances of one plugin share inside a proxy: data and queues.

A proxy makes several instances of a module while it loads it, and each sees what the ones before
left there (proxy-wasm-cpp-host, src/shared_data.cc, src/shared_queue.cc).
"""

from collections import deque

from wasmpack.dry_run.host.memory import Kept


class SharedState:
    """Shared by name; bounded."""

    def __init__(self) -> None:
        self.metrics: dict[tuple[int, bytes], int] = {}
        """Values by type and name: the proxy has each of them once."""
        self._data: dict[bytes, tuple[bytes, int]] = {}
        self._queues: list[deque[bytes]] = []
        self._numbers: dict[bytes, int] = {}
        self._next_cas = 1
        self._kept = Kept("shared data")

    def get(self, key: bytes) -> tuple[bytes, int] | None:
        """The value and its number for compare-and-swap."""
        return self._data.get(key)

    def set(self, key: bytes, value: bytes, cas: int) -> bool:
        """Store, unless another has been there since; a key that is not there takes any number."""
        current = self._data.get(key)
        if cas and current is not None and current[1] != cas:
            return False
        self._kept.add(len(key) + len(value))
        self._data[key] = (value, self._next_cas)
        self._next_cas += 1
        return True

    def register(self, name: bytes) -> int:
        """The number of the queue of that name; created if absent."""
        self._kept.add(len(name))
        if name not in self._numbers:
            self._queues.append(deque())
            self._numbers[name] = len(self._queues)
        return self._numbers[name]

    def resolve(self, name: bytes) -> int | None:
        """The number of the queue of that name; None if absent."""
        return self._numbers.get(name)

    def queue(self, number: int) -> deque[bytes] | None:
        """Its items; the first one is the next."""
        return self._queues[number - 1] if 0 < number <= len(self._queues) else None

    def enqueue(self, queue: deque[bytes], value: bytes) -> None:
        """Add an item."""
        self._kept.add(len(value))
        queue.append(value)
