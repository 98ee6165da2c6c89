"""Google Cloud Service Extensions' rule: a container image that holds ``plugin.wasm`` alone.

googleapis, google/cloud/networkservices/v1/extensibility.proto (``VersionDetails.image_uri``). Its
words are not published, so the reasons here are ours.
"""

from wasmpack.oci import media_types as mt
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.manifest import Manifest
from wasmpack.readers.contents import OpenBlob
from wasmpack.readers.refusal import Refused
from wasmpack.readers.tar import UnreadableLayer, tar_entries

_LIMIT = 1 << 28
_ALONE = "wasmpack repack IMAGE DESTINATION --variant compat --no-runtime-config"


def only_file(manifest: Manifest, open_blob: OpenBlob) -> bytes:
    """The module's bytes.

    :raises Refused: an artifact, other files beside it, or none
    """
    files: dict[str, bytes] = {}
    for layer in manifest.layers:
        if layer.media_type not in mt.GZIPPED_TARS:
            raise Refused(f"this has a layer of type {layer.media_type}", "manifest.layers", _ALONE)
        files |= _files(layer, open_blob)
    others = sorted(files.keys() - {mt.PLUGIN_FILE})
    if others:
        raise Refused(f"this has {', '.join(others)[:200]} beside plugin.wasm", "image", _ALONE)
    if mt.PLUGIN_FILE not in files:
        raise Refused("this has no plugin.wasm", "image", _ALONE)
    return files[mt.PLUGIN_FILE]


def _files(layer: Descriptor, open_blob: OpenBlob) -> dict[str, bytes]:
    """Every file by its path, with the content of the plugin alone."""
    found: dict[str, bytes] = {}
    try:
        for entry in tar_entries(open_blob(layer), _LIMIT, None):
            name = entry.name.removeprefix("./").lstrip("/")
            if entry.regular:
                found[name] = entry.content if name == mt.PLUGIN_FILE else b""
    except UnreadableLayer as error:
        raise Refused(error.reason, "manifest.layers", _ALONE) from None
    return found
