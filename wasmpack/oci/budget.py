"""The cost that reading one image may have, whatever is asked of it.

A layer of a few kilobytes can unpack to gigabytes, and a header of a few bytes can announce a
million records. What is read of one image for one command shares a budget, so that ten layers cost
no more than one.
"""

from wasmpack.errors import BadArtifact

LIMIT = 256 << 20
"""Most bytes of a module or an unpacked layer: what the meshes read (Istio imagefetcher.go,
``docs/variants.md``)."""
UNPACKED = 2 * LIMIT
"""Bytes of all layers of an image."""
ENTRIES = 4 * 65_536
"""Tar headers; :data:`RECORDS` of PAX records, parts of sparse files, or folders around a module
count as one."""
RECORDS = 4

NAMES = 64 << 20
"""Bytes of names, which are remembered: 256 for each of the entries. One may have 1 MiB (format.go,
maxSpecialFileSize)."""


class Budget:
    """The bytes, entries and names that may still be read of one image."""

    def __init__(
        self, unpacked: int = UNPACKED, entries: int = ENTRIES, names: int = NAMES
    ) -> None:
        self._names = self._most_names = names
        self._unpacked = self._most_unpacked = unpacked
        self._entries = self._most_entries = entries

    def unpack(self, size: int) -> None:
        """Count bytes that came out of a layer.

        :raises BadArtifact: it was too much
        """
        self._unpacked -= size
        if self._unpacked < 0:
            raise _spent(f"layers of the image unpack to more than {self._most_unpacked >> 20} MiB")

    def enter(self, entries: int = 1, *, records: int = 0) -> None:
        """Count headers of a tar, and the records in them.

        :raises BadArtifact: it was too much
        """
        self._entries -= entries + records // RECORDS
        if self._entries < 0:
            raise _spent(f"layers of the image have more than {self._most_entries} entries")

    def remember(self, name: bytes) -> None:
        """Count the name of an entry.

        :raises BadArtifact: it was too much
        """
        self._names -= len(name)
        if self._names < 0:
            most = self._most_names >> 20
            raise _spent(f"entries of the image's layers have more than {most} MiB of names")


def _spent(what: str) -> BadArtifact:
    return BadArtifact(f"the {what}, which is all that is read of one image")
