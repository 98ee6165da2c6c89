"""One upload, as far as it came (distribution-spec, "Pushing blobs").

After a break the registry is asked how far it came, and the rest is sent; one that does not know
starts again.
"""

import contextlib
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from wasmpack.errors import RegistryUnavailable, WasmpackError
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.stores.registry.errors import Answer, push_refusal
from wasmpack.stores.registry.headers import received_bytes
from wasmpack.stores.registry.retries import RetryBudget, Transient
from wasmpack.stores.registry.transport import Transport
from wasmpack.stores.verified import Body, VerifiedStream

_CHUNK = 16 << 20
"""Bytes of a chunk, unless the registry asks for more."""
_LARGEST_CHUNK = 1 << 30
_LEAST_KEPT = 4
"""A registry that keeps less than this part of a chunk would have the rest sent for ever."""
_MAKE_IT = "some registries want the repository to be made there first"
_OCTETS = {"Content-Type": "application/octet-stream"}


class Upload:
    """One blob on its way, as far as it came."""

    def __init__(
        self,
        transport: Transport,
        blobs: str,
        descriptor: Descriptor,
        body: Body,
        what: str,
        retries: RetryBudget,
    ) -> None:
        self.descriptor = descriptor
        self.place = ""
        """The address for the next bytes; empty if no upload is open."""
        self.asked_to_mount = False
        self._transport = transport
        self._blobs = blobs
        self._body = body
        self._what = what
        self._retries = retries
        self._least = 0
        """Bytes of a chunk that the registry asks for."""
        self._offset = 0
        self._furthest = 0
        """Highest offset of all attempts: sending bytes again does not count as progress."""
        self._stream: VerifiedStream | None = None
        """The source of the chunks, read one after the other."""

    def ask(self, method: str, url: str, expect: set[int], *, hurry: bool = False) -> Answer:
        """A request without a body.

        :param url: absolute, or below the repository's blobs
        """
        url = url if "://" in url else self._blobs + url
        headers = {"Content-Length": "0"} if method in {"POST", "PUT"} else {}
        return self._send(method, url, expect, headers=headers, hint=_MAKE_IT, hurry=hurry)

    def ask_with_all(self, url: str) -> Answer:
        """Open the upload and send the whole blob with the same request."""
        headers = {**_OCTETS, "Content-Length": str(self.descriptor.size)}
        return self._send(
            "POST", self._blobs + url, {201, 202}, headers=headers, body=self._small_body
        )

    def _send(self, method: str, url: str, expect: set[int], **more: Any) -> Answer:
        more.setdefault("refused", push_refusal)
        return self._transport.attempt(method, url, self._what, expect, **more)

    def _small_body(self) -> bytes:
        with self._body() as stream:
            return b"".join(stream.chunks())

    def opened(self, answer: Answer) -> str:
        """Take in what the registry says of an upload that was opened: its place."""
        least = answer.headers.get("OCI-Chunk-Min-Length", "")
        self._least = int(least) if least.isdecimal() and len(least) < 11 else 0
        if self._least > _LARGEST_CHUNK:
            raise RegistryUnavailable(f"registry wants chunks of at least {self._least} bytes")
        self._offset = 0
        return _next(self._transport, answer)

    def send(self, chunk: int) -> None:
        """Send the bytes; after a break, those that are missing.

        :param chunk: bytes of a request; 0 for all of them in one, if the registry wants no chunks
        :raises Transient: the upload has to be opened again
        """
        whole = not chunk and not self._least and not self._offset
        try:
            while True:
                try:
                    self._whole() if whole else self._in_chunks(max(chunk or _CHUNK, self._least))
                except Transient as failure:
                    if self._is_there():
                        return
                    if not self._knows_how_far():
                        raise
                    self._retries.wait(failure)
                    whole = False
                else:
                    return
        except (Transient, WasmpackError) as failure:
            if isinstance(failure, WasmpackError):
                self._give_up()
            self.place = ""
            raise
        finally:
            if self._stream is not None:
                self._stream.close()
                self._stream = None

    def _whole(self) -> None:
        headers = {**_OCTETS, "Content-Length": str(self.descriptor.size)}
        url = _with_digest(self.place, self.descriptor.digest)
        self._send("PUT", url, {201, 202, 204}, headers=headers, body=self._body)

    def _in_chunks(self, chunk: int) -> None:
        while self._offset < self.descriptor.size:
            before = self._offset
            length = min(chunk, self.descriptor.size - before)
            self._chunk(length)
            if self._offset - before < max(1, length // _LEAST_KEPT):
                lost = RegistryUnavailable(f"cannot {self._what}: registry keeps too few bytes")
                raise Transient(lost)
            if self._offset > self._furthest:
                self._furthest = self._offset
                self._retries.progress()
        self.ask("PUT", _with_digest(self.place, self.descriptor.digest), {201, 202, 204})

    def _chunk(self, length: int) -> None:
        """Send one; the registry says where the next one goes, and from which byte."""
        first = self._offset
        headers = {
            **_OCTETS,
            "Content-Length": str(length),
            "Content-Range": f"{first}-{first + length - 1}",
        }
        body = partial(self._part, first, length)
        answer = self._send("PATCH", self.place, {202, 204, 416}, headers=headers, body=body)
        if answer.status == 416:
            refused = RegistryUnavailable(f"cannot {self._what}: registry refuses its bytes")
            if not self._knows_how_far() or self._offset == first:
                raise Transient(refused)
            return
        self.place = _next(self._transport, answer)
        received = received_bytes(answer.headers.get("Range", ""))
        end = first + length
        self._offset = end if received is None else received if received <= end else first

    def _part(self, offset: int, length: int) -> "_Part":
        return _Part(self._stream_at(offset), length)

    def _stream_at(self, offset: int) -> VerifiedStream:
        """The blob from there on; a chunk that is sent again has to be read again."""
        if self._stream is None or self._stream.position != offset:
            if self._stream is not None:
                self._stream.close()
            self._stream = self._body()
            self._stream.skip(offset)
        return self._stream

    def _is_there(self) -> bool:
        """True if the blob was taken, and only the answer was lost."""
        try:
            url = str(self.descriptor.digest)
            return self.ask("HEAD", url, {200, 404}, hurry=True).status == 200
        except (Transient, WasmpackError):
            return False

    def _knows_how_far(self) -> bool:
        """Ask where to go on; False if the registry has nothing of it, or does not say."""
        try:
            answer = self.ask("GET", self.place, {200, 202, 204}, hurry=True)
            received = received_bytes(answer.headers.get("Range", ""))
            if received is None or received > self.descriptor.size:
                return False
            if location := answer.headers.get("Location"):
                self.place = self._transport.follow(answer.url, location)
        except (Transient, WasmpackError):
            return False
        self._offset = received
        return True

    def _give_up(self) -> None:
        """Tell the registry that nothing more will come; it may not care."""
        with contextlib.suppress(Transient, WasmpackError):
            self.ask("DELETE", self.place, {200, 202, 204, 404}, hurry=True)


class _Part:
    """A stretch of a blob, as a body."""

    def __init__(self, stream: VerifiedStream, length: int) -> None:
        self._stream = stream
        self._left = self._length = length

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data

    def close(self) -> None:
        """The stream goes on with the next chunk."""


def _next(transport: Transport, answer: Answer) -> str:
    location = answer.headers.get("Location")
    if not location:
        raise RegistryUnavailable(f"registry {transport.registry}: answered without a Location")
    return transport.follow(answer.url, location)


def _with_digest(location: str, digest: Digest) -> str:
    """Add ``digest=``; the query the registry gave may be critical and stays as it is."""
    parts = urlsplit(location)
    query = "&".join(part for part in (parts.query, urlencode({"digest": str(digest)})) if part)
    return urlunsplit(parts._replace(query=query))
