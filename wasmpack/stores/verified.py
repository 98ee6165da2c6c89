"""The stream that trusts nothing it reads."""

import io
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol, Self

from wasmpack.errors import DigestMismatch
from wasmpack.oci.descriptor import Descriptor

CHUNK = 1 << 20
"""Bytes read at once."""


class WrongContent(DigestMismatch):
    """As many bytes as the descriptor says, but others: only who reads to the end notices."""


Advance = Callable[[Descriptor, int], None]
"""Called with the descriptor and the number of bytes just moved."""


class Readable(Protocol):
    """The part of a file that an upload or a digest needs."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes, all that is left if negative; nothing at the end."""

    def close(self) -> None:
        """Free what is behind it."""


class VerifiedStream:
    """A stream that hands out its last bytes only if size and digest are the descriptor's.

    So whoever writes what it reads can never finish a wrong blob.

    :raises DigestMismatch: from :meth:`read`, also when there is more than the size says
    """

    def __init__(
        self,
        raw: Readable | BinaryIO,
        descriptor: Descriptor,
        advance: Advance | None = None,
        *,
        known: bool = False,
    ) -> None:
        """:param known: the bytes were verified before, or are ours: they are not hashed again."""
        self._raw = raw
        self._descriptor = descriptor
        self._hasher = None if known else descriptor.digest.hasher()
        self._seen = 0
        self._advance = advance

    def __len__(self) -> int:
        return self._descriptor.size

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks()

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes as they come, nothing at the end; all that is left if negative."""
        if size < 0:
            return self._rest()
        left = self._descriptor.size - self._seen
        want = min(size, left)
        data = self._raw.read(want) if want else b""
        if want and not data:
            self._finish(short=True)
        self._seen += len(data)
        if self._hasher:
            self._hasher.update(data)
        if self._seen == self._descriptor.size:
            self._finish(short=False)
        if self._advance and data:
            self._advance(self._descriptor, len(data))
        return data

    def _rest(self) -> bytes:
        """All that is left, which is never in memory twice, nor held by a traceback."""
        with io.BytesIO() as buffer:
            buffer.writelines(self.chunks())
            return buffer.getvalue()

    @property
    def position(self) -> int:
        """Bytes handed out so far."""
        return self._seen

    def skip(self, size: int) -> None:
        """Read so many bytes for the digest alone."""
        while size and (data := self.read(min(size, CHUNK))):
            size -= len(data)

    def chunks(self) -> Iterator[bytes]:
        """All of it, in pieces."""
        while data := self.read(CHUNK):
            yield data

    def drain(self) -> None:
        """Read to the end, only to see that the bytes are right."""
        for _ in self.chunks():
            pass

    def close(self) -> None:
        """Close what is read from."""
        self._raw.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _finish(self, *, short: bool) -> None:
        descriptor = self._descriptor
        if short or self._raw.read(1):
            compare = "less" if short else "more"
            raise DigestMismatch(
                f"blob {descriptor.digest}: {compare} than the {descriptor.size} bytes "
                "its descriptor says"
            )
        found = self._hasher.hexdigest() if self._hasher else descriptor.digest.hex
        if found != descriptor.digest.hex:
            raise WrongContent(
                f"blob {descriptor.digest}: its content has the digest "
                f"{descriptor.digest.algorithm}:{found}"
            )


Body = Callable[[], VerifiedStream]
"""Opens a blob's verified bytes; called again for every try."""
