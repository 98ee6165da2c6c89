"""The images of ServiceMeshExtensions, packed for WasmPlugins: many at once, and again at will."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum

from wasmpack.actions.repack import BASE_DIGEST, BASE_NAME, RepackRequest, repack_image
from wasmpack.errors import NotFound, WasmpackError, WouldOverwrite, WrongUsage, silence
from wasmpack.images.image import Image
from wasmpack.images.opening import open_image
from wasmpack.mesh.migration.extension import NewImage
from wasmpack.mesh.migration.extension_manifest import ExtensionManifest
from wasmpack.oci.descriptor import Digest
from wasmpack.oci.manifest import Manifest
from wasmpack.oci.place import NamePlace
from wasmpack.oci.reference import LATEST, Reference
from wasmpack.stores.session import Session

_AT_ONCE = 4
_HEX_IN_TAG = 12
_TAG_BEFORE_DIGEST = 100
"""Characters of a tag of 128 that are kept before a short digest."""


class ImageStatus(StrEnum):
    """The result for an image."""

    PACKED = "packed"
    EXISTS = "exists"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOutcome:
    """One image of the old form, and what became of it."""

    source: str
    """The old image."""
    destination: str
    """The name of the new one."""
    status: ImageStatus
    """The result."""
    digest: str = ""
    """Digest of the new image; empty if it failed."""
    manifest: ExtensionManifest | None = None
    """Contents of ``/manifest.yaml`` in the old image."""
    reason: str = ""
    """Why it failed."""
    hint: str = ""
    """The next step after a failure."""

    def new_image(self, *, pin: bool) -> NewImage | None:
        """The image that the resource points at; None if there is none."""
        if self.status is ImageStatus.FAILED:
            return None
        pinned = f"@{self.digest}" if pin else ""
        hexadecimal = Digest.parse(self.digest).hex if pin else ""
        return NewImage(
            url=f"oci://{self.destination}{pinned}", sha256=hexadecimal, manifest=self.manifest
        )

    def as_json(self) -> dict[str, object]:
        """The shape of one row of ``images`` in the report."""
        return {
            "source": self.source,
            "destination": self.destination,
            "status": self.status.value,
            "digest": self.digest or None,
            "reason": self.reason,
        }


def migrate_images(
    images: Sequence[str],
    prefix: str,
    request: RepackRequest,
    session: Session,
    *,
    advance: Callable[[ImageOutcome], None],
    remote: bool = False,
) -> dict[str, ImageOutcome]:
    """All images, several at once; one that fails stops no other.

    What an earlier run has packed from the same image is left as it is.

    :param prefix: registry and path that the images go below
    :param advance: told of each that is done
    """
    names = destinations(images, prefix)
    quiet = replace(session, notice=silence, progress=None)  # many are on their way at once
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running = {
            image: pool.submit(_one, image, names[image], request, quiet, remote=remote)
            for image in dict.fromkeys(images)
        }
        found = {}
        for image, future in running.items():
            found[image] = future.result()
            advance(found[image])
    return found


def destinations(images: Sequence[str], prefix: str) -> Mapping[str, str]:
    """Destination of each image: its last name below the prefix, or more if two would collide.

    :raises WrongUsage: the prefix is not a registry and path
    """
    prefix = prefix.removeprefix("oci://").removeprefix("docker://").rstrip("/")
    if Reference.parse(f"{prefix}/x").registry not in {prefix.partition("/")[0], "docker.io"}:
        raise WrongUsage(f"--images {prefix}: expected HOST[:PORT]/PATH")
    parsed = {image: _reference(image) for image in images}
    short = {image: _short(reference) for image, reference in parsed.items() if reference}
    shared = Counter(short.values())
    found = dict.fromkeys(images, "")
    for image, reference in parsed.items():
        if reference is None:
            continue
        if shared[short[image]] == 1:
            found[image] = f"{prefix}/{short[image]}"
            continue
        host = reference.registry.replace(":", "-").strip("[]").lower()
        tag = reference.tag or _short_digest(reference) or LATEST
        if reference.tag and reference.digest:
            tag = f"{reference.tag[:_TAG_BEFORE_DIGEST]}-{_short_digest(reference)}"
        found[image] = f"{prefix}/{host}/{reference.repository}:{tag}"
    _refuse_meetings(found, parsed)
    return found


def _refuse_meetings(found: Mapping[str, str], parsed: Mapping[str, Reference | None]) -> None:
    """:raises WrongUsage: two images, one destination."""
    taken: dict[str, str] = {}
    for image, place in found.items():
        first = taken.setdefault(place, image)
        if place and parsed[first] != parsed[image]:
            raise WrongUsage(
                f"{first} and {image} would both go to {place}",
                hint="migrate one of them with another --images PREFIX",
            )


def _short(reference: Reference) -> str:
    tag = reference.tag or _short_digest(reference) or LATEST
    return f"{reference.repository.rpartition('/')[2]}:{tag}"


def _short_digest(reference: Reference) -> str:
    digest = reference.digest
    return f"{digest.algorithm}-{digest.hex[:_HEX_IN_TAG]}" if digest else ""


def _reference(image: str) -> Reference | None:
    try:
        return Reference.parse(image)
    except WasmpackError:
        return None


def _one(
    image: str, destination: str, request: RepackRequest, session: Session, *, remote: bool
) -> ImageOutcome:
    outcome = ImageOutcome(source=image, destination=destination, status=ImageStatus.FAILED)
    try:
        source = NamePlace(Reference.parse(image), remote=remote)
        target = NamePlace(Reference.parse(destination))
        there = _packed_before(source, target, session, force=request.force)
        if there is not None:
            return _succeeded(outcome, ImageStatus.EXISTS, there)
        done = repack_image(source, target, request, session)
    except WasmpackError as error:
        return replace(outcome, reason=error.message, hint=error.hint)
    return _succeeded(outcome, ImageStatus.PACKED, done.image)


def _succeeded(outcome: ImageOutcome, status: ImageStatus, image: Image) -> ImageOutcome:
    manifest = ExtensionManifest.from_annotations(image.annotations)
    return replace(outcome, status=status, digest=str(image.digest), manifest=manifest)


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
