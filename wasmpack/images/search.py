"""Every module in any image, wherever it is and whatever it is called.

For images that no mesh loads: artifacts of one layer, media types of other projects, modules under
another name, in another layer, compressed once too often. What a mesh would find is
:class:`wasmpack.images.image.Contents`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from wasmpack.errors import BadArtifact
from wasmpack.oci import media_types as mt
from wasmpack.oci.budget import Budget
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.gunzip import UnreadableLayer
from wasmpack.oci.layers import MODULE, LayerFile, Layers, OpenBlob, path_of, topmost_first
from wasmpack.oci.manifest import Manifest
from wasmpack.oci.stream import Compression
from wasmpack.oci.tar import TarEntry
from wasmpack.oci.tar_header import FILE, FOLDER, starts_tar

_OPAQUE = b".wh..wh..opq"
_DELETED = b".wh."
"""Prefix of a name that a layer takes out of those below (image-spec, layer.md, "Whiteouts")."""
_LONGEST_PATH = 4096
"""Bytes of a path that a file can have (Linux, PATH_MAX)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFiles:
    """Candidates: module files by their paths, and the runtime configuration."""

    modules: dict[str, bytes]
    """Bytes of each WebAssembly module, by its path."""
    runtime_config: bytes | None
    """Bytes of ``runtime-config.json``; None if there is none."""
    extension_manifest: bytes | None = None
    """``/manifest.yaml``: of an image for ServiceMeshExtension."""
    damage: tuple[str, ...] = ()
    """Why layers could not be read to their ends, behind a module."""


def search(manifest: Manifest, open_blob: OpenBlob) -> FoundFiles:
    """Look into every layer as what its bytes are, not as what its media type says.

    :raises BadArtifact: a layer that is too large, or of a compression that is not read here
    """
    layers = Layers.of(open_blob)
    upper = _Upper(layers.budget)
    found: list[dict[str, bytes]] = []
    damage: list[str] = []
    for layer in topmost_first(manifest.layers):
        found.append(upper.add(_files(layer, layers, damage)))
    visible = {name: data for files in reversed(found) for name, data in files.items()}
    if manifest.config is not None and manifest.config.media_type == mt.WASM_CONFIG:
        visible.setdefault(mt.RUNTIME_CONFIG_FILE, layers.read(manifest.config))
    return FoundFiles(
        modules={name: data for name, data in visible.items() if data[:8] == MODULE},
        runtime_config=next((data for name, data in visible.items() if _is_config(name)), None),
        extension_manifest=visible.get(mt.EXTENSION_FILE),
        damage=tuple(damage),
    )


class _Upper:
    """Paths that upper layers hide in lower ones (image-spec, layer.md, "Applying").

    Whiteouts hide only what lies below, wherever they stand in their own layer.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._names: set[bytes] = set()
        """Paths of which something else is there now."""
        self._trees: set[bytes] = set()
        """Paths of which, and under which, nothing is left: files, links, what was deleted."""
        self._opaque: set[bytes] = set()
        """Directories of which nothing is left that was in them."""

    def add(self, files: Iterator[LayerFile]) -> dict[str, bytes]:
        """The visible candidates of the next layer."""
        found: dict[bytes, LayerFile] = {}
        names, trees, opaque = set[bytes](), set[bytes](), set[bytes]()
        for file in files:
            path = file.path.rstrip(b"/")
            if len(path) > _LONGEST_PATH:
                continue  # no file can have it, nor does it hide one
            folder, _, base = path.rpartition(b"/")
            if base == _OPAQUE:
                opaque.add(folder)
            elif base.startswith(_DELETED):
                trees.add(path_of(folder + b"/" + base.removeprefix(_DELETED)))
            else:
                (names if file.entry.kind == FOLDER else trees).add(path)
                found.pop(path, None)
                if file.content is not None and file.entry.regular and not self._hides(path):
                    found[path] = file
        self._names |= names
        self._trees |= trees
        self._opaque |= opaque
        return {file.shown: file.content for file in found.values() if file.content is not None}

    def _hides(self, path: bytes) -> bool:
        if path in self._names or path in self._trees:
            return True
        if b"" in self._opaque:
            return True
        self._budget.enter(0, records=path.count(b"/"))
        folders = [path[:at] for at, byte in enumerate(path) if byte == ord("/")]
        return any(folder in self._trees or folder in self._opaque for folder in folders)


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


def _files(layer: Descriptor, layers: Layers, damage: list[str]) -> Iterator[LayerFile]:
    """Contents of a layer: the files of a tar, or one file named by the layer's title."""
    try:
        start, compression = layers.start(layer)
    except UnreadableLayer as error:
        raise BadArtifact(f"layer {layer.digest}: {error.reason}") from error
    if start[:8] == MODULE:
        yield _file(layer.title or mt.PLUGIN_FILE, layers.read(layer, compression))
    elif layer.media_type == mt.WASM_CONFIG:
        yield _file(mt.RUNTIME_CONFIG_FILE, layers.read(layer, compression))
    elif starts_tar(start):
        yield from _tar_files(layer, layers, damage, compression)


def _tar_files(
    layer: Descriptor, layers: Layers, damage: list[str], compression: Compression
) -> Iterator[LayerFile]:
    """Use the files before a damaged place, since meshes read no further either."""
    useful = False
    try:
        for file in layers.files(layer, compression=compression):
            useful = useful or file.content is not None
            yield file
    except UnreadableLayer as error:
        if not useful:
            raise BadArtifact(f"layer {layer.digest}: {error.reason}") from error
        damage.append(f"layer {layer.digest} is damaged: {error.reason}")


def _file(name: str, content: bytes) -> LayerFile:
    """A layer that is a file, as if it lay in a tar."""
    size = len(content)
    entry = TarEntry(name=name.encode(), kind=FILE, size=size, start=0, data=0, end=size)
    return LayerFile(entry=entry, content=content)
