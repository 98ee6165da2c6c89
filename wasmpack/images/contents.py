"""The module and the runtime configuration out of any image that has them.

Lenient on purpose: used to look, to extract and to re-pack. What a mesh would make of the same
image is :mod:`wasmpack.fetchers`.
"""

from dataclasses import dataclass

from wasmpack.errors import BadArtifact
from wasmpack.oci import media_types as mt
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.gunzip import UnreadableLayer
from wasmpack.oci.layers import LIMIT, LayerFile, Layers, OpenBlob, topmost_first
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.proxy_abi.module import PluginModule

LARGE = 32 << 20
"""Bytes of a module from which on it is looked at in parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What an image carries; ``layer`` is the one that holds the module."""

    module: PluginModule | None
    """The plugin; None if there is none."""
    runtime_config: bytes | None
    """Bytes of ``runtime-config.json``; None if there is none."""
    layer: Descriptor | None
    """The one that holds the module; None if there is none."""
    damage: str = ""
    """Why the layer could not be read to its end, behind the module."""


def linux_amd64(index: Index) -> Descriptor | None:
    """The child that every mesh takes, whatever its own platform (go-containerregistry)."""
    for child in index.manifests:
        if child.platform is None or (
            (child.platform.os, child.platform.architecture) == ("linux", "amd64")
        ):
            return child
    return None


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
    blobs = (*manifest.layers, manifest.config)
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
