"""Istio's image fetcher, replayed (pkg/wasm/imagefetcher.go and cache.go).

The decisions are taken in its order and with its texts, without the wrappers around them and the
address of the image, so that they can be found in istio-agent's log. Which rules hold for a release
is data: ``targets/data``. Envoy Gateway's fetcher (internal/wasm/imagefetcher.go) differs only in
what it says of modules that are too large.
"""

from dataclasses import replace

from wasmpack.fetchers.go_json import refused_by_go
from wasmpack.fetchers.refusal import REPACK, Refused
from wasmpack.findings import Hint, Rule
from wasmpack.oci import media_types as mt
from wasmpack.oci.budget import LIMIT
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.gunzip import UNEXPECTED_EOF, NotGzip, UnreadableLayer
from wasmpack.oci.layers import LayerFile, Layers
from wasmpack.oci.manifest import Manifest
from wasmpack.oci.tar_header import HEADER_ONLY
from wasmpack.targets import Fetcher, ImageRules

REFUSED = Rule(
    code="IMG001",
    title="the mesh's fetcher refuses the image",
    cause="its own text is quoted",
    consumer="Istio, OpenShift Service Mesh, Envoy Gateway, Higress, by release; Envoy itself as "
    "the newest Istio",
    example="oras push quay.io/me/plugin:v1 plugin.wasm",
    fix="`wasmpack repack` makes one they take",
)
_REPACK = Hint(command=REPACK)
_AGAIN = Hint(command=REPACK, after=" writes a manifest that they read")
_SMALLER = "strip debug information (wasm-opt --strip-debug), or make the plugin smaller"
_SHOWN = 200
"""Characters of somebody's media type."""
_UNLIMITED = 1 << 29
"""Most bytes read of a tar if the fetcher has no limit: 512 MiB, so that no bomb fills memory."""
_MOST_ALLOCATED = 1 << 48
"""Bytes of address space (Go runtime, maxAlloc): a slice beyond ends istio-agent."""


def extract(manifest: Manifest, layers: Layers, rules: ImageRules) -> bytes:
    """By the media type inside the body: Docker rules alone, or compat and then the artifact's."""
    if text := refused_by_go(manifest):
        raise Refused(f"could not retrieve manifest: {text}", "manifest", _AGAIN)
    manifest = _first_of_each_digest(manifest)
    if manifest.body_media_type == mt.DOCKER_MANIFEST:
        try:
            return _from_tar(manifest, layers, rules, mt.DOCKER_LAYER_TAR_GZIP)
        except Refused as refused:
            raise Refused(
                f"could not extract Wasm file from the image as Docker container {refused.text}",
                refused.where,
                refused.hint,
            ) from None
    try:
        return _from_tar(manifest, layers, rules, mt.OCI_LAYER_TAR_GZIP)
    except Refused as compat:
        try:
            return _from_artifact(manifest, layers, rules)
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


def _first_of_each_digest(manifest: Manifest) -> Manifest:
    """A layer is described by the first descriptor of its digest, the config's too
    (go-containerregistry, partial.BlobDescriptor).
    """
    config = () if manifest.config is None else (manifest.config,)
    first = {found.digest: found for found in reversed((*config, *manifest.layers))}
    return replace(manifest, layers=tuple(first[layer.digest] for layer in manifest.layers))


def _from_tar(manifest: Manifest, layers: Layers, rules: ImageRules, expected: str) -> bytes:
    count = len(manifest.layers)
    if rules.one_layer and count != 1:
        raise Refused(f"number of layers must be 1 but got {count}", "manifest.layers", _REPACK)
    if not count:
        raise Refused("number of layers must be greater than zero", "manifest.layers", _REPACK)
    last, where = manifest.layers[-1], f"manifest.layers[{count - 1}]"
    if last.media_type != expected:
        text = f"invalid media type {last.media_type[:_SHOWN]} (expect {expected})"
        raise Refused(text, where, _REPACK)
    return _plugin_in_tar(last, where, layers, rules)


def _plugin_in_tar(layer: Descriptor, where: str, layers: Layers, rules: ImageRules) -> bytes:
    """The first entry of that basename, whatever it is."""
    explicit = rules.reader is Fetcher.ENVOY_GATEWAY
    limit = (None if explicit else rules.tar_limit) or _UNLIMITED
    try:
        found = next(filter(_is_chosen, layers.files(layer, limit=limit)), None)
    except UnreadableLayer as error:
        gzip = "failed to parse layer as tar.gz: " if isinstance(error, NotGzip) else ""
        raise Refused(
            f"could not extract wasm binary: {gzip}{error.reason}", where, _REPACK
        ) from None
    if found is None:
        raise Refused(
            "could not extract wasm binary: plugin.wasm not found in the archive",
            where,
            Hint(
                "only the last layer is looked at, and the file must be called plugin.wasm: ",
                REPACK,
            ),
        )
    size = found.entry.size
    if explicit and rules.tar_limit is not None and size > rules.tar_limit:
        text = f"plugin.wasm size {size} exceeds maximum size {rules.tar_limit}"
        raise Refused(text, where, _SMALLER)
    if found.content is None and found.entry.read_to <= limit:
        text = f"plugin.wasm has {size} bytes, more than the {LIMIT} that are read here"
        raise Refused(text, where, _SMALLER)
    if found.content is None or len(found.content) < size:
        end = "EOF" if found.entry.kind in HEADER_ONLY else UNEXPECTED_EOF
        text = f"could not extract wasm binary: failed to read plugin.wasm: {end}"
        raise Refused(text, where, _REPACK)
    return found.content


def _is_chosen(file: LayerFile) -> bool:
    """True if it has the name; each entry that is passed by gets a buffer of its size too."""
    if not 0 <= file.entry.size <= _MOST_ALLOCATED:
        raise UnreadableLayer("panic: runtime error: makeslice: len out of range")
    return file.entry.basename == mt.PLUGIN_FILE.encode()


def _from_artifact(manifest: Manifest, layers: Layers, rules: ImageRules) -> bytes:
    if len(manifest.layers) != 2:
        raise Refused(
            f"number of layers must be 2 but got {len(manifest.layers)}",
            "manifest.layers",
            _REPACK,
        )
    for layer in manifest.layers:
        if layer.media_type == mt.WASM_CONTENT:
            return _raw(layer, layers, rules)
    raise Refused(f"could not find the layer of type {mt.WASM_CONTENT}", "manifest.layers", _REPACK)


def _raw(layer: Descriptor, layers: Layers, rules: ImageRules) -> bytes:
    """Raw bytes; what is over the limit is cut and accepted (imagefetcher.go, io.LimitReader)."""
    limit = rules.content_limit
    data = layers.read(layer)
    if limit is None or len(data) <= limit:
        return data
    if rules.reader is Fetcher.ENVOY_GATEWAY:
        raise Refused(f"wasm layer size exceeds maximum size {limit}", "manifest.layers", _SMALLER)
    return data[:limit]
