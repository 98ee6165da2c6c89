"""Digests and content descriptors (image-spec, descriptor.md)."""

import contextlib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, Self

from wasmpack.errors import BadArtifact, WrongUsage
from wasmpack.oci.canonical import Fields, JsonObject, JsonValue, find, go_fields, shown

TITLE = "org.opencontainers.image.title"
REF_NAME = "org.opencontainers.image.ref.name"


_LENGTHS = {"sha256": 64, "sha512": 128}
"""Registered algorithms and their length in hexadecimal digits (descriptor.md)."""
_FIELDS = ("mediaType", "digest", "size", "annotations", "platform", "data", "artifactType")
_HEX = re.compile(r"[0-9a-f]+")
_SHOWN = 160
"""Characters of a wrong one in the error."""


class Hasher(Protocol):
    """The part of :mod:`hashlib`'s objects that is used."""

    def update(self, data: bytes, /) -> None:
        """Take in further bytes."""

    def hexdigest(self) -> str:
        """Return the digest of all bytes so far, in lower-case hexadecimal digits."""


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """``algorithm:hex``; one that exists is well-formed, so its parts may become file names."""

    algorithm: str
    """``sha256`` or ``sha512``."""
    hex: str
    """Lower-case hexadecimal digits."""

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

    DEFAULT: ClassVar[str] = "sha256"
    """The algorithm of digests that we make."""

    @classmethod
    def of(cls, data: bytes) -> Self:
        """The sha256 digest of these bytes."""
        return cls(cls.DEFAULT, hashlib.sha256(data).hexdigest())

    def hasher(self) -> Hasher:
        """A fresh hash object of this digest's algorithm, for bytes that arrive in pieces."""
        return hashlib.new(self.algorithm)

    def matches(self, data: bytes) -> bool:
        """True if these bytes are the ones this digest names."""
        hasher = self.hasher()
        hasher.update(data)
        return hasher.hexdigest() == self.hex

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """The platform of a child of an index; empty strings where it says nothing."""

    os: str = ""
    """``linux``."""
    architecture: str = ""
    """``amd64``."""

    def __str__(self) -> str:
        return f"{self.os or '?'}/{self.architecture or '?'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """Media type, digest and size in bytes of some content, with its annotations."""

    media_type: str
    """As the document says it; may be anything, and empty if it says nothing."""
    digest: Digest
    """Digest of the blob's bytes."""
    size: int
    """Bytes."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Of this entry."""
    platform: Platform | None = None
    """Platform of an image in an index; None for all others."""
    data: bytes | None = field(default=None, repr=False)
    """The content itself, where the document carries it (descriptor.md, ``data``)."""

    @classmethod
    def of(cls, data: bytes, media_type: str, title: str = "") -> Self:
        """Describe these bytes; a title names the file for tools that unpack (oras pull)."""
        annotations = {TITLE: title} if title else {}
        return cls(
            media_type=media_type,
            digest=Digest.of(data),
            size=len(data),
            annotations=annotations,
        )

    @classmethod
    def parse(cls, value: JsonValue, where: str) -> Self:
        """Read a descriptor out of somebody's manifest.

        :param where: names the place in errors (``layers[1]``)
        :raises BadArtifact: no object, no digest, a size that is not a natural number
        """
        written = Fields(value, where, "a descriptor").value
        fields = Fields(go_fields(written, _FIELDS), where)
        size = fields.required(int, "size", "a natural number")
        if not 0 <= size < 1 << 63:
            raise BadArtifact(f"{where}.size: expected a natural number, found {shown(size)}")
        try:
            digest = Digest.parse(fields.required(str, "digest"))
        except WrongUsage as error:
            raise BadArtifact(f"{where}.digest: {error}") from error
        return cls(
            media_type=fields.get(str, "mediaType") or "",
            digest=digest,
            size=size,
            annotations=parse_annotations(fields),
            platform=_platform(fields.value),
            data=_data(fields.value),
        )

    @property
    def title(self) -> str | None:
        """The file name its maker gave it."""
        return self.annotations.get(TITLE)

    def as_json(self) -> JsonObject:
        """The descriptor as written into a manifest."""
        value: JsonObject = {
            "mediaType": self.media_type,
            "digest": str(self.digest),
            "size": self.size,
        }
        if self.annotations:
            value["annotations"] = dict(self.annotations)
        return value


def parse_annotations(fields: Fields) -> dict[str, str]:
    """String to string, or absent (image-spec, annotations.md).

    :raises BadArtifact: anything else
    """
    return {} if fields.get(dict, "annotations") is None else fields.within("annotations").texts()


def _platform(value: JsonObject) -> Platform | None:
    found = find(value, dict, "platform")
    if found is None:
        return None
    platform = go_fields(found, ("os", "architecture"))
    return Platform(
        os=find(platform, str, "os") or "",
        architecture=find(platform, str, "architecture") or "",
    )


def _data(value: JsonObject) -> bytes | None:
    """None too if it is not base64: then there is nothing but the blob."""
    text = find(value, str, "data")
    if text is None:
        return None
    with contextlib.suppress(ValueError):
        import base64

        return base64.b64decode(text, validate=True)
    return None
