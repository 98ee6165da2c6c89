"""The plugin images of a cluster under another prefix, and the resources that name them there."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from wasmpack.actions.image_moves import Arrival, ImageOutcome, ImageStatus, move_images
from wasmpack.errors import BadArtifact, WasmpackError
from wasmpack.images.opening import open_image
from wasmpack.images.writing import write_image
from wasmpack.kubeyaml.documents import Document
from wasmpack.mesh.apis import CARRIERS
from wasmpack.mesh.image_urls import ImageUrl, image_urls, with_urls
from wasmpack.mesh.plugin import mapping
from wasmpack.oci.place import NamePlace
from wasmpack.oci.prefix import Prefix
from wasmpack.oci.reference import Reference
from wasmpack.stores.ports import BlobStatus
from wasmpack.stores.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorRequest:
    """The destination of images, and the form of their new names."""

    prefix: str
    """Registry and path that the images go below."""
    pin: bool = True
    """Write the digests that the mesh compares."""
    referrers: bool = True
    """Copy signatures, bills of materials and other referrers too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorRow:
    """One resource, and what became of the images that it names."""

    document: Document
    """The resource as it was read."""
    images: tuple[ImageOutcome, ...]
    """The result for each of its images."""

    @property
    def done(self) -> bool:
        """True if every image is at its new place."""
        return all(image.status is not ImageStatus.FAILED for image in self.images)

    @property
    def name(self) -> str:
        """``Kind NAMESPACE/NAME``."""
        value = mapping(self.document.value)
        metadata = mapping(value.get("metadata"))
        space, name = metadata.get("namespace"), metadata.get("name") or "?"
        return f"{value.get('kind')} {f'{space}/' if space else ''}{name}"

    def as_json(self) -> dict[str, object]:
        """The shape of one row of ``resources`` in the report."""
        return {
            "source": self.document.where(),
            "name": self.name,
            "status": "mirrored" if self.done else "refused",
            "images": [image.as_json() for image in self.images],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """Everything that went in and what came out, in its order."""

    outputs: tuple[Document, ...]
    """Resources with the new names; documents without images as they were."""
    rows: tuple[MirrorRow, ...]
    """One for each resource that names images."""
    images: tuple[ImageOutcome, ...]
    """Every image, once."""

    @property
    def exit_code(self) -> int:
        """The worst of all failures; 0 without any."""
        return max((image.error.exit_code for image in self.images if image.error), default=0)

    def as_json(self) -> dict[str, object]:
        """The shape of ``--report FILE.json``."""
        return {
            "schemaVersion": 1,
            "images": [image.as_json() for image in self.images],
            "resources": [row.as_json() for row in self.rows],
        }


Advance = Callable[[ImageOutcome], None]


def mirror_resources(
    documents: Sequence[Document],
    request: MirrorRequest,
    session: Session,
    *,
    subject: str,
    advance: Advance = lambda _: None,
) -> Mirror:
    """Copy the images that resources name; a resource whose image failed is left out.

    :param subject: names the documents in errors
    :param advance: notified of each image that is done
    :raises BadArtifact: no resource names an image
    """
    entries = [(entry, image_urls(entry)) for entry in _entries(documents)]
    sources = {found: _source(found) for _, urls in entries for found in urls}
    if not sources:
        raise BadArtifact(f"{subject}: no image in it ({', '.join(CARRIERS)})")
    moved = mirror_images(list(sources.values()), request, session, advance=advance)
    rows, outputs = [], []
    for entry, urls in entries:
        own = {found.path: (found, moved[sources[found]]) for found in urls}
        row = MirrorRow(document=entry, images=tuple(outcome for _, outcome in own.values()))
        rows += [row] if own else []
        if not own and mapping(entry.value).get("kind") in CARRIERS:
            session.notice(f"{entry.where()}: names no image of a registry, left as it is")
        if row.done:
            new = {path: _new_url(*pair, pin=request.pin) for path, pair in own.items()}
            outputs.append(with_urls(entry, new) if new else entry)
    return Mirror(outputs=tuple(outputs), rows=tuple(rows), images=tuple(moved.values()))


def mirror_images(
    names: Collection[str],
    request: MirrorRequest,
    session: Session,
    *,
    advance: Advance = lambda _: None,
) -> Mapping[str, ImageOutcome]:
    """Copy images from their registries, whole indexes with all that refers to them.

    What is there already is not sent again; a tag that names another image is moved.
    """

    def copied(source: NamePlace, target: NamePlace, quiet: Session) -> Arrival:
        image = open_image(source, quiet.reading(source, target))
        manifest = image.alone(quiet.notice)
        done = write_image(
            image, target, quiet, top=image.top, referrers=request.referrers, source=source
        )
        known = all(row.status is BlobStatus.EXISTS for row in done.moved)
        status = ImageStatus.EXISTS if known else ImageStatus.COPIED
        return Arrival(status, manifest.digest, image.annotations, done.replaced)

    prefix = Prefix.of_registry(request.prefix, "PREFIX")
    return move_images(names, prefix, copied, session, advance=advance, remote=True)


def _entries(documents: Sequence[Document]) -> Iterator[Document]:
    """Every document, of a list with images in it the items."""
    for document in documents:
        items = list(document.items())
        yield from items if any(map(image_urls, items)) else [document]


def _source(found: ImageUrl) -> str:
    """The image's name, or the URL itself, for which there is then a failure."""
    try:
        return found.source()
    except WasmpackError:
        return found.text


def _new_url(found: ImageUrl, outcome: ImageOutcome, *, pin: bool) -> str:
    """The new URL; one that was pinned stays pinned."""
    pinned = pin or Reference.parse(outcome.source).digest is not None
    name = f"{outcome.destination}@{outcome.digest}" if pinned else outcome.destination
    return found.written(name)
