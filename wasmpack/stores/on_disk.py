"""Layouts, and the local store, as places to read images from and to write them to."""

from collections.abc import Mapping, Sequence

from wasmpack.errors import DigestMismatch, WasmpackError
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.oci.reference import Reference
from wasmpack.stores.layout import Layout
from wasmpack.stores.ports import BlobStatus, ImageReader, ImageWriter, attached_tags
from wasmpack.stores.session import Session
from wasmpack.stores.verified import Body, Readable, VerifiedStream


class LayoutReader(ImageReader):
    """One image of a layout or of the local store."""

    def __init__(self, layout: Layout, descriptor: Descriptor, source: str) -> None:
        self._layout = layout
        self._descriptor = descriptor
        self._referrers: dict[Digest, list[Descriptor]] | None = None
        self.source = source

    def get(self, descriptor: Descriptor | None = None) -> Manifest | Index:
        return self._layout.get(descriptor or self._descriptor)

    def open_blob(self, descriptor: Descriptor) -> Readable:
        return self._layout.open_blob(descriptor)

    def read_at(self, descriptor: Descriptor, offset: int, size: int) -> bytes:
        return self._layout.read_at(descriptor, offset, size)

    def referrers(self, digest: Digest) -> Sequence[Descriptor]:
        if self._referrers is None:
            self._referrers = self._layout.referrers()
        return self._referrers.get(digest, [])

    def attached(self, digest: Digest) -> Mapping[str, Descriptor]:
        tags = attached_tags(digest)
        found = self._layout.entries()
        return {entry.name: entry.descriptor for entry in found if entry.name in tags}

    def repair(self, descriptor: Descriptor, damage: DigestMismatch) -> bool:
        raise type(damage)(
            f"{self._layout.blob_path(descriptor.digest)} is damaged: {damage.message}",
            hint="build or pull the image again",
        ) from damage


class LocalReader(LayoutReader):
    """One image of the local store, which has a name by which a registry may have it too."""

    def __init__(
        self,
        layout: Layout,
        descriptor: Descriptor,
        reference: Reference,
        session: Session,
    ) -> None:
        super().__init__(layout, descriptor, "local")
        self._reference = reference
        self._session = session

    def repair(self, descriptor: Descriptor, damage: DigestMismatch) -> bool:
        path = self._layout.blob_path(descriptor.digest)
        try:
            from wasmpack.stores.registry.repository import RegistryReader

            registry = RegistryReader(self._reference, self._session.registry, self._session.notice)
            with self._layout.writing():
                self._layout.put_blob(
                    descriptor,
                    lambda: VerifiedStream(registry.open_blob(descriptor), descriptor),
                )
        except WasmpackError as error:
            raise type(damage)(
                f"{path} is damaged: {damage.message}",
                hint=f"build the image again, or pull it: {error.message}",
            ) from error
        self._session.notice(f"{path} was damaged, and is pulled again from {self._reference.name}")
        return True


class LayoutWriter(ImageWriter):
    """Writes into a layout or the local store."""

    def __init__(self, layout: Layout, *, force: bool = True) -> None:
        """:param force: a name that points at another image is moved."""
        self.layout = layout
        self.force = force

    def has_blob(self, descriptor: Descriptor) -> bool:
        return self.layout.has_blob(descriptor)

    def put_blob(self, descriptor: Descriptor, body: Body) -> BlobStatus:
        self.layout.put_blob(descriptor, body)
        return BlobStatus.UPLOADED

    def put_manifest(self, manifest: Manifest | Index, names: Sequence[str | None]) -> None:
        self.layout.put_manifest(manifest, names, force=self.force)

    def put_referrer(self, manifest: Manifest | Index) -> None:
        self.layout.index.list_referrer(manifest)
