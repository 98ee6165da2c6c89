"""The distribution-spec's calls on one repository: manifests, blobs, tags."""

import re
from collections.abc import Sequence
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

import requests

from wasmpack.errors import BadArtifact, DigestMismatch, RegistryUnavailable, WrongUsage
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.digest import Digest
from wasmpack.oci.manifest import MAX_MANIFEST, Index, Manifest, parse
from wasmpack.oci.media_types import ACCEPTED
from wasmpack.oci.reference import Reference
from wasmpack.stores.ports import Body, Readable
from wasmpack.stores.registry.answers import (
    TRANSPORT_ERRORS,
    refuse,
    refuse_manifest,
    small_json,
    unavailable,
)
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.registry.transport import Transport

_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*rel="?next"?')
_MAX_PAGES = 1000
_HEADER = 4096
"""Most characters of a header that are looked at."""


class RegistryClient:
    """One repository; ``actions`` is the scope its tokens get."""

    def __init__(
        self, reference: Reference, options: RegistryOptions, actions: str = "pull"
    ) -> None:
        self._reference = reference
        self._transport = Transport(reference, options, actions)
        self._root = f"/v2/{reference.repository}"

    def manifest(self, target: str, media_type: str = "") -> Manifest | Index:
        """A manifest or index by tag or digest; by digest its bytes are verified.

        :raises NotFound: no such tag or repository
        :raises DigestMismatch: other bytes than asked for, or than the registry says it sent
        """
        headers = {"Accept": ", ".join(ACCEPTED)}
        response = self._transport.request("GET", self._manifest_url(target), headers=headers)
        with response:
            if response.status_code != 200:
                tags = f"wasmpack tags {self._reference.name}"
                refuse(response, f"read the manifest of {self._named(target)}", tags)
            raw = self._body(response, MAX_MANIFEST)
        self._check(raw, response, target)
        found = media_type or response.headers.get("Content-Type", "").partition(";")[0].strip()
        return parse(raw, found)

    def manifest_digest(self, target: str) -> Digest | None:
        """What the registry says the digest of a tag is; None if it has no such tag.

        :raises RegistryUnavailable: an answer without a digest
        """
        headers = {"Accept": ", ".join(ACCEPTED)}
        with self._transport.request(
            "HEAD", self._manifest_url(target), headers=headers
        ) as response:
            if response.status_code == 404:
                return None
            if response.status_code != 200:
                refuse(response, f"ask for the manifest of {self._named(target)}")
            said = response.headers.get("Docker-Content-Digest")
        return _said_digest(said) if said else self.manifest(target).digest

    def put_manifest(self, manifest: Manifest | Index, target: str) -> None:
        """Store the exact bytes under a tag or digest, and see that the registry agrees.

        :raises DigestMismatch: it says it stored something else
        """
        response = self._transport.request(
            "PUT",
            self._manifest_url(target),
            headers={"Content-Type": manifest.media_type},
            body=lambda: manifest.raw,
        )
        with response:
            if response.status_code not in {200, 201, 202}:
                refuse_manifest(response, f"push the manifest to {self._named(target)}")
        stored = self.manifest_digest(target)
        if stored != manifest.digest:
            raise DigestMismatch(
                f"{self._named(target)}: registry answered: the digest is {stored}, "
                f"but {manifest.digest} was pushed"
            )

    def has_blob(self, descriptor: Descriptor) -> bool:
        """Whether the registry has the blob (distribution-spec, "Checking if content exists")."""
        with self._transport.request("HEAD", self._blob_url(descriptor)) as response:
            if response.status_code not in {200, 404}:
                refuse(response, f"ask for blob {descriptor.digest} in {self._reference.name}")
            return response.status_code == 200

    def open_blob(self, descriptor: Descriptor) -> Readable:
        """A blob's bytes as they arrive, not verified.

        :raises NotFound: no such blob
        """
        response = self._transport.request("GET", self._blob_url(descriptor))
        if response.status_code != 200:
            with response:
                refuse(response, f"read blob {descriptor.digest} of {self._reference.name}")
        return _BlobBody(response, self._reference.registry)

    def put_blob(self, descriptor: Descriptor, body: Body) -> None:
        """Upload in one piece: POST for a place, PUT to it (distribution-spec, "POST then PUT")."""
        what = f"push blob {descriptor.digest} to {self._reference.name}"
        with self._transport.request(
            "POST", f"{self._root}/blobs/uploads/", headers={"Content-Length": "0"}
        ) as response:
            if response.status_code != 202:
                refuse(response, what)
            location = response.headers.get("Location")
        if not location:
            raise RegistryUnavailable(f"cannot {what}: registry answered without a Location")
        url = _with_digest(urljoin(response.url, location), descriptor.digest)
        headers = {"Content-Type": "application/octet-stream"}
        if not descriptor.size:
            headers["Content-Length"] = "0"
        with self._transport.request("PUT", url, headers=headers, body=body) as response:
            if response.status_code not in {201, 202, 204}:
                refuse(response, what)

    def tags(self) -> Sequence[str]:
        """All tags, following the pages the registry offers.

        :raises NotFound: no such repository
        """
        found: list[str] = []
        url = f"{self._root}/tags/list"
        for _ in range(_MAX_PAGES):
            with self._transport.request("GET", url) as response:
                if response.status_code != 200:
                    refuse(response, f"list the tags of {self._reference.name}")
                found += _tags(response)
                following = _NEXT.search(response.headers.get("Link", "")[:_HEADER])
            if following is None:
                return found
            url = urljoin(response.url, following[1])
        raise RegistryUnavailable(f"{self._reference.name}: more than {_MAX_PAGES} pages of tags")

    def ping(self) -> None:
        """Show the credentials to the registry (``GET /v2/``).

        :raises AccessRefused: it does not take them
        """
        with self._transport.request("GET", "/v2/") as response:
            if response.status_code != 200:
                refuse(response, f"log in to {self._reference.registry}")

    def _body(self, response: requests.Response, limit: int) -> bytes:
        try:
            raw: bytes = response.raw.read(limit + 1, decode_content=True)
        except TRANSPORT_ERRORS as error:
            raise unavailable(error, self._reference.registry) from error
        if len(raw) > limit:
            raise BadArtifact(f"{self._reference}: a manifest of more than {limit} bytes")
        return raw

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

    def _manifest_url(self, target: str) -> str:
        return f"{self._root}/manifests/{target}"

    def _blob_url(self, descriptor: Descriptor) -> str:
        return f"{self._root}/blobs/{descriptor.digest}"


