"""Images we make: a manifest and the blobs it names, complete and in memory.

>>> image = artifact_image(b"\\0asm\\1\\0\\0\\0", b'{"type":"envoy_proxy"}', {})
>>> [layer.title for layer in image.manifest.layers]
['runtime-config.json', 'plugin.wasm']

The rules behind the shapes: Wasm image specification (solo-io/wasm, spec.md and spec-compat.md)
and what Istio's fetcher takes (``docs/variants.md``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from wasmpack.oci import media_types as mt
from wasmpack.oci.canonical import canonical_json
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.digest import Digest
from wasmpack.oci.layer import tar_gzip
from wasmpack.oci.manifest import Manifest, parse_manifest

CREATED = "org.opencontainers.image.created"
COMPAT_MARK = {"module.wasm.image/variant": "compat"}
"""Should stand on a compat image (spec-compat.md); nobody checks it."""


class Variant(StrEnum):
    """The formats wasmpack writes, and the ones it only recognises."""

    OCI = "oci"
    COMPAT = "compat"
    DOCKER = "docker"
    CNCF = "cncf"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A manifest together with every blob it names, by digest."""

    manifest: Manifest
    blobs: Mapping[Digest, bytes]

    @property
    def size(self) -> int:
        """What a registry stores for it: manifest and blobs, in bytes."""
        return len(self.manifest.raw) + sum(len(blob) for blob in self.blobs.values())


def artifact_image(module: bytes, runtime_config: bytes, annotations: Mapping[str, str]) -> Image:
    """The ``oci`` variant: exactly two layers, configuration then module, both raw.

    The manifest's config is the configuration's own descriptor, as wasme writes it: a config of a
    type of its own is what image-spec (manifest.md, "Guidelines for Artifact Usage") asks for.
    """
    config = Descriptor.of(runtime_config, mt.WASM_CONFIG)
    layers = [
        Descriptor.of(runtime_config, mt.WASM_CONFIG, mt.RUNTIME_CONFIG_FILE),
        Descriptor.of(module, mt.WASM_CONTENT, mt.PLUGIN_FILE),
    ]
    return _image(mt.OCI_MANIFEST, config, layers, annotations, [runtime_config, module])


def filesystem_image(
    module: bytes,
    runtime_config: bytes | None,
    annotations: Mapping[str, str],
    *,
    docker: bool = False,
    mtime: int = 0,
) -> Image:
    """The ``compat`` variant, or ``docker`` with that engine's media types: one tar+gzip layer.

    ``plugin.wasm`` stands first in the tar, because the mesh's fetcher allocates every entry it
    has to pass (Istio imagefetcher.go, extractWasmPluginBinary). Docker's manifest has no
    annotations, so there they become labels of the image.
    """
    files = {mt.PLUGIN_FILE: module}
    if runtime_config is not None:
        files[mt.RUNTIME_CONFIG_FILE] = runtime_config
    layer = tar_gzip(files, mtime=mtime)
    config = _image_config(layer.diff_id, annotations, docker=docker)
    descriptor = Descriptor.of(config, mt.DOCKER_CONFIG if docker else mt.OCI_CONFIG)
    layers = [
        Descriptor.of(layer.data, mt.DOCKER_LAYER_TAR_GZIP if docker else mt.OCI_LAYER_TAR_GZIP)
    ]
    notes = {} if docker else {**annotations, **COMPAT_MARK}
    media_type = mt.DOCKER_MANIFEST if docker else mt.OCI_MANIFEST
    return _image(media_type, descriptor, layers, notes, [config, layer.data])


def variant_of(manifest: Manifest) -> Variant:
    """Which format an image by anybody is in, judged by its media types."""
    types = [layer.media_type for layer in manifest.layers]
    last = types[-1] if types else ""
    docker = mt.DOCKER_MANIFEST in {manifest.media_type, manifest.body_media_type}
    if docker:
        return Variant.DOCKER if last == mt.DOCKER_LAYER_TAR_GZIP else Variant.UNKNOWN
    if last == mt.OCI_LAYER_TAR_GZIP:
        return Variant.COMPAT
    if mt.WASM_CONTENT in types:
        return Variant.OCI
    cncf = manifest.config.media_type == mt.CNCF_CONFIG or mt.CNCF_WASM in types
    return Variant.CNCF if cncf else Variant.UNKNOWN


def _image_config(diff_id: Digest, annotations: Mapping[str, str], *, docker: bool) -> bytes:
    """An image configuration (image-spec config.md); the platform is the one fetchers ask for."""
    runtime: dict[str, object] = {"Labels": dict(annotations)} if docker and annotations else {}
    config: dict[str, object] = {
        "architecture": "amd64",
        "os": "linux",
        "config": runtime,
        "rootfs": {"type": "layers", "diff_ids": [str(diff_id)]},
        "history": [{"created_by": "wasmpack", "comment": "plugin.wasm"}],
    }
    if created := annotations.get(CREATED):
        config["created"] = created
    return canonical_json(config)


def _image(
    media_type: str,
    config: Descriptor,
    layers: list[Descriptor],
    annotations: Mapping[str, str],
    blobs: list[bytes],
) -> Image:
    body: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": config.as_json(),
        "layers": [layer.as_json() for layer in layers],
    }
    if annotations:
        body["annotations"] = dict(annotations)
    manifest = parse_manifest(canonical_json(body), media_type)
    return Image(manifest=manifest, blobs={Digest.of(blob): blob for blob in blobs})
