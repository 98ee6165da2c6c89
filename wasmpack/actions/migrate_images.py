"""The images of ServiceMeshExtensions, packed for WasmPlugins."""

from collections.abc import Callable, Collection
from dataclasses import replace

from wasmpack.actions.image_moves import Arrival, ImageOutcome, ImageStatus, move_images
from wasmpack.actions.repack import BASE_DIGEST, BASE_NAME, RepackRequest, repack_image
from wasmpack.errors import NotFound, WouldOverwrite
from wasmpack.images.image import Image
from wasmpack.images.opening import open_image
from wasmpack.mesh.migration.extension import NewImage
from wasmpack.mesh.migration.extension_manifest import ExtensionManifest
from wasmpack.oci.descriptor import Digest
from wasmpack.oci.manifest import Manifest
from wasmpack.oci.place import NamePlace
from wasmpack.oci.prefix import Prefix
from wasmpack.stores.session import Session


def migrate_images(
    names: Collection[str],
    prefix: str,
    request: RepackRequest,
    session: Session,
    *,
    advance: Callable[[ImageOutcome], None],
    remote: bool = False,
) -> dict[str, ImageOutcome]:
    """Pack all images again; what an earlier run has packed from the same one is left as it is.

    :param prefix: registry and path that the images go below
    :param advance: notified of each that is done
    """

    def repacked(source: NamePlace, target: NamePlace, quiet: Session) -> Arrival:
        image = _packed_before(source, target, quiet, force=request.force)
        status = ImageStatus.EXISTS if image else ImageStatus.PACKED
        image = image or repack_image(source, target, request, quiet).image
        return Arrival(status, image.digest, image.annotations)

    below = Prefix.of_registry(prefix, "--images")
    return move_images(names, below, repacked, session, advance=advance, remote=remote)


def new_image(outcome: ImageOutcome, *, pin: bool) -> NewImage | None:
    """The image that the resource points at; None if there is none."""
    if outcome.status is ImageStatus.FAILED:
        return None
    pinned = f"@{outcome.digest}" if pin else ""
    return NewImage(
        url=f"oci://{outcome.destination}{pinned}",
        sha256=Digest.parse(outcome.digest).hex if pin else "",
        manifest=ExtensionManifest.from_annotations(outcome.annotations),
    )


def _packed_before(
    source: NamePlace, target: NamePlace, session: Session, *, force: bool
) -> Image | None:
    """The image at the target, if it was made of the one at the source.

    :raises WouldOverwrite: there is another one, made of something else
    """
    reaching = replace(session, registry=session.writing)
    there = open_image(NamePlace(target.reference, remote=True), reaching)
    try:
        marks = there.top.annotations if isinstance(there.top, Manifest) else {}
    except NotFound:
        return None
    here = open_image(source, session.reading(source, target)).manifest
    if here and marks.get(BASE_DIGEST) == str(here.digest):
        return there
    if marks.get(BASE_NAME) != str(source) and not force:
        made_of = marks.get(BASE_NAME, "something else")
        raise WouldOverwrite(
            f"{target} is there already, made of {made_of}", hint="another PREFIX, or --force"
        )
    return None
