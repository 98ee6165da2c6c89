"""Content digests (OCI image-spec, descriptor.md, "Digests").

>>> str(Digest.of(b"{}"))
'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Protocol, Self

from wasmpack.errors import WrongUsage

_LENGTHS = {"sha256": 64, "sha512": 128}
"""Registered algorithms and their length in hexadecimal digits (descriptor.md)."""
_HEX = re.compile(r"[0-9a-f]+")
_SHOWN = 160
"""Characters of a wrong one in the error."""


class Hasher(Protocol):
    """The part of :mod:`hashlib`'s objects that is used."""

    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """``algorithm:hex``; one that exists is well-formed, so its parts may become file names."""

    algorithm: str
    hex: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``sha256:<64 hex>`` or ``sha512:<128 hex>``, lower case.

        :raises WrongUsage: anything else
        """
        algorithm, colon, digits = text.partition(":")
        expected = _LENGTHS.get(algorithm)
        if not colon or expected is None or len(digits) != expected or not _HEX.fullmatch(digits):
            raise WrongUsage(
                f"{text[:_SHOWN]!r} is not a digest: expected sha256: and 64 lower-case "
                "hexadecimal digits"
            )
        return cls(algorithm, digits)

    @classmethod
    def of(cls, data: bytes) -> Self:
        """The sha256 digest of these bytes."""
        return cls("sha256", hashlib.sha256(data).hexdigest())

    def hasher(self) -> Hasher:
        """A fresh hash object of this digest's algorithm, for bytes that arrive in pieces."""
        return hashlib.new(self.algorithm)

    def matches(self, data: bytes) -> bool:
        """Whether these bytes are the ones this digest names."""
        hasher = self.hasher()
        hasher.update(data)
        return hasher.hexdigest() == self.hex

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"
