"""Every module in an image by anybody, wherever it lies and whatever it is called.

For images that no mesh loads: artifacts of one layer, media types of other projects, modules under
another name, in another layer, compressed once too often. What a mesh would find is
:mod:`wasmpack.readers.contents`.
"""

import io
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from wasmpack.errors import BadArtifact
from wasmpack.oci import media_types as mt
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.layer import gunzip
from wasmpack.oci.manifest import Manifest
from wasmpack.readers.contents import LIMIT, OpenBlob
from wasmpack.readers.tar import UnreadableLayer, entries_of_tar

_MODULE = b"\0asm\1\0\0\0"
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
EXTENSION = "manifest.yaml"
"""What Maistra's image cache looks for in the root (maistra/istio mec/pkg/pullstrategy/ossm)."""
_OPAQUE = ".wh..wh..opq"
_DELETED = ".wh."
"""Prefix of a name that a layer takes out of those below (image-spec, layer.md, "Whiteouts")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFiles:
    """What could be meant: module files by their paths, and the runtime configuration."""

    modules: dict[str, bytes]
    runtime_config: bytes | None
    extension_manifest: bytes | None = None
    """``/manifest.yaml``: of an image for ServiceMeshExtension."""


def search(manifest: Manifest, open_blob: OpenBlob) -> FoundFiles:
    """Look into every layer as what its bytes are, not as what its media type says.

    :raises BadArtifact: a layer that is too large, or of a compression that is not read here
    """
    files: dict[str, bytes] = {}
    for layer in manifest.layers:
        for name, content in _files(layer, open_blob):
            folder, _, base = name.rpartition("/")
            if base.startswith(_DELETED):
                _delete(files, folder, base)
            elif content[:8] == _MODULE or base == mt.RUNTIME_CONFIG_FILE or name == EXTENSION:
                files[name] = content
            else:
                files.pop(name, None)
    if manifest.config.media_type == mt.WASM_CONFIG:
        files.setdefault(mt.RUNTIME_CONFIG_FILE, _read(manifest.config, open_blob))
    return FoundFiles(
        modules={name: data for name, data in files.items() if data[:8] == _MODULE},
        runtime_config=next((data for name, data in files.items() if _is_config(name)), None),
        extension_manifest=files.get(EXTENSION),
    )


def _delete(files: dict[str, bytes], folder: str, mark: str) -> None:
    """What a whiteout takes away: a file, a folder with all in it, or all that was in its own."""
    path = folder if mark == _OPAQUE else f"{folder}/{mark.removeprefix(_DELETED)}".lstrip("/")
    inside = f"{path}/" if path else ""
    for name in [name for name in files if name == path or name.startswith(inside)]:
        del files[name]


def _is_config(name: str) -> bool:
    return name.rpartition("/")[2] == mt.RUNTIME_CONFIG_FILE


def choose_module(found: FoundFiles, wanted: str | None) -> tuple[str, bytes]:
    """The module that was named, or called ``plugin.wasm``, or the only one.

    :raises BadArtifact: none, or several to choose from
    """
    modules = found.modules
    if wanted is not None:
        if wanted.lstrip("/") in modules:
            return wanted, modules[wanted.lstrip("/")]
        raise BadArtifact(f"no WebAssembly module {wanted} in this image", hint=_those(modules))
    named = [name for name in modules if name.rpartition("/")[2] == mt.PLUGIN_FILE]
    names = named or list(modules)
    if len(names) == 1:
        return names[0], modules[names[0]]
    if not names:
        raise BadArtifact("no WebAssembly module in any layer of this image")
    raise BadArtifact(f"{len(names)} modules in this image", hint=_those(modules))


def _those(modules: dict[str, bytes]) -> str:
    return f"--module, one of: {', '.join(list(modules)[:20])}" if modules else ""


def _files(layer: Descriptor, open_blob: OpenBlob) -> Iterator[tuple[str, bytes]]:
    data = _read(layer, open_blob)
    if data[:2] == _GZIP:
        data = _unzipped(layer, data)
    if data[:4] == _ZSTD:
        raise BadArtifact(
            f"layer {layer.digest}: compressed with zstd, which is not read here",
            hint="skopeo copy --dest-compress-format gzip, then again",
        )
    if data[:8] == _MODULE:
        yield layer.title or mt.PLUGIN_FILE, data
    elif layer.media_type == mt.WASM_CONFIG:
        yield mt.RUNTIME_CONFIG_FILE, data
    elif _is_tar(data):
        yield from _tar_files(layer, data)


def _is_tar(data: bytes) -> bool:
    try:
        return tarfile.is_tarfile(io.BytesIO(data))
    except ValueError:  # of numbers in extended headers that are none
        return False


def _tar_files(layer: Descriptor, data: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        for entry in entries_of_tar(iter([data]), LIMIT, None):
            if entry.regular:
                yield entry.name.removeprefix("./").lstrip("/"), entry.content
    except UnreadableLayer as error:
        raise BadArtifact(f"layer {layer.digest}: {error.reason}") from error


def _read(descriptor: Descriptor, open_blob: OpenBlob) -> bytes:
    if descriptor.size > LIMIT:
        raise BadArtifact(f"layer {descriptor.digest}: {descriptor.size} bytes, more than {LIMIT}")
    return b"".join(open_blob(descriptor))


def _unzipped(layer: Descriptor, data: bytes) -> bytes:
    """At most ``LIMIT`` bytes of it."""
    try:
        return b"".join(gunzip(iter([data]), LIMIT))
    except zlib.error as error:
        raise BadArtifact(f"layer {layer.digest}: damaged gzip: {error}") from error
