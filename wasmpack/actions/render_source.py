"""The request for a resource, and its source: an image or a URL."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from wasmpack.errors import (
    AccessRefused,
    BadArtifact,
    NotFound,
    RegistryUnavailable,
    WasmpackError,
    WrongUsage,
)
from wasmpack.images.image import Image
from wasmpack.images.opening import open_image
from wasmpack.images.parts import UNREADABLE
from wasmpack.mesh.kinds import Kind
from wasmpack.mesh.templates import Values
from wasmpack.mesh.url import MeshUrl
from wasmpack.oci.manifest import Manifest
from wasmpack.oci.place import NamePlace, parse_place
from wasmpack.oci.reference import Reference
from wasmpack.runtime_config import parse_runtime_config
from wasmpack.stores.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderRequest:
    """A resource to write; the fields have WasmPlugin's names, whatever the kind."""

    source: str
    """An image name, or a ``file://`` or ``http(s)://`` URL."""
    kind: Kind = Kind.WASM_PLUGIN
    """The kind of resource to write."""
    given: Values = field(default_factory=Values)
    """Metadata and fields that override those from the image."""
    template: tuple[bytes, str] | None = None
    """Content and name of the user's template."""
    pin: bool = False
    """Write the digest that the mesh compares."""
    look: bool = True
    """Read the image, for its root id and its digest."""
    remote: bool = False
    """Read the image from its registry only, whatever the local store holds."""
    validate: bool = True
    """Refuse to write what the targets would refuse."""
    targets: Sequence[str] = ()
    """Names, or ``all``; none means the default targets."""


_MODULES = (".wasm", ".wat")
_URLS = ("file://", "http://", "https://")


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSource:
    """The place where the mesh will find the module."""

    url: str
    reference: Reference | None = None
    image: Image | None = None
    root_ids: tuple[str, ...] = ()
    digest: str = ""
    """Hex digest of the manifest that the mesh compares; empty to write none."""
    unseen: str = ""
    """The reason why the image, or its runtime configuration, was not read."""
    fault: WasmpackError | None = None
    """The reason why no mesh can read the image, although it exists."""

    @classmethod
    def of(cls, text: str, session: Session, *, pin: bool, look: bool, remote: bool) -> Self:
        """Read the source that the user named.

        :param pin: write the digest, which requires reading the image
        :param look: read the image at all
        :raises WrongUsage: neither an image name nor a URL
        :raises NotFound, RegistryUnavailable: ``pin``, and the image cannot be read
        """
        if text.startswith(_URLS):
            if pin:
                raise WrongUsage("--pin needs an image, not a URL", hint=_own_digest(text))
            return cls(url=text)
        if text.endswith(_MODULES) and Path(text).is_file():
            raise WrongUsage(
                f"{text}: a module file, expected an image or a file:// URL",
                hint=f"wasmpack build {text} -t REGISTRY/NAME:TAG --push",
            )
        place = parse_place(text.removeprefix("oci://"))
        if not isinstance(place, NamePlace):
            raise WrongUsage(
                f"{text}: expected the name of an image in a registry, from which meshes pull",
                hint=f"wasmpack copy {text} quay.io/me/plugin:v1",
            )
        reference = place.reference.with_default_tag()
        if not look and not pin:
            return cls(url=_url(reference), reference=reference)
        image = open_image(replace(place, remote=place.remote or remote), session)
        bare = cls(url=_url(reference), reference=reference)
        try:
            manifest, config = _read(image)
        except (*_UNREACHED, *UNREADABLE) as error:
            if pin:
                raise
            if isinstance(error, _UNREACHED):
                return replace(bare, unseen=error.message)
            return replace(bare, fault=error)
        source = replace(bare, image=image, **_root_ids(config))
        if not pin:
            return source
        whose = "local store" if image.source == "local" else "registry"
        session.notice(f"{reference}: pinned to the digest of the image in the {whose}")
        reference = reference.with_digest(manifest.digest)
        return replace(source, url=_url(reference), reference=reference, digest=manifest.digest.hex)


def _own_digest(url: str) -> str:
    """The way to a digest that is not an image's."""
    if url.startswith("file://"):
        return "leave it out: of a file of the proxy the mesh compares no digest"
    curl = f"curl -sL {shlex.quote(MeshUrl.parse(url).shown)} | sha256sum"
    return f"--sha256 HEX, of the unpacked module: {curl}"


class _NotPushed(NotFound):
    """The image does not exist yet, as opposed to an image with a missing part."""


_UNREACHED = (AccessRefused, RegistryUnavailable, _NotPushed)


def _url(reference: Reference) -> str:
    """The URL with the registry spelled out, so that nothing depends on a default."""
    return f"oci://{replace(reference, written='')}"


def _read(image: Image) -> tuple[Manifest, bytes | None]:
    """The image that a mesh pulls, and its runtime configuration."""
    try:
        _ = image.top
    except NotFound as error:
        raise _NotPushed(error.message, hint=error.hint) from error
    return image.pulled(), image.contents.runtime_config


def _root_ids(config: bytes | None) -> dict[str, Any]:
    """The fields of a source that come from a runtime configuration."""
    try:
        return {"root_ids": parse_runtime_config(config).root_ids} if config is not None else {}
    except BadArtifact as error:
        return {"unseen": error.message}
