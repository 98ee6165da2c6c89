"""The module and the runtime configuration out of any image that has them, by anybody.

Lenient on purpose: used to look, to extract and to re-pack. What a mesh would make of the same
image is :mod:`wasmpack.readers.istio`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wasmpack.errors import BadArtifact
from wasmpack.oci import media_types as mt
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.readers.tar import TarEntry, UnreadableLayer, tar_entries

LIMIT = 256 * 1024 * 1024
"""Most bytes of a module or an unpacked layer: what the meshes read (``docs/variants.md``)."""

OpenBlob = Callable[[Descriptor], Iterator[bytes]]
"""A blob's bytes in pieces, verified at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What an image carries; ``layer`` is the one that holds the module."""

    module: bytes | None
    runtime_config: bytes | None
    layer: Descriptor | None


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
    if manifest.layers and manifest.layers[-1].media_type in mt.GZIPPED_TARS:
        found = _from_tar(manifest.layers[-1], open_blob)
        if found is not None:
            return found
    raw = raw_module(manifest)
    if raw is not None:
        config = runtime_config_blob(manifest)
        return Contents(
            module=_read(raw, open_blob),
            runtime_config=_read(config, open_blob) if config else None,
            layer=raw,
        )
    others = {d.digest: d for d in reversed(manifest.layers[:-1])}
    tars = (d for d in others.values() if d.media_type in mt.GZIPPED_TARS)
    unpacked = (_from_tar(layer, open_blob) for layer in tars)
    nothing = Contents(module=None, runtime_config=None, layer=None)
    return next((found for found in unpacked if found is not None), nothing)


def raw_module(manifest: Manifest) -> Descriptor | None:
    """The layer that is a module as it is, by its media type."""
    by_type = {layer.media_type: layer for layer in reversed(manifest.layers)}
    return next((by_type[kind] for kind in mt.RAW_MODULES if kind in by_type), None)


def runtime_config_blob(manifest: Manifest) -> Descriptor | None:
    """The blob that is a runtime configuration, by its media type."""
    blobs = (*manifest.layers, manifest.config)
    return next((blob for blob in blobs if blob.media_type == mt.WASM_CONFIG), None)


def _from_tar(layer: Descriptor, open_blob: OpenBlob) -> Contents | None:
    files = _unpack(layer, open_blob)
    plugin, config = files.get(mt.PLUGIN_FILE), files.get(mt.RUNTIME_CONFIG_FILE)
    if plugin is None:
        return None
    if not plugin.regular:
        raise BadArtifact(f"layer {layer.digest}: {plugin.name} is no regular file")
    return Contents(
        module=plugin.content,
        runtime_config=config.content if config else None,
        layer=layer,
    )


def _read(descriptor: Descriptor, open_blob: OpenBlob) -> bytes:
    if descriptor.size > LIMIT:
        raise BadArtifact(
            f"layer {descriptor.digest}: {descriptor.size} bytes, more than any mesh reads"
        )
    return b"".join(open_blob(descriptor))


def _unpack(layer: Descriptor, open_blob: OpenBlob) -> dict[str, TarEntry]:
    wanted = frozenset({mt.PLUGIN_FILE, mt.RUNTIME_CONFIG_FILE})
    found: dict[str, TarEntry] = {}
    try:
        for entry in tar_entries(open_blob(layer), LIMIT, wanted):
            found.setdefault(entry.basename, entry)
    except UnreadableLayer as error:
        raise BadArtifact(f"layer {layer.digest}: not a gzipped tar: {error.reason}") from error
    return found
