"""One image, wherever it is, with the module and the runtime configuration that it carries.

These are looked for leniently: to show, extract and re-pack them. What a mesh would make of the
same image is :mod:`wasmpack.fetchers`.

>>> from wasmpack.images.variants import artifact_image
>>> module = PluginModule(b"\\0asm\\1\\0\\0\\0")
>>> image = Image(artifact_image(module, b'{"type":"envoy_proxy"}', {}))
>>> image.module.size
8
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from wasmpack.errors import BadArtifact, NotFound, Notice
from wasmpack.images.indexes import images_below, mesh_path
from wasmpack.images.parts import UNREADABLE, Parts
from wasmpack.images.search import FoundFiles, search
from wasmpack.images.variants import CREATED, Variant
from wasmpack.oci import media_types as mt
from wasmpack.oci.budget import LIMIT
from wasmpack.oci.canonical import find, parse_json_object
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.gunzip import UnreadableLayer
from wasmpack.oci.layers import LayerFile, Layers, OpenBlob, topmost_first
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.stores.ports import ImageReader

LARGE = 32 << 20
"""Bytes of a module from which on it is looked at in parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The contents of an image; ``layer`` is the one that holds the module."""

    module: PluginModule | None
    """The plugin; None if there is none."""
    runtime_config: bytes | None
    """Bytes of ``runtime-config.json``; None if there is none."""
    layer: Descriptor | None
    """The one that holds the module; None if there is none."""
    damage: str = ""
    """Why the layer could not be read to its end, behind the module."""


def read_contents(manifest: Manifest, open_blob: OpenBlob) -> Contents:
    """Find module and configuration, where the mesh would: in the last tar layer, then raw.

    :raises BadArtifact: a layer that cannot be unpacked, or larger than any mesh reads
    """
    layers = Layers.of(open_blob)
    if manifest.layers and manifest.layers[-1].media_type in mt.GZIPPED_TARS:
        found = _from_tar(manifest.layers[-1], layers)
        if found is not None:
            return found
    raw = raw_module(manifest)
    if raw is not None:
        config = runtime_config_blob(manifest)
        return Contents(
            module=PluginModule(layers.read(raw), digest=raw.digest),
            runtime_config=layers.read(config) if config else None,
            layer=raw,
        )
    below = (d for d in topmost_first(manifest.layers[:-1]) if d.media_type in mt.GZIPPED_TARS)
    unpacked = (_from_tar(layer, layers) for layer in below)
    nothing = Contents(module=None, runtime_config=None, layer=None)
    return next((found for found in unpacked if found is not None), nothing)


def raw_module(manifest: Manifest) -> Descriptor | None:
    """The layer that is a module as it is, by its media type."""
    by_type = {layer.media_type: layer for layer in reversed(manifest.layers)}
    return next((by_type[kind] for kind in mt.RAW_MODULES if kind in by_type), None)


def large_module(manifest: Manifest) -> Descriptor | None:
    """The layer to look into, if it is as it is, and large."""
    if manifest.layers and manifest.layers[-1].media_type in mt.GZIPPED_TARS:
        return None
    layer = raw_module(manifest)
    return layer if layer is not None and LARGE <= layer.size <= LIMIT else None


def runtime_config_blob(manifest: Manifest) -> Descriptor | None:
    """The blob that is a runtime configuration, by its media type."""
    blobs = (*manifest.layers, *((manifest.config,) if manifest.config else ()))
    return next((blob for blob in blobs if blob.media_type == mt.WASM_CONFIG), None)


def _from_tar(layer: Descriptor, layers: Layers) -> Contents | None:
    found, damage = _first_of_each(layer, layers)
    plugin, config = found.get(mt.PLUGIN_FILE), found.get(mt.RUNTIME_CONFIG_FILE)
    if plugin is None:
        return None
    if not plugin.entry.regular:
        raise BadArtifact(f"layer {layer.digest}: {plugin.shown} is not a regular file")
    if plugin.content is None:
        raise BadArtifact(
            f"layer {layer.digest}: {plugin.shown} has {plugin.entry.size} bytes, more than any "
            "mesh reads"
        )
    return Contents(
        module=PluginModule(plugin.content),
        runtime_config=config.content if config else None,
        layer=layer,
        damage=damage,
    )


def _first_of_each(layer: Descriptor, layers: Layers) -> tuple[dict[str, LayerFile], str]:
    """The files to look at by their names, and what is wrong with the layer behind the module."""
    found: dict[str, LayerFile] = {}
    try:
        for file in layers.files(layer, limit=LIMIT):
            name = file.entry.basename.decode(errors="replace")
            if name in {mt.PLUGIN_FILE, mt.RUNTIME_CONFIG_FILE}:
                found.setdefault(name, file)
    except UnreadableLayer as error:
        if mt.PLUGIN_FILE not in found:
            raise BadArtifact(f"layer {layer.digest}: not a gzipped tar: {error.reason}") from error
        return found, f"layer {layer.digest}: damaged behind {mt.PLUGIN_FILE}: {error.reason}"
    return found, ""


_MOST_IMAGES = 16
"""Images of an index that are searched: one for each platform, and its attestations; an index in
it counts too."""


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
        """The manifest or index that the reference names.

        :raises NotFound: no such image
        """
        return self._reader.get()

    @cached_property
    def _path(self) -> list[Manifest | Index]:
        return mesh_path(self.top, self.get) if isinstance(self.top, Index) else [self.top]

    @property
    def indexes(self) -> tuple[Index, ...]:
        """The indexes that a mesh goes through, :attr:`top` first; empty for a plain image."""
        return tuple(found for found in self._path if isinstance(found, Index))

    @property
    def manifest(self) -> Manifest | None:
        """The image that a mesh would pull; None for an index without linux/amd64."""
        found = self._path[-1]
        return found if isinstance(found, Manifest) else None

    def pulled(self) -> Manifest:
        """:attr:`manifest`, where nothing can be done without it.

        :raises BadArtifact: an index without linux/amd64
        """
        if self.manifest is None:
            raise BadArtifact(
                f"{self.reference}: an index without a linux/amd64 image, which meshes pull",
                hint=f"wasmpack repack {self.reference} DESTINATION makes a plain image of it",
            )
        return self.manifest

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
        config = manifest.config
        if config is None or config.media_type not in {mt.OCI_CONFIG, mt.DOCKER_CONFIG}:
            return None, {}
        try:
            value = parse_json_object(self.small_blob(config), "image configuration")
        except UNREADABLE:
            return None, {}
        labels = find(value, dict, "config", "Labels") or {}
        texts = {key: text for key, text in labels.items() if isinstance(text, str)}
        return find(value, str, "created"), texts

    @cached_property
    def annotations(self) -> Mapping[str, str]:
        """Annotations of the manifest; they override the labels of a file system image."""
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
        """Every module of the image; of an index, of the image that meshes pull, else of the first
        that has a module.

        :raises BadArtifact: no image of an index has one, or a layer cannot be read
        """
        if isinstance(self.top, Manifest):
            return self.top, search(self.top, self.layers)
        for image in images_below(self.top, self.get, _MOST_IMAGES):
            with contextlib.suppress(BadArtifact, NotFound):
                found = search(image, self.layers)
                if found.modules:
                    return image, found
        raise BadArtifact("no image of this index has a WebAssembly module")

    def alone(self, notice: Notice) -> Manifest:
        """The one image to copy: of an index, the one that a mesh would pull.

        :raises BadArtifact: an index without linux/amd64, or a manifest that is served as another
            type than it says
        """
        image = self.pulled()
        if image.body_media_type and image.body_media_type != image.media_type:
            raise BadArtifact(
                f"{self.reference}: the manifest was served as {image.media_type}, but says that "
                f"it is {image.body_media_type}"
            )
        if image is not self.top:
            notice(f"{self.reference}: an index; taking its linux/amd64 image {image.digest}")
        return image


def variant_of(manifest: Manifest) -> Variant:
    """The format of any image, by its media types."""
    types = [layer.media_type for layer in manifest.layers]
    last = types[-1] if types else ""
    docker = mt.DOCKER_MANIFEST in {manifest.media_type, manifest.body_media_type}
    if docker:
        return Variant.DOCKER if last == mt.DOCKER_LAYER_TAR_GZIP else Variant.UNKNOWN
    if last == mt.OCI_LAYER_TAR_GZIP:
        return Variant.COMPAT
    if mt.WASM_CONTENT in types:
        return Variant.OCI
    config = manifest.config.media_type if manifest.config else ""
    cncf = config == mt.CNCF_CONFIG or mt.CNCF_WASM in types
    return Variant.CNCF if cncf else Variant.UNKNOWN


def layer_json(layer: Descriptor) -> dict[str, object]:
    """The contract's shape of one layer."""
    return {
        "mediaType": layer.media_type,
        "digest": str(layer.digest),
        "size": layer.size,
        "title": layer.title,
    }
