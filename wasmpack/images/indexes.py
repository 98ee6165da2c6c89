"""The way from an index to the image that a mesh would pull, through indexes in indexes.

go-containerregistry follows a linux/amd64 child that is an index as it follows the first one
(``Descriptor.Image``); it has no limit, wasmpack has :data:`DEEPEST`.
"""

from collections.abc import Callable, Iterator

from wasmpack.errors import BadArtifact, NotFound
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.manifest import Index, Manifest

GetManifest = Callable[[Descriptor], Manifest | Index]
DEEPEST = 16
"""Indexes in indexes that are followed."""


def linux_amd64(index: Index) -> Descriptor | None:
    """The child that every mesh pulls, whatever its own platform (go-containerregistry)."""
    for child in index.manifests:
        if child.platform is None or (
            (child.platform.os, child.platform.architecture) == ("linux", "amd64")
        ):
            return child
    return None


def mesh_image(top: Manifest | Index, get: GetManifest) -> Manifest | None:
    """The image that a mesh would pull; None where an index has no linux/amd64 child.

    :raises BadArtifact: more than :data:`DEEPEST` indexes in one another
    """
    found = mesh_path(top, get)[-1]
    return found if isinstance(found, Manifest) else None


def mesh_path(top: Manifest | Index, get: GetManifest) -> list[Manifest | Index]:
    """The documents from the first to the image that a mesh would pull, if there is one.

    :raises BadArtifact: more than :data:`DEEPEST` indexes in one another
    """
    path = [top]
    for _ in range(DEEPEST + 1):
        found = path[-1]
        child = linux_amd64(found) if isinstance(found, Index) else None
        if child is None:
            return path
        path.append(get(child))
    raise BadArtifact(f"an index that is more than {DEEPEST} deep")


def children(index: Index) -> list[Descriptor]:
    """Each child once, the one that meshes pull first."""
    first = linux_amd64(index)
    found = [*([first] if first else []), *index.manifests]
    return list({child.digest: child for child in found}.values())


def images_below(index: Index, get: GetManifest, most: int) -> Iterator[Manifest]:
    """The images of an index and of the indexes in it, the one that meshes pull first.

    Those that cannot be read are passed over.

    :param most: manifests and indexes that are read
    """
    waiting = children(index)[:most]
    for _ in range(most):
        if not waiting:
            return
        found = _readable(waiting.pop(0), get)
        if isinstance(found, Manifest):
            yield found
        elif found is not None:
            waiting = children(found)[:most] + waiting


def _readable(child: Descriptor, get: GetManifest) -> Manifest | Index | None:
    try:
        return get(child)
    except (BadArtifact, NotFound):
        return None
