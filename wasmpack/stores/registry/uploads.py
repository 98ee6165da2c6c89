"""One blob on its way to a registry (distribution-spec, "Pushing blobs").

What is there already, or can be mounted, is not sent. A small blob goes with the request that
opens the upload; others in one PUT, or in chunks where the registry asks for them or takes no body
of that size. After a break the registry is asked how far it came, and the rest is sent; one that
does not know starts anew.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

import requests

from wasmpack.errors import RegistryUnavailable, WasmpackError
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.digest import Digest
from wasmpack.stores.ports import BlobStatus
from wasmpack.stores.registry.answers import TooLarge
from wasmpack.stores.registry.patience import Patience, Transient
from wasmpack.stores.registry.transport import Transport
from wasmpack.stores.verified import Body, VerifiedStream

_CHUNK = 16 << 20
"""Bytes of a chunk, unless the registry asks for more."""
_LARGEST_CHUNK = 1 << 30
_SMALL = 4096
"""Bytes that are sent along with the opening request, on the chance that they are taken."""
_OCTETS = {"Content-Type": "application/octet-stream"}
_RANGE = re.compile(r"(?:bytes=)?0-([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an upload that is open takes its bytes."""

    url: str
    chunk: int = 0
    """Least bytes of a chunk that the registry asks for; 0 if it asks for none."""


class Uploads:
    """Uploads to one repository."""

    def __init__(self, transport: Transport, repository: str, mount_from: str = "") -> None:
        """:param mount_from: a repository of the same registry that may have the blobs."""
        self._transport = transport
        self._url = f"/v2/{repository}/blobs/uploads/"
        self._mount_from = mount_from

    def send(self, descriptor: Descriptor, body: Body, what: str) -> BlobStatus:
        """Mount the blob, or send it.

        :raises DigestMismatch: the source gave other bytes; the registry then keeps none
        """
        patience = self._transport.patience()

        def attempt(*, chunked: bool = False) -> BlobStatus:
            upload = _Upload(self._transport, descriptor, body, what, patience)
            place = self._open(upload)
            if place is None:
                return BlobStatus.MOUNTED
            if place.url:
                upload.send(place, chunked=chunked)
            return BlobStatus.UPLOADED

        try:
            return patience.through(attempt)
        except TooLarge:
            return patience.through(lambda: attempt(chunked=True))

    def _open(self, upload: "_Upload") -> _Place | None:
        """Open an upload; None if the blob was mounted, an empty place if it was taken at once."""
        digest = str(upload.descriptor.digest)
        if self._mount_from:
            asked = {"mount": digest, "from": self._mount_from}
            response = upload.ask("POST", f"{self._url}?{urlencode(asked)}", {201, 202})
            return None if response.status_code == 201 else self._place(response)
        if upload.descriptor.size <= _SMALL:
            try:
                response = upload.ask_with_all(f"{self._url}?{urlencode({'digest': digest})}")
            except RegistryUnavailable:  # does not know the short way
                pass
            else:
                return _Place("") if response.status_code == 201 else self._place(response)
        return self._place(upload.ask("POST", self._url, {202}))

    def _place(self, response: requests.Response) -> _Place:
        least = response.headers.get("OCI-Chunk-Min-Length", "")
        chunk = int(least) if least.isdecimal() and len(least) < 11 else 0
        if chunk > _LARGEST_CHUNK:
            raise RegistryUnavailable(f"registry wants chunks of at least {chunk} bytes")
        return _Place(_next(self._transport, response), chunk)


