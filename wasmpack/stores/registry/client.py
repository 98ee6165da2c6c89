"""The distribution-spec's calls on one repository: manifests, blobs, tags, referrers."""

import contextlib
from collections.abc import Sequence
from urllib.parse import quote

from wasmpack.errors import (
    BadArtifact,
    DigestMismatch,
    NotFound,
    Notice,
    WrongUsage,
    silence,
)
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import MAX_MANIFEST, Index, Manifest, parse
from wasmpack.oci.media_types import ACCEPTED, OCI_INDEX
from wasmpack.oci.reference import Reference
from wasmpack.redaction import shown
from wasmpack.stores.ports import BlobStatus
from wasmpack.stores.registry.blob_push import BlobPush
from wasmpack.stores.registry.downloads import BlobStream, read_part
from wasmpack.stores.registry.errors import (
    Answer,
    Unanswered,
    deletion_refusal,
    manifest_refusal,
)
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.registry.pages import Listing, NoListing
from wasmpack.stores.registry.transport import Transport
from wasmpack.stores.verified import Body, Readable

_ACCEPT = {"Accept": ", ".join(ACCEPTED)}
_NO_REFERRERS = {400, 403, 404, 405, 406, 410, 415, 501}
"""Answers of registries, and proxies in front of them, without the referrers API."""
_STATED = "Docker-Content-Digest"
_LONGEST_DIGEST = 200
"""Characters of an invalid digest that are repeated."""


