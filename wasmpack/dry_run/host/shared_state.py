"""What the instances of one plugin share inside a proxy: data and queues.

A proxy makes several instances of a module while it loads it, and each sees what the ones before
left there (proxy-wasm-cpp-host, src/shared_data.cc, src/shared_queue.cc).
"""

from wasmpack.dry_run.host.wasi import KEPT_LIMIT, OverLimit


class SharedState:
    """Shared by name; bounded."""

    def __init__(self) -> None:
        self._data: dict[bytes, tuple[bytes, int]] = {}
        self._queues: dict[bytes, list[bytes]] = {}
        self._next_cas = 1
        self._kept = 0

    def get(self, key: bytes) -> tuple[bytes, int] | None:
        """The value and its number for compare-and-swap."""
        return self._data.get(key)

    def set(self, key: bytes, value: bytes, cas: int) -> bool:
        """Store, unless another has been there since; a key that is not there takes any number."""
        current = self._data.get(key)
        if cas and current is not None and current[1] != cas:
            return False
        self._keep(len(key) + len(value))
        self._data[key] = (value, self._next_cas)
        self._next_cas += 1
        return True

    def register(self, name: bytes) -> int:
        """The number of the queue of that name; it is made if there is none."""
        self._keep(len(name))
        self._queues.setdefault(name, [])
        return self.resolve(name)

    def resolve(self, name: bytes) -> int:
        """The number of the queue of that name; 0 if there is none."""
        return list(self._queues).index(name) + 1 if name in self._queues else 0

    def queue(self, number: int) -> list[bytes] | None:
        """Its items; the first one is the next."""
        if not 0 < number <= len(self._queues):
            return None
        return list(self._queues.values())[number - 1]

    def enqueue(self, queue: list[bytes], value: bytes) -> None:
        """Add an item."""
        self._keep(len(value))
        queue.append(value)

    def _keep(self, size: int) -> None:
        self._kept += size + 64
        if self._kept > KEPT_LIMIT:
            raise OverLimit(f"more than {KEPT_LIMIT} bytes of shared data")
