"""Several images from their places to others, at the same time and in one session."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from wasmpack.actions.copy import CopyScope, copy_image, pull_image
from wasmpack.actions.several import Failure, images_in_order
from wasmpack.actions.tags import list_tags
from wasmpack.errors import NotFound, WrongUsage
from wasmpack.images.writing import Written
from wasmpack.oci.place import ArchivePlace, LayoutPlace, NamePlace, Place
from wasmpack.oci.prefix import Prefix
from wasmpack.oci.reference import Reference
from wasmpack.stores.session import Session

_REFERRERS_TAG = re.compile(r"sha(?:256|512)-[0-9a-f]{64}")
"""The tag of a list of referrers (distribution-spec, "Referrers Tag Schema")."""


@dataclass(frozen=True, slots=True)
class Way:
    """One image to copy."""

    source: Place
    destination: Place

    def __str__(self) -> str:
        return str(self.source)


def ways_below(sources: Sequence[Place], prefix: Prefix) -> list[Way]:
    """Each image to its place below a prefix.

    :raises WrongUsage: two images, one place
    """
    return [Way(*pair) for pair in prefix.places(sources).items()]


def ways_of_tags(repository: Reference, destination: Place | Prefix, session: Session) -> list[Way]:
    """Every tag of a repository to the same tag elsewhere.

    :raises NotFound: no such repository, or one without tags
    :raises WrongUsage: a destination that names one image
    """
    single = None if isinstance(destination, Prefix) else destination
    tags = list_tags(repository, session.reading(NamePlace(repository), single))
    if not tags:
        raise NotFound(f"{repository}: a repository without tags")
    return [
        Way(NamePlace(repository.with_tag(tag), remote=True), _tagged(destination, repository, tag))
        for tag in tags
    ]


def copy_images(
    ways: Sequence[Way], session: Session, *, scope: CopyScope | None = None, force: bool = False
) -> Iterator[Written | Failure]:
    """Copy each, several at a time; one that fails stops no other."""
    given = scope or CopyScope()
    together = session.together([w.destination for w in ways] + [w.source for w in ways])

    def copied(way: Way) -> Written:
        whole = given.whole_index or _lists_referrers(way.source)
        own = replace(given, whole_index=whole)
        return copy_image(way.source, way.destination, together, scope=own, force=force)

    return images_in_order(ways, copied, str)


def pull_images(
    sources: Sequence[NamePlace], session: Session, *, force: bool = False
) -> Iterator[Written | Failure]:
    """Fetch each into the local store, several at a time; one that fails stops no other."""
    together = session.together(sources)

    def pulled(source: NamePlace) -> Written:
        return pull_image(source, None, together, force=force)

    return images_in_order(sources, pulled, str)


def _lists_referrers(source: Place) -> bool:
    tag = source.reference.tag if isinstance(source, NamePlace) else None
    return bool(tag and _REFERRERS_TAG.fullmatch(tag))


def _tagged(destination: Place | Prefix, repository: Reference, tag: str) -> Place:
    match destination:
        case Prefix():
            return destination.place(repository.repository.rpartition("/")[2], tag)
        case LayoutPlace() if destination.tag is None:
            return replace(destination, tag=tag)
        case ArchivePlace():
            raise WrongUsage(
                f"{destination}: an archive holds one image",
                hint="oci:DIRECTORY, or oci-archive:DIRECTORY/ for an archive of each tag",
            )
        case NamePlace() if destination.reference.is_repository:
            return NamePlace(destination.reference.with_tag(tag))
        case _:
            raise WrongUsage(f"{destination}: expected a repository, not one image of it")