class RegistryClient:
    """One repository; ``actions`` is the scope its tokens get."""

    def __init__(
        self,
        reference: Reference,
        options: RegistryOptions,
        actions: str = "pull",
        *,
        mount_from: str = "",
        notice: Notice = silence,
    ) -> None:
        """:param mount_from: a repository of the same registry that may have the same blobs
        :param notice: told of every try that failed, and what the registry has to say
        """
        self._reference = reference
        self._transport = options.shared(
            (reference.name, reference.names_registry, actions, mount_from, notice),
            lambda: Transport(reference, options, actions, mount_from, notice=notice),
        )
        self._root = f"/v2/{reference.repository}"
        self._uploads = BlobPush(self._transport, reference.repository, mount_from)

    @property
    def challenge(self) -> str:
        """How the registry asked us to identify ourselves; empty if it did not."""
        return self._transport.challenge

    def manifest(self, target: str, media_type: str = "") -> Manifest | Index:
        """A manifest or index by tag or digest; by digest its bytes are verified.

        :raises NotFound: no such tag or repository
        :raises DigestMismatch: other bytes than asked for, or than the registry says it sent
        """
        what = f"read the manifest of {self._named(target)}"
        answer = self._transport.request(
            "GET",
            self._manifest_url(target),
            what,
            {200},
            headers=_ACCEPT,
            most=MAX_MANIFEST,
            hint=f"wasmpack tags {self._reference.name}",
        )
        if len(answer.body) > MAX_MANIFEST:
            raise BadArtifact(f"{self._reference}: a manifest of more than {MAX_MANIFEST} bytes")
        self._check(answer, target)
        served = answer.headers.get("Content-Type", "")
        digest = Digest.parse(target) if ":" in target else None
        return parse(answer.body, media_type or answer.media_type, served=served, digest=digest)

    def manifest_digest(self, target: str) -> Digest | None:
        """The digest of a tag, as the registry reports it; None if it has no such tag.

        :raises Unanswered: it answers neither ``HEAD`` nor ``GET``
        """
        url, what = self._manifest_url(target), f"ask for the manifest of {self._named(target)}"
        with contextlib.suppress(Unanswered):
            answer = self._transport.ask("HEAD", url, what, headers=_ACCEPT)
            if answer.status == 404:
                return None
            if stated := _stated_digest(answer):
                return stated
        answer = self._transport.ask("GET", url, what, headers=_ACCEPT, most=MAX_MANIFEST)
        return Digest.of(answer.body) if answer.status == 200 else None

    def put_manifest(self, manifest: Manifest | Index, target: str) -> bool:
        """Store the exact bytes under a tag or digest, and see that the registry agrees.

        Whether the registry keeps track of the image that this one refers to (``OCI-Subject``).

        :raises DigestMismatch: it says it stored something else
        """
        own = manifest.digest
        tagging = own.algorithm != Digest.DEFAULT and ":" not in target
        answer = self._transport.request(
            "PUT",
            f"{self._manifest_url(str(own))}?tag={target}"
            if tagging
            else self._manifest_url(target),
            f"push the manifest to {self._named(target)}",
            {200, 201, 202},
            headers={"Content-Type": manifest.media_type},
            body=lambda: manifest.raw,
            refused=manifest_refusal,
        )
        if tagging or _stated_digest(answer) != own:
            self._check_stored(answer, manifest, target)
        return "OCI-Subject" in answer.headers

    def delete(self, digest: Digest) -> None:
        """Delete a manifest, and so all its tags (distribution-spec, "Content Management").

        :raises NotFound: no such manifest
        :raises RegistryUnavailable: the registry does not allow it
        """
        what = f"delete {self._named(str(digest))}"
        url = self._manifest_url(str(digest))
        self._transport.request("DELETE", url, what, {200, 202, 204}, refused=deletion_refusal)

    def _check_stored(self, answer: Answer, manifest: Manifest | Index, target: str) -> None:
        """Ask for the digest again, which the answer to the push left open, or reported wrong.

        :raises DigestMismatch: other bytes are stored
        """
        try:
            stored = self.manifest_digest(target)
        except Unanswered:
            stored = None if _STATED in answer.headers else manifest.digest
        if stored != manifest.digest:
            raise DigestMismatch(
                f"{self._named(target)}: registry answered: the digest is "
                f"{stored or _stated(answer) or None}, but {manifest.digest} was pushed"
            )
        self._compare(answer, manifest.digest)

    def has_blob(self, descriptor: Descriptor) -> bool:
        """True if the registry has the blob (distribution-spec, "Checking if content exists").

        False if it does not say: a blob that is sent again does no harm.
        """
        what = f"ask for blob {descriptor.digest} in {self._reference.name}"
        try:
            return self._transport.ask("HEAD", self._blob_url(descriptor), what).status == 200
        except Unanswered:
            return False

    def open_blob(self, descriptor: Descriptor) -> Readable:
        """A blob's bytes as they arrive, not verified.

        :raises NotFound: no such blob
        """
        return BlobStream(
            self._transport, self._blob_url(descriptor), descriptor, self._reading(descriptor)
        )

    def read_at(self, descriptor: Descriptor, offset: int, size: int) -> bytes | None:
        """Some of a blob's bytes, not verified; None if the registry knows no ranges."""
        url, what = self._blob_url(descriptor), self._reading(descriptor)
        return read_part(self._transport, url, offset, size, what)

    def put_blob(self, descriptor: Descriptor, body: Body) -> BlobStatus:
        """Mount or upload it."""
        what = f"push blob {descriptor.digest} to {self._reference.name}"
        return self._uploads.send(descriptor, body, what)

    def tags(self) -> Sequence[str]:
        """All tags, following the pages the registry offers.

        :raises NotFound: no such repository
        """
        what = f"list the tags of {self._reference.name}"
        listing = Listing(self._transport, what, "tags")
        return [listing.text(row) for row in listing.rows(f"{self._root}/tags/list", {200})]

    def referrers(self, digest: Digest) -> tuple[Descriptor, ...]:
        """Referrers of an image (distribution-spec, "Listing Referrers"), by API or by tag."""
        what = f"list what refers to {self._reference.name}@{digest}"
        listing = Listing(self._transport, what, "manifests", accept=OCI_INDEX)
        url = f"{self._root}/referrers/{quote(str(digest), safe=':')}"
        try:
            rows = listing.rows(url, _NO_REFERRERS | {200})
            return tuple(listing.descriptor(row) for row in rows)
        except NoListing:
            return self._referrers_by_tag(digest)

    def _referrers_by_tag(self, digest: Digest) -> tuple[Descriptor, ...]:
        """Distribution-spec, "Referrers Tag Schema"."""
        try:
            found = self.manifest(referrers_tag(digest))
        except NotFound:
            return ()
        return found.manifests if isinstance(found, Index) else ()

    def _check(self, answer: Answer, target: str) -> None:
        """The body is the truth: a header that disagrees matters where a digest was asked for.

        :raises DigestMismatch: other bytes than asked for
        """
        if ":" not in target:
            return self._compare(answer, Digest.of(answer.body))
        stated = _stated(answer)
        for expected in (target, *([stated] if stated else ())):
            if not _matches(expected, answer.body):
                raise DigestMismatch(
                    f"{self._reference}: registry answered with a manifest whose digest is "
                    f"{Digest.of(answer.body)}, not {expected}"
                )
        return None

    def _compare(self, answer: Answer, digest: Digest) -> None:
        """Warn of a header that does not state this digest."""
        if (stated := _stated(answer)) and _stated_digest(answer) != digest:
            self._transport.warn(
                f"warning: registry {self._reference.registry} reports the digest {stated!r} "
                f"for a manifest whose digest is {digest}"
            )

    def _named(self, target: str) -> str:
        return f"{self._reference.name}{'@' if ':' in target else ':'}{target}"

    def _reading(self, descriptor: Descriptor) -> str:
        return f"read blob {descriptor.digest} of {self._reference.name}"

    def _manifest_url(self, target: str) -> str:
        return f"{self._root}/manifests/{target}"

    def _blob_url(self, descriptor: Descriptor) -> str:
        return f"{self._root}/blobs/{descriptor.digest}"


def referrers_tag(digest: Digest) -> str:
    """The tag that lists what refers to an image (distribution-spec, "Referrers Tag Schema")."""
    return f"{digest.algorithm[:32]}-{digest.hex[:64]}"


def _stated(answer: Answer) -> str:
    """The registry's words for the digest of a manifest, fit to be repeated."""
    return shown(answer.headers.get(_STATED, ""), _LONGEST_DIGEST)


def _stated_digest(answer: Answer) -> Digest | None:
    """The digest that the registry reports; None without one, or if it is malformed."""
    try:
        return Digest.parse(answer.headers.get(_STATED, ""))
    except WrongUsage:
        return None


def _matches(digest: str, data: bytes) -> bool:
    try:
        return Digest.parse(digest).matches(data)
    except WrongUsage:
        return False
