"""What a resource is rendered from: an image and what can be learned of it, or a URL."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from wasmpack.errors import (
    AccessRefused,
    BadArtifact,
    NotFound,
    RegistryUnavailable,
    WrongUsage,
)
from wasmpack.images.image import UNREADABLE, Image
from wasmpack.images.opening import open_image
from wasmpack.oci.manifest import Manifest
from wasmpack.oci.place import NamePlace, parse_place
from wasmpack.oci.reference import Reference
from wasmpack.runtime_config import parse_runtime_config
from wasmpack.stores.session import Session

_NO_IMAGE = (AccessRefused, NotFound, RegistryUnavailable, *UNREADABLE)
_MODULES = (".wasm", ".wat")
_URLS = ("file://", "http://", "https://")


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSource:
    """Where the mesh will find the module."""

    url: str
    reference: Reference | None = None
    image: Image | None = None
    root_ids: tuple[str, ...] = ()
    digest: str = ""
    """Hex digest of the manifest that the mesh compares; empty if it is not to be written."""
    unseen: str = ""
    """Why the image was not read."""

    @classmethod
    def of(cls, text: str, session: Session, *, pin: bool, look: bool, remote: bool) -> Self:
        """Look at what the user named.

        :param pin: write the digest; the image has to be read then
        :param look: read the image at all
        :raises WrongUsage: no image name and no URL
        :raises NotFound, RegistryUnavailable: ``pin``, and the image cannot be read
        """
        if text.startswith(_URLS):
            if pin:
                raise WrongUsage("--pin needs an image", hint="--sha256 HEX, for a URL")
            return cls(url=text)
        if text.endswith(_MODULES) and Path(text).is_file():
            raise WrongUsage(
                f"{text}: a module file: a mesh loads images, or files by a file:// URL",
                hint=f"wasmpack build {text} -t REGISTRY/NAME:TAG --push",
            )
        place = parse_place(text.removeprefix("oci://"))
        if not isinstance(place, NamePlace):
            raise WrongUsage(
                f"{text}: a mesh pulls from registries: push it first, and give its name there",
                hint=f"wasmpack copy {text} quay.io/me/plugin:v1",
            )
        reference = place.reference.with_default_tag()
        if not look and not pin:
            return cls(url=_url(reference), reference=reference)
        try:
            place = replace(place, remote=place.remote or remote)
            image = open_image(place, session)
            manifest, root_ids = _manifest(image)
        except _NO_IMAGE as error:
            if pin:
                raise
            return cls(url=_url(reference), reference=reference, unseen=error.message)
        if pin:
            whose = "local store" if image.source == "local" else "registry"
            session.notice(f"{reference}: pinned to the digest of the image in the {whose}")
            reference = reference.with_digest(manifest.digest)
        return cls(
            url=_url(reference), reference=reference, image=image, root_ids=root_ids,
            digest=manifest.digest.hex if pin else "",
        )  # fmt: skip


def _url(reference: Reference) -> str:
    """With the registry spelled out: nothing is left to a default."""
    return f"oci://{replace(reference, written='')}"


def _manifest(image: Image) -> tuple[Manifest, tuple[str, ...]]:
    """The image that a mesh takes, and the root ids that its runtime configuration names."""
    if image.manifest is None:
        raise BadArtifact(
            f"{image.reference}: an index without a linux/amd64 image, which no mesh loads"
        )
    config = image.contents.runtime_config
    return image.manifest, parse_runtime_config(config).root_ids if config is not None else ()