class _Upload:
    """One try to get one blob there."""

    def __init__(
        self,
        transport: Transport,
        descriptor: Descriptor,
        body: Body,
        what: str,
        patience: Patience,
    ) -> None:
        self._transport = transport
        self.descriptor = descriptor
        self._body = body
        self._what = what
        self._patience = patience
        self._stream: VerifiedStream | None = None
        """What chunks are read from, one after the other."""

    def ask(self, method: str, url: str, expect: set[int]) -> requests.Response:
        """A request without a body."""
        headers = {"Content-Length": "0"}
        with self._transport.attempt(method, url, self._what, expect, headers=headers) as response:
            return response

    def ask_with_all(self, url: str) -> requests.Response:
        """Open the upload and send the whole blob with the same request."""
        headers = {**_OCTETS, "Content-Length": str(self.descriptor.size)}
        with self._transport.attempt(
            "POST", url, self._what, {201, 202}, headers=headers, body=self._small_body
        ) as response:
            return response

    def _small_body(self) -> bytes:
        with self._body() as stream:
            return b"".join(stream.chunks())

    def send(self, place: _Place, *, chunked: bool) -> None:
        """Send the bytes; after a break, those that are missing."""
        try:
            if chunked or place.chunk:
                self._in_chunks(place, 0)
            else:
                self._whole(place)
        except Transient as failure:
            found = self._how_far(place)
            if found is None:
                raise
            self._patience.wait(failure)
            self._in_chunks(*found)
        except WasmpackError:
            self._give_up(place)
            raise
        finally:
            if self._stream is not None:
                self._stream.close()

    def _whole(self, place: _Place) -> None:
        headers = {**_OCTETS, "Content-Length": str(self.descriptor.size)}
        url = _with_digest(place.url, self.descriptor.digest)
        self._transport.attempt(
            "PUT", url, self._what, {201, 202, 204}, headers=headers, body=self._body
        ).close()

    def _in_chunks(self, place: _Place, offset: int) -> None:
        size = self.descriptor.size
        while offset < size:
            try:
                place, offset = self._chunk(place, offset)
                self._patience.progress()
            except Transient as failure:
                found = self._how_far(place)
                if found is None:
                    raise
                self._patience.wait(failure)
                place, offset = found
        url = _with_digest(place.url, self.descriptor.digest)
        self.ask("PUT", url, {201, 202, 204})

    def _chunk(self, place: _Place, offset: int) -> tuple[_Place, int]:
        """Send one chunk; where the next one goes, and from which byte."""
        length = min(max(_CHUNK, place.chunk), self.descriptor.size - offset)
        headers = {
            **_OCTETS,
            "Content-Length": str(length),
            "Content-Range": f"{offset}-{offset + length - 1}",
        }
        with self._transport.attempt(
            "PATCH", place.url, self._what, {202, 204, 416}, headers=headers,
            body=lambda: _Part(self._stream_at(offset), length),
        ) as response:  # fmt: skip
            if response.status_code != 416:
                following = _Place(_next(self._transport, response), place.chunk)
                return following, _received(response, offset + length)
        found = self._how_far(place)
        if found is None:
            raise Transient(RegistryUnavailable(f"cannot {self._what}: the upload was lost"))
        if found[1] == offset:
            raise RegistryUnavailable(f"cannot {self._what}: registry refuses bytes {offset}-")
        return found

    def _stream_at(self, offset: int) -> VerifiedStream:
        """The blob from there on; a chunk that is sent again has to be read again."""
        if self._stream is None or self._stream.position != offset:
            if self._stream is not None:
                self._stream.close()
            self._stream = self._body()
            self._stream.skip(offset)
        return self._stream

    def _how_far(self, place: _Place) -> tuple[_Place, int] | None:
        """Where to go on; None if the registry has nothing of it, or does not say."""
        try:
            response = self.ask("GET", place.url, {200, 202, 204})
        except (Transient, WasmpackError):
            return None
        received = _received(response, 0)
        if not 0 < received <= self.descriptor.size:
            return None
        location = response.headers.get("Location")
        url = self._transport.absolute(response.url, location) if location else place.url
        return _Place(url, place.chunk), received

    def _give_up(self, place: _Place) -> None:
        """Tell the registry that nothing more will come; it may not care."""
        try:
            self.ask("DELETE", place.url, {200, 202, 204, 404})
        except (Transient, WasmpackError):
            return


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


def _next(transport: Transport, response: requests.Response) -> str:
    location = response.headers.get("Location")
    if not location:
        raise RegistryUnavailable(f"registry {transport.registry}: answered without a Location")
    return transport.absolute(response.url, location)


def _received(response: requests.Response, otherwise: int) -> int:
    """Bytes that the registry has (``Range: 0-LAST``)."""
    found = _RANGE.fullmatch(response.headers.get("Range", "").strip())
    return int(found[1]) + 1 if found and found[1] != "0" else otherwise


def _with_digest(location: str, digest: Digest) -> str:
    """Add ``digest=``; the query the registry gave may be critical and stays as it is."""
    parts = urlsplit(location)
    query = "&".join(part for part in (parts.query, urlencode({"digest": str(digest)})) if part)
    return urlunsplit(parts._replace(query=query))
