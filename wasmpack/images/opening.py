"""From a place to the image that is there."""

from pathlib import Path
from typing import assert_never

from wasmpack.errors import NotFound, WrongUsage
from wasmpack.files.home import expanded
from wasmpack.images.image import Image
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.oci.place import (
    STREAM,
    ArchivePlace,
    DaemonPlace,
    LayoutPlace,
    NamePlace,
    Place,
    is_there,
)
from wasmpack.oci.reference import DOCKER_HUB, Reference
from wasmpack.stores.layout import Layout
from wasmpack.stores.local import LayoutReader, LocalReader, find_local, store_path
from wasmpack.stores.ports import ImageReader
from wasmpack.stores.session import Session


def open_image(place: Place, session: Session | None = None) -> Image:
    """The image at a place; it is read when somebody asks for it.

    A name is looked for in the local store first, then in its registry.

    :raises NotFound: nothing there
    """
    pinned = isinstance(place, NamePlace) and place.reference.digest is not None
    return Image(_reader(place, session or Session()), str(place), pinned=pinned)


def open_pushable(place: Place, session: Session) -> Image:
    """An image that can be pushed: a name means the local store only.

    :raises NotFound: it was not built here
    """
    if isinstance(place, NamePlace):
        reference = place.reference.with_default_tag()
        if find_local(reference) is None:
            refuse_path(place)
            hint = f"wasmpack build MODULE -t {reference}, or wasmpack copy between registries"
            raise NotFound(f"{reference}: not in the local store", hint=hint)
    return open_image(place, session)


def refuse_path(place: NamePlace) -> None:
    """Refuse names of local files and directories: they are never looked up on Docker Hub.

    :raises NotFound: the name of an existing path, without a registry
    """
    text = str(place)
    if place.remote or place.reference.registry != DOCKER_HUB or not is_there(Path(text).exists):
        return
    hub = f"docker.io/{text} is the image on Docker Hub"
    if is_there(Path(text).is_dir):
        raise NotFound(f"{text}: a directory here, not an image", hint=f"oci:{text}; {hub}")
    raise NotFound(
        f"{text}: a file here, not an image",
        hint=f"oci-archive:{text}, wasmpack inspect module {text}; {hub}",
    )


def require_image(image: Image) -> Manifest:
    """:raises WrongUsage: an index where one image is needed."""
    found = image.top
    if isinstance(found, Index):
        children = ", ".join(f"{c.platform or '?'} {c.digest}" for c in found.manifests[:4])
        raise WrongUsage(
            f"{image.reference} is an index of several images ({children})",
            hint="name one by its digest",
        )
    return found


def _reader(place: Place, session: Session) -> ImageReader:
    match place:
        case NamePlace():
            return _name_reader(place, session)
        case LayoutPlace():
            layout = Layout.open(expanded(place.path))
            return LayoutReader(layout, layout.find(place.tag, place.digest), "layout")
        case ArchivePlace():
            from wasmpack.stores.archive import open_archive

            path = Path("/dev/stdin") if place.path == STREAM else expanded(place.path)
            return open_archive(path, place.tag, place.digest)
        case DaemonPlace():
            from wasmpack.stores.daemon import DaemonReader

            return DaemonReader(place.reference)
        case _:
            assert_never(place)


def _name_reader(place: NamePlace, session: Session) -> ImageReader:
    reference = place.reference.with_default_tag()
    found = None if place.remote else find_local(reference)
    if found is not None:
        return LocalReader(Layout(store_path()), found, reference, session)
    if place.remote:
        return _registry_reader(reference, session)
    refuse_path(place)
    if not reference.names_registry:
        raise NotFound(
            f"{reference}: not in the local store, and the name has no registry",
            hint="wasmpack list; or a full name such as quay.io/me/plugin:v1",
        )
    session.notice(f"{reference}: not in the local store, asking the registry")
    return _registry_reader(reference, session)


def _registry_reader(reference: Reference, session: Session) -> ImageReader:
    from wasmpack.stores.registry.repository import RegistryReader

    return RegistryReader(reference, session.registry, session.notice)
