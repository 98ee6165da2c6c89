"""Google Cloud Service Extensions' rule: a container image that holds ``plugin.wasm`` alone.

googleapis, google/cloud/networkservices/v1/extensibility.proto (``VersionDetails.image_uri``). Its
words are not published, so the reasons here are ours.
"""

from wasmpack.fetchers.refusal import REPACK, Refused
from wasmpack.findings import Command, Hint, Rule
from wasmpack.oci import media_types as mt
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.gunzip import UnreadableLayer
from wasmpack.oci.layers import Layers, topmost_first
from wasmpack.oci.manifest import Manifest

_SHOWN = 20
"""Other files that are named."""
NOT_ALONE = Rule(
    code="IMG007",
    title="the image holds more, or something else, than `plugin.wasm` alone",
    consumer="Google Cloud Service Extensions",
    example="FROM scratch\nCOPY plugin.wasm runtime-config.json ./",
    fix="`wasmpack repack IMAGE DESTINATION --variant compat --no-runtime-config`",
)
_PLAIN = ("--variant", "compat", "--no-runtime-config")
_ALONE = Hint(command=Command(REPACK.name, (*REPACK.arguments, *_PLAIN)))


def only_file(manifest: Manifest, layers: Layers) -> bytes:
    """The module's bytes.

    :raises Refused: an artifact, other files next to it, or none
    """
    for layer in manifest.layers:
        if layer.media_type not in mt.GZIPPED_TARS:
            text = f"this has a layer of type {layer.media_type[:200]}"
            raise Refused(text, "manifest.layers", _ALONE)
    plugins = [_plugin(layer, layers) for layer in topmost_first(manifest.layers)]
    found = next((plugin for plugin in plugins if plugin is not None), None)
    if found is None:
        raise Refused("this has no plugin.wasm", "image", _ALONE)
    return found


def _plugin(layer: Descriptor, layers: Layers) -> bytes | None:
    """The contents of ``/plugin.wasm``, the last one of that name."""
    plugin, others = None, set[str]()
    try:
        for file in layers.files(layer):
            if file.entry.regular and file.path == mt.PLUGIN_FILE.encode():
                plugin = file.content or b""
            elif file.entry.regular and len(others) < _SHOWN:
                others.add(file.shown[:200])
    except UnreadableLayer as error:
        raise Refused(error.reason, "manifest.layers", _ALONE) from None
    if others:
        names = ", ".join(sorted(others))[:200]
        raise Refused(f"this has {names} next to plugin.wasm", "image", _ALONE)
    return plugin
