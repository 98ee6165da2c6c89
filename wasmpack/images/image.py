"""One image, wherever it is, and what it has for a mesh.

>>> from wasmpack.images.variants import artifact_image
>>> module = PluginModule(b"\\0asm\\1\\0\\0\\0")
>>> image = Image(artifact_image(module, b'{"type":"envoy_proxy"}', {}))
>>> image.module.size
8
"""

import contextlib
from collections.abc import Mapping
from functools import cached_property

from wasmpack.errors import BadArtifact, NotFound, Notice
from wasmpack.images.contents import Contents, linux_amd64, read_contents
from wasmpack.images.parts import UNREADABLE, Parts
from wasmpack.images.search import FoundFiles, search
from wasmpack.images.variants import CREATED
from wasmpack.oci.canonical import parse_json_object
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.layers import LIMIT
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.oci.media_types import DOCKER_CONFIG, OCI_CONFIG
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.stores.ports import ImageReader

_MOST_IMAGES = 16
"""Images of an index that are searched: one for each platform, and its attestations."""


class Image(Parts):
    """An image of any kind, in any store."""

    def __init__(
        self, reader: ImageReader, reference: str = "", *, pinned: bool = False, limit: int = LIMIT
    ) -> None:
        """Nothing is read yet.

        :param reference: the place as the user wrote it, for messages and hints
        :param pinned: the reference carries a digest
        :param limit: most bytes of one blob, and of all that are kept
        """
        super().__init__(reader, limit)
        self.reference = reference
        self.pinned = pinned

    @property
    def source(self) -> str:
        """``local``, ``registry``, ``layout``, ``archive``, ``daemon`` or ``memory``."""
        return self._reader.source

    @property
    def challenge(self) -> str:
        """How a registry asked us to identify ourselves; empty for an image from elsewhere."""
        return self._reader.challenge

    @cached_property
    def top(self) -> Manifest | Index:
        """What the reference names.

        :raises NotFound: no such image
        """
        return self._reader.get()

    @cached_property
    def manifest(self) -> Manifest | None:
        """The image that a mesh would pull; None for an index without linux/amd64."""
        if isinstance(self.top, Manifest):
            return self.top
        child = linux_amd64(self.top)
        found = self.get(child) if child else None
        return found if isinstance(found, Manifest) else None

    @property
    def digest(self) -> Digest:
        """Of :attr:`top`."""
        return self.top.digest

    @cached_property
    def contents(self) -> Contents:
        """Module and runtime configuration of the image that a mesh would pull.

        :raises BadArtifact, DigestMismatch, NotFound: a layer cannot be read
        """
        if self.manifest is None:
            return Contents(module=None, runtime_config=None, layer=None)
        return read_contents(self.manifest, self.layers)

    @property
    def module(self) -> PluginModule | None:
        """The module that :attr:`contents` found."""
        return self.contents.module

    def file_system_config(self, manifest: Manifest) -> tuple[str | None, Mapping[str, str]]:
        """Creation time and labels of a file system image (image-spec, config.md)."""
        if manifest.config.media_type not in {OCI_CONFIG, DOCKER_CONFIG}:
            return None, {}
        try:
            value = parse_json_object(self.small_blob(manifest.config), "image configuration")
        except UNREADABLE:
            return None, {}
        created, config = value.get("created"), value.get("config")
        labels = config.get("Labels") if isinstance(config, dict) else None
        texts = labels.items() if isinstance(labels, dict) else ()
        return (
            created if isinstance(created, str) else None,
            {key: text for key, text in texts if isinstance(text, str)},
        )

    @cached_property
    def annotations(self) -> Mapping[str, str]:
        """Of the manifest, over the labels of a file system image."""
        if self.manifest is None:
            return self.top.annotations
        _, labels = self.file_system_config(self.manifest)
        return {**labels, **self.manifest.annotations}

    @property
    def created(self) -> str | None:
        """RFC 3339, if the image says so."""
        if self.manifest is None:
            return self.annotations.get(CREATED)
        return self.annotations.get(CREATED) or self.file_system_config(self.manifest)[0]

    def search(self) -> tuple[Manifest, FoundFiles]:
        """Every module of the image; of an index, of the image that meshes take, else of the first
        that has a module.

        :raises BadArtifact: no image of an index has one, or a layer cannot be read
        """
        if isinstance(self.top, Manifest):
            return self.top, search(self.top, self.layers)
        for child in _children(self.top)[:_MOST_IMAGES]:
            with contextlib.suppress(BadArtifact, NotFound):
                image = self.get(child)
                if isinstance(image, Index):
                    continue
                found = search(image, self.layers)
                if found.modules:
                    return image, found
        raise BadArtifact("no image of this index has a WebAssembly module")

    def alone(self, notice: Notice) -> Manifest:
        """The one image to copy: of an index, the one that a mesh would pull.

        :raises BadArtifact: an index without linux/amd64, or a manifest that is served as another
            type than it says
        """
        image = self.manifest
        if image is None:
            raise BadArtifact(f"{self.reference}: an index without a linux/amd64 image")
        if image.body_media_type and image.body_media_type != image.media_type:
            raise BadArtifact(
                f"{self.reference}: the manifest was served as {image.media_type}, but says that "
                f"it is {image.body_media_type}"
            )
        if image is not self.top:
            notice(f"{self.reference}: an index; taking its linux/amd64 image {image.digest}")
        return image


def _children(index: Index) -> list[Descriptor]:
    """Each once, the one that meshes take first."""
    first = linux_amd64(index)
    children = [*([first] if first else []), *index.manifests]
    return list({child.digest: child for child in children}.values())
