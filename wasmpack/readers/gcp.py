"""Google Cloud Service Extensions' rule: a container image that holds ``plugin.wasm`` alone.

googleapis, google/cloud/networkservices/v1/extensibility.proto (``VersionDetails.image_uri``). Its
words are not published, so the reasons here are ours.
"""

from wasmpack.oci import media_types as mt
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.manifest import Manifest
from wasmpack.readers.contents import OpenBlob
from wasmpack.readers.refusal import Refused
from wasmpack.readers.tar import TarEntry, UnreadableLayer, tar_entries

_LIMIT = 1 << 28
_ALONE = "wasmpack repack IMAGE DESTINATION --variant compat --no-runtime-config"


def only_file(manifest: Manifest, open_blob: OpenBlob) -> bytes:
    """The module's bytes.

    :raises Refused: an artifact, other files beside it, or none
    """
    files: dict[str, TarEntry] = {}
    for layer in manifest.layers:
        if layer.media_type not in mt.GZIPPED_TARS:
            raise Refused(f"layer of type {layer.media_type}", "manifest.layers", _ALONE)
        files |= _files(layer, open_blob)
    others = sorted(files.keys() - {mt.PLUGIN_FILE})
    if others:
        raise Refused(f"{', '.join(others)[:200]} beside plugin.wasm", "image", _ALONE)
    if mt.PLUGIN_FILE not in files:
        raise Refused("no plugin.wasm", "image", _ALONE)
    return files[mt.PLUGIN_FILE].content


def _files(layer: Descriptor, open_blob: OpenBlob) -> dict[str, TarEntry]:
    try:
        entries = list(tar_entries(open_blob(layer), _LIMIT, None))
    except UnreadableLayer as error:
        raise Refused(error.reason, "manifest.layers", _ALONE) from None
    return {entry.name.removeprefix("./").lstrip("/"): entry for entry in entries if entry.regular}
