"""The images that resources name, brought below another prefix: many at once, and again at will."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from wasmpack.actions.several import Failure, attempt, images_in_order
from wasmpack.errors import WasmpackError, silence
from wasmpack.oci.descriptor import Digest
from wasmpack.oci.place import NamePlace, Place
from wasmpack.oci.prefix import Prefix
from wasmpack.oci.reference import Reference
from wasmpack.stores.session import Session


class ImageStatus(StrEnum):
    """The result for an image."""

    PACKED = "packed"
    COPIED = "copied"
    EXISTS = "exists"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOutcome:
    """One image that resources name, and what became of it."""

    source: str
    """The image as it is named."""
    destination: str = ""
    """The name of the new one."""
    status: ImageStatus = ImageStatus.FAILED
    """The result."""
    digest: str = ""
    """Digest of the image that a mesh pulls there; empty if it failed."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Annotations of that image."""
    error: WasmpackError | None = None
    """Why it failed."""
    replaced: str = ""
    """The other digest that the tag had before; empty if it had none."""

    @property
    def reason(self) -> str:
        """Why it failed."""
        return self.error.message if self.error else ""

    @property
    def hint(self) -> str:
        """The next step after a failure."""
        return self.error.hint if self.error else ""

    def as_json(self) -> dict[str, object]:
        """The shape of one image in the report."""
        return {
            "source": self.source,
            "destination": self.destination,
            "status": self.status.value,
            "digest": self.digest or None,
            "reason": self.reason,
            "replaced": self.replaced or None,
        }


@dataclass(frozen=True, slots=True)
class Arrival:
    """An image at its destination."""

    status: ImageStatus
    digest: Digest
    """Digest of the image that a mesh pulls."""
    annotations: Mapping[str, str]
    """Annotations of that image."""
    replaced: Digest | None = None
    """The other digest that the name had before."""


Move = Callable[[NamePlace, NamePlace, Session], Arrival]
"""Brings an image from one name to another."""


def move_images(
    names: Collection[str],
    prefix: Prefix,
    move: Move,
    session: Session,
    *,
    advance: Callable[[ImageOutcome], None],
    remote: bool = False,
) -> dict[str, ImageOutcome]:
    """Move all images, several at once; one that fails stops no other.

    :param advance: notified of each that is done
    :param remote: read from registries only, whatever the local store holds
    :raises WrongUsage: two images would get the same name
    """
    places = {name: attempt(_place, name, name) for name in dict.fromkeys(names)}
    found = [place for place in places.values() if isinstance(place, NamePlace)]
    targets = prefix.places(found)
    quiet = replace(session, notice=silence, progress=None)  # many are on their way at once

    def moved(source: NamePlace) -> Arrival:
        return move(replace(source, remote=remote), _named(targets[source]), quiet)

    done = {}
    for outcome in _outcomes(places, targets, images_in_order(found, moved, str)):
        advance(outcome)
        done[outcome.source] = outcome
    return done


def _outcomes(
    places: Mapping[str, NamePlace | Failure],
    targets: Mapping[Place, Place],
    results: Iterator[Arrival | Failure],
) -> Iterator[ImageOutcome]:
    for name, place in places.items():
        if isinstance(place, Failure):
            yield ImageOutcome(source=name, error=place.error)
            continue
        outcome = ImageOutcome(source=name, destination=str(targets[place]))
        result = next(results)
        if isinstance(result, Failure):
            yield replace(outcome, error=result.error)
            continue
        yield replace(
            outcome,
            status=result.status,
            digest=str(result.digest),
            annotations=result.annotations,
            replaced=str(result.replaced or ""),
        )


def _place(name: str) -> NamePlace:
    return NamePlace(Reference.parse(name))


def _named(place: Place) -> NamePlace:
    assert isinstance(place, NamePlace)  # of a prefix of a registry
    return place