class _BlobBody:
    """A response's body as a file whose errors are ours."""

    def __init__(self, response: requests.Response, registry: str) -> None:
        self._response = response
        self._registry = registry

    def read(self, size: int = -1, /) -> bytes:
        try:
            data: bytes = self._response.raw.read(size if size >= 0 else None)
        except TRANSPORT_ERRORS as error:
            raise unavailable(error, self._registry) from error
        return data

    def close(self) -> None:
        self._response.close()


def _said_digest(text: str) -> Digest:
    try:
        return Digest.parse(text)
    except WrongUsage:
        raise RegistryUnavailable(f"registry answered: a digest that is none: {text!r}") from None


def _with_digest(location: str, digest: Digest) -> str:
    """Add ``digest=``; the query the registry gave may be critical and stays as it is."""
    parts = urlsplit(location)
    query = "&".join(part for part in (parts.query, urlencode({"digest": str(digest)})) if part)
    return urlunsplit(parts._replace(query=query))


def _tags(response: requests.Response) -> list[str]:
    try:
        value = small_json(response)
    except TRANSPORT_ERRORS as error:
        raise RegistryUnavailable(f"registry answered: an unreadable tag list: {error}") from error
    if not isinstance(value, dict):
        raise RegistryUnavailable("registry answered: a tag list that is no JSON object")
    tags = value.get("tags")
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


class RegistryReader:
    """One image of a registry (:class:`wasmpack.stores.ports.ImageReader`)."""

    source = "registry"

    def __init__(self, reference: Reference, options: RegistryOptions) -> None:
        self._reference = reference
        self._client = RegistryClient(reference, options)

    def get(self, descriptor: Descriptor | None = None) -> Manifest | Index:
        if descriptor is None:
            return self._client.manifest(self._reference.target)
        return self._client.manifest(str(descriptor.digest), descriptor.media_type)

    def open_blob(self, descriptor: Descriptor) -> Readable:
        return self._client.open_blob(descriptor)


class RegistryWriter:
    """One repository to push to (:class:`wasmpack.stores.ports.ImageWriter`)."""

    def __init__(self, reference: Reference, options: RegistryOptions) -> None:
        self._client = RegistryClient(reference, options, "pull,push")

    def has_blob(self, descriptor: Descriptor) -> bool:
        return self._client.has_blob(descriptor)

    def put_blob(self, descriptor: Descriptor, body: Body) -> None:
        self._client.put_blob(descriptor, body)

    def put_manifest(self, manifest: Manifest | Index, names: Sequence[str | None]) -> None:
        for name in names:
            self._client.put_manifest(manifest, name or str(manifest.digest))
