"""Image manifests and indexes, OCI and Docker, as read: the raw bytes and a view of them.

>>> parse_manifest(b'{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"sha256:' +
...     b'0' * 64 + b'","size":2},"layers":[]}').layers
()

What we do not know survives, because the bytes are kept and never written again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from json import JSONDecodeError

from wasmpack.errors import BadArtifact
from wasmpack.oci.canonical import Fields, JsonObject, find, go_fields, parse_json_object
from wasmpack.oci.descriptor import Descriptor, Digest, parse_annotations
from wasmpack.oci.media_types import INDEXES, MANIFESTS, OCI_INDEX, OCI_MANIFEST

MAX_MANIFEST = 4 * 1024 * 1024
"""Registries should take manifests of up to 4 MiB (distribution-spec, "Pushing manifests")."""
_FIELDS = (
    "schemaVersion",
    "mediaType",
    "artifactType",
    "config",
    "layers",
    "manifests",
    "subject",
    "annotations",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """The common part of a manifest and an index."""

    raw: bytes
    """The exact bytes."""
    media_type: str
    """By the header or descriptor it came with, else by its body."""
    annotations: Mapping[str, str]
    """Annotations of the document itself."""
    artifact_type: str | None = None
    """None if it names none."""
    served: str = ""
    """The whole ``Content-Type`` it came with; empty if it did not come from a registry."""
    subject: Descriptor | None = None
    """The image that this one says something of (image-spec, manifest.md, image-index.md)."""

    named: Digest | None = None
    """The digest by which it was asked for, if that is of another algorithm than sha256."""

    @property
    def descriptor(self) -> Descriptor:
        """As an index or a registry names it."""
        return replace(Descriptor.of(self.raw, self.media_type), digest=self.digest)

    @property
    def digest(self) -> Digest:
        """Digest of the raw bytes."""
        return self.named or Digest.of(self.raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest(_Document):
    """One image: its config and its layers, first layer first."""

    body_media_type: str
    """``mediaType`` of the body, which is all that some readers check; empty if missing."""
    config: Descriptor | None
    """The image's configuration; None if it names none: no mesh looks at it."""
    layers: tuple[Descriptor, ...]
    """The lowest first."""

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Config and layers, each digest once, in the order they should be sent."""
        config = () if self.config is None else (self.config,)
        return tuple({d.digest: d for d in (*config, *self.layers)}.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Index(_Document):
    """Several manifests under one name, by platform."""

    manifests: tuple[Descriptor, ...]
    """Its images, in their order."""


def artifact_type(manifest: Manifest | Index) -> str:
    """The kind of a manifest in a list of referrers (distribution-spec, "Listing Referrers")."""
    if manifest.artifact_type or isinstance(manifest, Index):
        return manifest.artifact_type or manifest.media_type
    return manifest.config.media_type if manifest.config else manifest.media_type


def parse(
    raw: bytes, media_type: str = "", *, served: str = "", digest: Digest | None = None
) -> Manifest | Index:
    """Read manifest or index bytes.

    :param media_type: the ``Content-Type`` or the descriptor's; the body decides if it is
        another type, as from a server that sends text/plain
    :param served: the whole ``Content-Type``, if there was one
    :param digest: the digest by which it was asked for, which it keeps
    :raises BadArtifact: too large, not JSON, or of a shape that no reader accepts
    """
    if len(raw) > MAX_MANIFEST:
        raise BadArtifact(
            f"manifest of {len(raw)} bytes: more than {MAX_MANIFEST}; a mesh may load it, but "
            "registries need not take it (distribution-spec)"
        )
    value = go_fields(_parsed(raw), _FIELDS)
    kind = _media_type(media_type, value)
    found = _index(raw, kind, value) if kind in INDEXES else _manifest(raw, kind, value)
    named = digest if digest and digest.algorithm != Digest.DEFAULT else None
    return replace(found, served=served, named=named)


def parse_manifest(raw: bytes, media_type: str = "") -> Manifest:
    """As :func:`parse`, and it must not be an index.

    :raises BadArtifact: an index, or as :func:`parse`
    """
    found = parse(raw, media_type)
    if isinstance(found, Index):
        raise BadArtifact("expected an image manifest, found an index")
    return found


def known_type(media_type: str) -> str:
    """A media type that decides how a manifest is read; empty if its body decides."""
    return media_type if media_type in MANIFESTS or media_type in INDEXES else ""


def _parsed(raw: bytes) -> JsonObject:
    try:
        return parse_json_object(raw, "manifest")
    except BadArtifact as error:
        cause = error.__cause__
        if not isinstance(cause, JSONDecodeError) or cause.msg != "Extra data":
            raise
        raise BadArtifact(
            f"manifest: text behind the JSON, at line {cause.lineno} column {cause.colno}: a mesh "
            "reads no further and loads it, but other clients refuse it, and so does wasmpack",
            hint="build and push the image again",
        ) from error


def _media_type(given: str, value: JsonObject) -> str:
    kind = known_type(given) or known_type(find(value, str, "mediaType") or "")
    if kind:
        return kind
    if value.get("schemaVersion") == 1:
        raise BadArtifact("manifest: Docker schema 1 (deprecated) is not supported")
    return OCI_INDEX if "manifests" in value else OCI_MANIFEST


def _manifest(raw: bytes, kind: str, value: JsonObject) -> Manifest:
    fields = Fields(value, "manifest")
    config = value.get("config")
    return Manifest(
        raw=raw,
        media_type=kind,
        body_media_type=find(value, str, "mediaType") or "",
        config=None if config is None else Descriptor.parse(config, "manifest.config"),
        layers=_descriptors(fields, "layers"),
        annotations=parse_annotations(fields),
        artifact_type=find(value, str, "artifactType"),
        subject=_subject(value),
    )


def _index(raw: bytes, kind: str, value: JsonObject) -> Index:
    fields = Fields(value, "index")
    return Index(
        raw=raw,
        media_type=kind,
        manifests=_descriptors(fields, "manifests"),
        annotations=parse_annotations(fields),
        artifact_type=find(value, str, "artifactType"),
        subject=_subject(value),
    )


def _descriptors(fields: Fields, key: str) -> tuple[Descriptor, ...]:
    """An empty list is written as null by Go; an index read as an image has no layers at all."""
    if fields.value.get(key) is None and (key in fields.value or "manifests" in fields.value):
        return ()
    rows = fields.rows(key, "an array of descriptors")
    return tuple(Descriptor.parse(row, where) for row, where in rows)


def _subject(value: JsonObject) -> Descriptor | None:
    found = value.get("subject")
    return None if found is None else Descriptor.parse(found, "manifest.subject")
