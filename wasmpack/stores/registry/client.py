"""The distribution-spec's calls on one repository: manifests, blobs, tags, referrers."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from urllib.parse import quote

import requests

from wasmpack.errors import (
    BadArtifact,
    DigestMismatch,
    NotFound,
    RegistryUnavailable,
    WrongUsage,
)
from wasmpack.oci.canonical import JsonObject
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.digest import Digest
from wasmpack.oci.manifest import MAX_MANIFEST, Index, Manifest, parse
from wasmpack.oci.media_types import ACCEPTED, OCI_INDEX
from wasmpack.oci.reference import Reference
from wasmpack.stores.ports import BlobStatus
from wasmpack.stores.registry.answers import (
    LONGEST_HEADER,
    TRANSPORT_ERRORS,
    failed,
    manifest_refusal,
    small_json,
)
from wasmpack.stores.registry.downloads import BlobStream, read_part
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.registry.pace import read_up_to
from wasmpack.stores.registry.transport import Transport
from wasmpack.stores.registry.uploads import Uploads
from wasmpack.stores.verified import Body, Readable

_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*rel="?next"?')
_MAX_PAGES = 1000
_ACCEPT = {"Accept": ", ".join(ACCEPTED)}


class RegistryClient:
    """One repository; ``actions`` is the scope its tokens get."""

    def __init__(
        self,
        reference: Reference,
        options: RegistryOptions,
        actions: str = "pull",
        *,
        mount_from: str = "",
    ) -> None:
        """:param mount_from: a repository of the same registry that may have the same blobs."""
        self._reference = reference
        self._transport = Transport(reference, options, actions, mount_from)
        self._silence = options.timeout
        self._root = f"/v2/{reference.repository}"
        self._uploads = Uploads(self._transport, reference.repository, mount_from)

    def manifest(self, target: str, media_type: str = "") -> Manifest | Index:
        """A manifest or index by tag or digest; by digest its bytes are verified.

        :raises NotFound: no such tag or repository
        :raises DigestMismatch: other bytes than asked for, or than the registry says it sent
        """
        what = f"read the manifest of {self._named(target)}"
        raw, response = self._small(self._manifest_url(target), what)
        self._check(raw, response, target)
        found = media_type or response.headers.get("Content-Type", "").partition(";")[0].strip()
        return parse(raw, found)

    def manifest_digest(self, target: str) -> Digest | None:
        """What the registry says the digest of a tag is; None if it has no such tag.

        :raises RegistryUnavailable: an answer without a digest
        """
        what = f"ask for the manifest of {self._named(target)}"
        with self._transport.request(
            "HEAD", self._manifest_url(target), what, {200, 404}, headers=_ACCEPT
        ) as response:
            if response.status_code == 404:
                return None
            said = response.headers.get("Docker-Content-Digest")
        return _said_digest(said) if said else self.manifest(target).digest

    def put_manifest(self, manifest: Manifest | Index, target: str) -> bool:
        """Store the exact bytes under a tag or digest, and see that the registry agrees.

        Whether the registry keeps track of the image that this one refers to (``OCI-Subject``).

        :raises DigestMismatch: it says it stored something else
        """
        with self._transport.request(
            "PUT",
            self._manifest_url(target),
            f"push the manifest to {self._named(target)}",
            {200, 201, 202},
            headers={"Content-Type": manifest.media_type},
            body=lambda: manifest.raw,
            refused=manifest_refusal,
        ) as response:
            said = response.headers.get("Docker-Content-Digest")
            tracked = "OCI-Subject" in response.headers
        stored = _said_digest(said) if said else self.manifest_digest(target)
        if stored != manifest.digest:
            raise DigestMismatch(
                f"{self._named(target)}: registry answered: the digest is {stored}, "
                f"but {manifest.digest} was pushed"
            )
        return tracked

    def has_blob(self, descriptor: Descriptor) -> bool:
        """Whether the registry has the blob (distribution-spec, "Checking if content exists")."""
        what = f"ask for blob {descriptor.digest} in {self._reference.name}"
        with self._transport.request(
            "HEAD", self._blob_url(descriptor), what, {200, 404}
        ) as response:
            return response.status_code == 200

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
        pages = self._pages(f"{self._root}/tags/list", what, {200})
        return [tag for page in pages for tag in _strings(page[1], "tags")]

    def referrers(self, digest: Digest) -> tuple[Descriptor, ...]:
        """What refers to an image (distribution-spec, "Listing Referrers"), by API or by tag."""
        what = f"list what refers to {self._reference.name}@{digest}"
        url = f"{self._root}/referrers/{quote(str(digest), safe=':')}"
        found: list[Descriptor] = []
        try:
            for kind, page in self._pages(url, what, {200, 400, 404, 405, 501}, accept=OCI_INDEX):
                if kind != OCI_INDEX:
                    return self._referrers_by_tag(digest)
                found += _index_of(page)
        except BadArtifact:
            return self._referrers_by_tag(digest)
        return tuple(found)

    def _pages(
        self, url: str, what: str, expect: set[int], accept: str = ""
    ) -> Iterator[tuple[str, JsonObject]]:
        """Media type and body of each page; empty for an answer that is not 200, or not ``accept``.

        :raises RegistryUnavailable: pages that go round, or do not end
        """
        seen: set[str] = set()
        while url not in seen and len(seen) < _MAX_PAGES:
            seen.add(url)
            kind, page, following = self._transport.patience().through(
                partial(self._page, url, what, expect, accept)
            )
            yield kind, page
            if not following:
                return
            url = following
        raise RegistryUnavailable(f"cannot {what}: pages without end ({len(seen)} read)")

    def _page(
        self, url: str, what: str, expect: set[int], accept: str
    ) -> tuple[str, JsonObject, str]:
        headers = {"Accept": accept} if accept else {}
        with self._transport.attempt("GET", url, what, expect, headers=headers) as response:
            kind = response.headers.get("Content-Type", "").partition(";")[0].strip()
            if response.status_code != 200 or accept not in {"", kind}:
                return "", {}, ""
            page = self._json(response, what)
            following = _NEXT.search(response.headers.get("Link", "")[:LONGEST_HEADER])
            link = self._transport.absolute(response.url, following[1]) if following else ""
            return kind, page, link

    def _referrers_by_tag(self, digest: Digest) -> tuple[Descriptor, ...]:
        """Distribution-spec, "Referrers Tag Schema"."""
        try:
            found = self.manifest(referrers_tag(digest))
        except NotFound:
            return ()
        return found.manifests if isinstance(found, Index) else ()

    def ping(self) -> None:
        """Show the credentials to the registry (``GET /v2/``).

        :raises AccessRefused: it does not take them
        """
        self._transport.request(
            "GET", "/v2/", f"log in to {self._reference.registry}", {200}
        ).close()

    def _small(self, url: str, what: str) -> tuple[bytes, requests.Response]:
        """A manifest's bytes, read again from the start where the connection breaks."""
        hint = f"wasmpack tags {self._reference.name}"

        def attempt() -> tuple[bytes, requests.Response]:
            with self._transport.attempt(
                "GET", url, what, {200}, headers=_ACCEPT, hint=hint
            ) as response:
                return self._body(response), response

        return self._transport.patience().through(attempt)

    def _body(self, response: requests.Response) -> bytes:
        try:
            raw = read_up_to(response, MAX_MANIFEST + 1, self._silence)
        except TRANSPORT_ERRORS as error:
            raise failed(error, self._reference.registry, self._silence) from error
        if len(raw) > MAX_MANIFEST:
            raise BadArtifact(f"{self._reference}: a manifest of more than {MAX_MANIFEST} bytes")
        return raw

    def _json(self, response: requests.Response, what: str) -> JsonObject:
        try:
            value = small_json(response, self._silence)
        except TRANSPORT_ERRORS as error:
            raise failed(error, self._reference.registry, self._silence) from error
        if not isinstance(value, dict):
            raise RegistryUnavailable(f"cannot {what}: registry answered with no JSON object")
        return value

    def _check(self, raw: bytes, response: requests.Response, target: str) -> None:
        said = response.headers.get("Docker-Content-Digest", "")
        for expected in {target if ":" in target else "", said} - {""}:
            if not _said_digest(expected).matches(raw):
                raise DigestMismatch(
                    f"{self._reference}: registry answered with a manifest whose digest is "
                    f"{Digest.of(raw)}, not {expected}"
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


def _said_digest(text: str) -> Digest:
    try:
        return Digest.parse(text)
    except WrongUsage:
        raise RegistryUnavailable(f"registry answered: a digest that is none: {text!r}") from None


def _strings(value: JsonObject, key: str) -> list[str]:
    found = value.get(key)
    return [text for text in found if isinstance(text, str)] if isinstance(found, list) else []


def _index_of(value: JsonObject) -> list[Descriptor]:
    rows = value.get("manifests")
    if not isinstance(rows, list):
        return []
    return [Descriptor.parse(row, f"referrers[{n}]") for n, row in enumerate(rows)]
