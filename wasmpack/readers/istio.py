"""Istio's image fetcher, replayed (pkg/wasm/imagefetcher.go and cache.go).

The decisions are taken in its order and with its texts, without the wrappers around them and the
address of the image, so that they can be found in istio-agent's log. Which rules hold for a release
is data: ``targets/data``. Envoy Gateway's fetcher (internal/wasm/imagefetcher.go) differs only in
what it says of modules that are too large.
"""

from wasmpack.oci import media_types as mt
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.manifest import Manifest
from wasmpack.readers.contents import OpenBlob
from wasmpack.readers.refusal import Refused
from wasmpack.readers.tar import UnreadableLayer, tar_entries
from wasmpack.targets import ImageRules, Reader

_REPACK = "wasmpack repack IMAGE DESTINATION"
_SMALLER = "strip debug information (wasm-opt --strip-debug), or make the plugin smaller"
_UNLIMITED = 1 << 29
"""What is read of a tar where the fetcher has no limit: 512 MiB, so that no bomb fills memory."""


def extract(manifest: Manifest, open_blob: OpenBlob, rules: ImageRules) -> bytes:
    """By the media type inside the body: Docker rules alone, or compat and then the artifact's."""
    if manifest.body_media_type == mt.DOCKER_MANIFEST:
        try:
            return _from_tar(manifest, open_blob, rules, mt.DOCKER_LAYER_TAR_GZIP)
        except Refused as refused:
            raise Refused(
                f"could not extract Wasm file from the image as Docker container {refused.text}",
                refused.where,
                refused.hint,
            ) from None
    try:
        return _from_tar(manifest, open_blob, rules, mt.OCI_LAYER_TAR_GZIP)
    except Refused as compat:
        try:
            return _from_artifact(manifest, open_blob, rules)
        except Refused as artifact:
            raise Refused(
                "the given image is in invalid format as an OCI image: 2 errors occurred: "
                f"* could not parse as compat variant: {compat.text} "
                f"* could not parse as oci variant: {artifact.text}",
                f"{compat.where}; {artifact.where}"
                if compat.where != artifact.where
                else compat.where,
                compat.hint,
            ) from None


def _from_tar(manifest: Manifest, open_blob: OpenBlob, rules: ImageRules, expected: str) -> bytes:
    layers = manifest.layers
    if rules.one_layer and len(layers) != 1:
        raise Refused(
            f"number of layers must be 1 but got {len(layers)}", "manifest.layers", _REPACK
        )
    if not layers:
        raise Refused("number of layers must be greater than zero", "manifest.layers", _REPACK)
    last, where = layers[-1], f"manifest.layers[{len(layers) - 1}]"
    if last.media_type != expected:
        raise Refused(f"invalid media type {last.media_type} (expect {expected})", where, _REPACK)
    return _plugin_in_tar(last, where, open_blob, rules)


def _plugin_in_tar(layer: Descriptor, where: str, open_blob: OpenBlob, rules: ImageRules) -> bytes:
    """The first entry of that basename, whatever it is."""
    explicit = rules.reader is Reader.ENVOY_GATEWAY
    limit = (None if explicit else rules.tar_limit) or _UNLIMITED
    try:
        entry = next(tar_entries(open_blob(layer), limit, frozenset({mt.PLUGIN_FILE})), None)
    except UnreadableLayer as error:
        gzip = "failed to parse layer as tar.gz: " if "gzip" in error.reason else ""
        raise Refused(
            f"could not extract wasm binary: {gzip}{error.reason}", where, _REPACK
        ) from None
    if entry is None:
        raise Refused(
            "could not extract wasm binary: plugin.wasm not found in the archive",
            where,
            f"only the last layer is looked at, and the file must be called plugin.wasm: {_REPACK}",
        )
    size = len(entry.content)
    if explicit and rules.tar_limit is not None and size > rules.tar_limit:
        text = f"plugin.wasm size {size} exceeds maximum size {rules.tar_limit}"
        raise Refused(text, where, _SMALLER)
    return entry.content


def _from_artifact(manifest: Manifest, open_blob: OpenBlob, rules: ImageRules) -> bytes:
    if len(manifest.layers) != 2:
        raise Refused(
            f"number of layers must be 2 but got {len(manifest.layers)}",
            "manifest.layers",
            _REPACK,
        )
    for layer in manifest.layers:
        if layer.media_type == mt.WASM_CONTENT and layer.digest != manifest.config.digest:
            return _raw(layer, open_blob, rules)
    raise Refused(f"could not find the layer of type {mt.WASM_CONTENT}", "manifest.layers", _REPACK)


def _raw(layer: Descriptor, open_blob: OpenBlob, rules: ImageRules) -> bytes:
    """Raw bytes; what is over the limit is cut and accepted (imagefetcher.go, io.LimitReader)."""
    limit = rules.content_limit
    data = b"".join(open_blob(layer))
    if limit is None or len(data) <= limit:
        return data
    if rules.reader is Reader.ENVOY_GATEWAY:
        raise Refused(f"wasm layer size exceeds maximum size {limit}", "manifest.layers", _SMALLER)
    return data[:limit]
