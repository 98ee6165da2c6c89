"""The formats of plugin images, and the images we make: complete and in memory.

>>> from wasmpack.proxy_abi.module import PluginModule
>>> image = artifact_image(PluginModule(b"\\0asm\\1\\0\\0\\0"), b'{"type":"envoy_proxy"}', {})
>>> [layer.title for layer in image.manifest.layers]
['runtime-config.json', 'plugin.wasm']

The rules behind the shapes: Wasm image specification (solo-io/wasm, spec.md and spec-compat.md)
and what Istio's fetcher takes (``docs/variants.md``).
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from wasmpack.oci import media_types as mt
from wasmpack.oci.canonical import canonical_json
from wasmpack.oci.descriptor import TITLE, Descriptor, Digest
from wasmpack.oci.manifest import Manifest, parse_manifest
from wasmpack.stores.ports import ImageReader

if TYPE_CHECKING:
    from wasmpack.proxy_abi.module import PluginModule
    from wasmpack.stores.verified import Readable

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


class BuiltImage(ImageReader):
    """A manifest together with every blob it names, by digest."""

    source = "memory"
    verified = True

    def __init__(self, manifest: Manifest, blobs: Mapping[Digest, bytes]) -> None:
        self.manifest = manifest
        self.blobs = blobs

    def get(self, _descriptor: Descriptor | None = None) -> Manifest:
        return self.manifest

    def open_blob(self, descriptor: Descriptor) -> Readable:
        return io.BytesIO(self.blobs[descriptor.digest])


def artifact_image(
    module: PluginModule, runtime_config: bytes, annotations: Mapping[str, str]
) -> BuiltImage:
    """The ``oci`` variant: exactly two layers, configuration then module, both raw.

    The manifest's config is the configuration's own descriptor, as wasme writes it: image-spec
    (manifest.md, "Guidelines for Artifact Usage") asks for a distinct config type.
    """
    config = Descriptor.of(runtime_config, mt.WASM_CONFIG)
    layers = [
        replace(config, annotations={TITLE: mt.RUNTIME_CONFIG_FILE}),
        Descriptor(
            media_type=mt.WASM_CONTENT,
            digest=module.digest,
            size=module.size,
            annotations={TITLE: mt.PLUGIN_FILE},
        ),
    ]
    blobs = {config.digest: runtime_config, module.digest: module.data}
    return _image(mt.OCI_MANIFEST, config, layers, annotations, blobs)


def filesystem_image(
    module: bytes,
    runtime_config: bytes | None,
    annotations: Mapping[str, str],
    *,
    docker: bool = False,
    mtime: int = 0,
) -> BuiltImage:
    """The ``compat`` variant, or ``docker`` with that engine's media types: one tar+gzip layer.

    ``plugin.wasm`` stands first in the tar, because the mesh's fetcher allocates every entry it
    has to pass (Istio imagefetcher.go, extractWasmPluginBinary). Docker's manifest has no
    annotations, so there they become labels of the image.
    """
    from wasmpack.oci.layer import tar_gzip

    files = {mt.PLUGIN_FILE: module}
    if runtime_config is not None:
        files[mt.RUNTIME_CONFIG_FILE] = runtime_config
    layer = tar_gzip(files, mtime=mtime)
    config = _image_config(layer.diff_id, annotations, docker=docker)
    descriptor = Descriptor.of(config, mt.DOCKER_CONFIG if docker else mt.OCI_CONFIG)
    packed = Descriptor.of(
        layer.data, mt.DOCKER_LAYER_TAR_GZIP if docker else mt.OCI_LAYER_TAR_GZIP
    )
    notes = {} if docker else {**annotations, **COMPAT_MARK}
    media_type = mt.DOCKER_MANIFEST if docker else mt.OCI_MANIFEST
    blobs = {descriptor.digest: config, packed.digest: layer.data}
    return _image(media_type, descriptor, [packed], notes, blobs)


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
    blobs: Mapping[Digest, bytes],
) -> BuiltImage:
    body: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": config.as_json(),
        "layers": [layer.as_json() for layer in layers],
    }
    if annotations:
        body["annotations"] = dict(annotations)
    manifest = parse_manifest(canonical_json(body), media_type)
    return BuiltImage(manifest, blobs)
