"""A repository of a registry as a place to read images from and to write them to."""

import contextlib
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import IO

from wasmpack.errors import (
    AccessRefused,
    BadArtifact,
    NotFound,
    Notice,
    RegistryUnavailable,
    silence,
)
from wasmpack.oci.canonical import JsonObject, canonical_json, find, parse_json_object
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import Index, Manifest, artifact_type, parse
from wasmpack.oci.media_types import OCI_INDEX
from wasmpack.oci.reference import Reference
from wasmpack.stores.ports import BlobStatus, ImageReader, ImageWriter, attached_tags
from wasmpack.stores.registry.client import RegistryClient, referrers_tag
from wasmpack.stores.registry.errors import Unanswered
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.verified import CHUNK, Body, Readable

_LISTINGS = 6
"""Times that a referrer is added to a list which others write too."""
_PAUSE = 0.1
"""Most seconds between them."""


class RegistryReader(ImageReader):
    """One image of a registry (:class:`wasmpack.stores.ports.ImageReader`)."""

    source = "registry"

    def __init__(
        self, reference: Reference, options: RegistryOptions, notice: Notice = silence
    ) -> None:
        self.reference = reference
        self._client = RegistryClient(reference, options, notice=notice)
        self._spooled: dict[Digest, IO[bytes]] = {}

    @property
    def challenge(self) -> str:
        """How the registry asked us to identify ourselves; empty if it did not."""
        return self._client.challenge

    def get(self, descriptor: Descriptor | None = None) -> Manifest | Index:
        if descriptor is None:
            return self._client.manifest(self.reference.target)
        return self._client.manifest(str(descriptor.digest), descriptor.media_type)

    def open_blob(self, descriptor: Descriptor) -> Readable:
        return self._client.open_blob(descriptor)

    def read_at(self, descriptor: Descriptor, offset: int, size: int) -> bytes:
        if descriptor.digest not in self._spooled:
            found = self._client.read_at(descriptor, offset, size)
            if found is not None:
                return found
            self._spooled[descriptor.digest] = self._spool(descriptor)
        file = self._spooled[descriptor.digest]
        file.seek(offset)
        return file.read(size)

    def _spool(self, descriptor: Descriptor) -> IO[bytes]:
        """All of it in a temporary file, from a registry that knows no ranges."""
        file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this reader
        with closing(self.open_blob(descriptor)) as stream:
            left = descriptor.size
            while left and (data := stream.read(min(left, CHUNK))):
                file.write(data)
                left -= len(data)
        return file

    def referrers(self, digest: Digest) -> Sequence[Descriptor]:
        return self._client.referrers(digest)

    def attached(self, digest: Digest) -> Mapping[str, Descriptor]:
        found: dict[str, Descriptor] = {}
        for tag in attached_tags(digest):
            with contextlib.suppress(NotFound, AccessRefused, BadArtifact):
                found[tag] = self._client.manifest(tag).descriptor
        return found


class RegistryWriter(ImageWriter):
    """One repository to push to (:class:`wasmpack.stores.ports.ImageWriter`)."""

    def __init__(
        self,
        reference: Reference,
        options: RegistryOptions,
        notice: Notice = silence,
        *,
        mount_from: str = "",
        force: bool = False,
    ) -> None:
        """:param force: nothing counts as there already."""
        self._reference = reference
        self._force = force
        self._client = RegistryClient(
            reference, options, "pull,push", mount_from=mount_from, notice=notice
        )
        self._replaced: dict[str, Digest] = {}
        self._tracked: set[str] = set()
        """Manifests that the registry itself lists as referring to their subject."""

    @property
    def challenge(self) -> str:
        """How the registry asked us to identify ourselves; empty if it did not."""
        return self._client.challenge

    @property
    def replaced(self) -> Mapping[str, Digest]:
        return self._replaced

    def has_image(self, manifest: Manifest | Index, names: Sequence[str | None]) -> bool:
        if self._force:
            return False
        digest = manifest.digest
        targets = [name or str(digest) for name in names] or [str(digest)]
        try:
            return all(self._names(target, digest) for target in targets)
        except Unanswered:  # some let accounts push that may not look
            return False

    def _names(self, target: str, digest: Digest) -> bool:
        found = self._client.manifest_digest(target)
        if found is not None and found != digest:
            self._replaced[target] = found
        return found == digest

    def has_blob(self, descriptor: Descriptor) -> bool:
        return not self._force and self._client.has_blob(descriptor)

    def put_blob(self, descriptor: Descriptor, body: Body) -> BlobStatus:
        return self._client.put_blob(descriptor, body)

    def put_manifest(self, manifest: Manifest | Index, names: Sequence[str | None]) -> None:
        digest = str(manifest.digest)
        for target in [name or digest for name in names] or [digest]:
            if self._client.put_manifest(manifest, target):
                self._tracked.add(digest)

    def put_referrer(self, manifest: Manifest | Index) -> None:
        """By hand, for a registry without the API ("Referrers Tag Schema")."""
        if str(manifest.digest) in self._tracked or manifest.subject is None:
            return
        subject = manifest.subject.digest
        if any(row.digest == manifest.digest for row in self._client.referrers(subject)):
            return
        tag = referrers_tag(subject)
        for _ in range(_LISTINGS):
            if not self._list(manifest, tag):
                return
            time.sleep(random.uniform(0, _PAUSE))  # noqa: S311 - no secret
        raise RegistryUnavailable(
            f"{self._reference.name}:{tag}: others write this list of referrers at the same time"
        )

    def _list(self, manifest: Manifest | Index, tag: str) -> bool:
        """Add it to the list, unless it is there; a writer that read before us may drop it."""
        try:
            found = self._client.manifest(tag)
            body = parse_json_object(found.raw, tag)
        except NotFound:
            found, body = None, {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
        if isinstance(found, Index) and manifest.digest in {r.digest for r in found.manifests}:
            return False
        kept = find(body, list, "manifests") or []
        own: JsonObject = {
            **manifest.descriptor.as_json(),
            "artifactType": artifact_type(manifest),
            **({"annotations": dict(manifest.annotations)} if manifest.annotations else {}),
        }
        listed = canonical_json({**body, "manifests": [*kept, own]})
        self._client.put_manifest(parse(listed, OCI_INDEX), tag)
        return True
