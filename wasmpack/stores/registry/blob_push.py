"""Blobs on their way to a registry (distribution-spec, "Pushing blobs").

What can be mounted is not sent. A small blob goes with the request that opens the upload; others in
one PUT, or in chunks where the registry asks for them or takes no body of that size.
"""

from urllib.parse import urlencode

from wasmpack.errors import NotFound, RegistryUnavailable, WasmpackError
from wasmpack.oci.descriptor import Descriptor
from wasmpack.stores.ports import BlobStatus
from wasmpack.stores.registry.errors import TooLarge
from wasmpack.stores.registry.retries import Transient
from wasmpack.stores.registry.transport import Transport
from wasmpack.stores.registry.upload import Upload
from wasmpack.stores.verified import Body

_MODEST_CHUNK = 1 << 20
"""Chunk size if a single request is too large: the default limit of many proxies."""
_SMALL = 4096
"""Bytes that are sent along with the opening request, on the chance that they are taken."""


class BlobPush:
    """Mounts and uploads to one repository."""

    def __init__(self, transport: Transport, repository: str, mount_from: str = "") -> None:
        """:param mount_from: a repository of the same registry that may have the blobs."""
        self._transport = transport
        self._blobs = f"/v2/{repository}/blobs/"
        self._mount_from = mount_from
        self._short_way = True

    def send(self, descriptor: Descriptor, body: Body, what: str) -> BlobStatus:
        """Mount the blob, or send it.

        :raises DigestMismatch: the source gave other bytes; the registry then keeps none
        """
        retries = self._transport.retry_budget()
        upload = Upload(self._transport, self._blobs, descriptor, body, what, retries)

        def attempt(chunk: int = 0) -> BlobStatus:
            if self._may_mount(upload) and self._mount(upload):
                return BlobStatus.MOUNTED
            if not upload.place:
                upload.place = self._open(upload)
            if upload.place:
                upload.send(chunk)
            return BlobStatus.UPLOADED

        try:
            return retries.run(attempt)
        except TooLarge:
            return retries.run(lambda: attempt(_MODEST_CHUNK))

    def _may_mount(self, upload: Upload) -> bool:
        return bool(self._mount_from) and not upload.asked_to_mount

    def _mount(self, upload: Upload) -> bool:
        """True if it was mounted; else the registry may have opened an upload instead.

        One that refuses to mount is not asked again; the blob is sent instead.
        """
        upload.asked_to_mount = True
        asked = {"mount": str(upload.descriptor.digest), "from": self._mount_from}
        try:
            answer = upload.ask("POST", f"uploads/?{urlencode(asked)}", {201, 202})
        except WasmpackError:
            self._mount_from = ""
            return False
        if answer.status == 202:
            upload.place = upload.opened(answer)
        return answer.status == 201

    def _open(self, upload: Upload) -> str:
        """Open an upload; empty if the blob was taken at once."""
        if upload.descriptor.size <= _SMALL and self._short_way:
            asked = {"digest": str(upload.descriptor.digest)}
            try:
                answer = upload.ask_with_all(f"uploads/?{urlencode(asked)}")
            except Transient:
                self._short_way = False  # it may be this that the registry trips over
                raise
            except (RegistryUnavailable, NotFound):
                self._short_way = False
            else:
                return "" if answer.status == 201 else upload.opened(answer)
        return upload.opened(upload.ask("POST", "uploads/", {202}))
