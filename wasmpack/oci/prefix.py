"""Destinations of several images: a place that ends in ``/``, as cp has it.

>>> mirror = Prefix.parse("quay.io/mirror/")
>>> str(mirror.place("plugin", "v1"))
'quay.io/mirror/plugin:v1'
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Self

from wasmpack.errors import WrongUsage
from wasmpack.oci.place import (
    ArchivePlace,
    DaemonPlace,
    LayoutPlace,
    NamePlace,
    Place,
    is_there,
    place_path,
)
from wasmpack.oci.reference import DOCKER_HUB, LATEST, Reference, is_tag

_TRANSPORTS = ("docker://", "docker-daemon:", "oci:", "oci-archive:")
_HEX_IN_TAG = 12
_TAG_BEFORE_DIGEST = 100
"""Characters of a tag of 128 that are kept before a short digest."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """A registry and path, a directory of layouts or of archives, or a path of the engine's."""

    transport: str
    """``docker://``, ``docker-daemon:``, ``oci:`` or ``oci-archive:``."""
    path: str
    """Without the slash at its end."""

    @property
    def at_registry(self) -> bool:
        """True if it names a registry and a path there."""
        return self.transport == "docker://"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read a destination; None if it is a single place.

        A layout that is there is one, with a slash behind it too: shells complete it like that.
        """
        transport = next((start for start in _TRANSPORTS if text.startswith(start)), "")
        path = text.removeprefix(transport).rstrip("/")
        if not text.endswith("/") or not path or (not transport and text[:1] in {".", "/", "~"}):
            return None
        if transport == "oci:" and is_there((place_path(path) / "oci-layout").is_file):
            return None
        if not transport and not Reference.parse(f"{path}/x").names_host:
            raise WrongUsage(
                f"{text}: names no registry",
                hint=f"oci:{text} for layouts in a directory, {DOCKER_HUB}/{text} for Docker Hub",
            )
        return cls(transport or "docker://", path)

    @classmethod
    def of_registry(cls, text: str, what: str) -> Self:
        """Read ``HOST[:PORT]/PATH``, with a slash behind it or not.

        :param what: names it in errors
        :raises WrongUsage: not a registry and path
        """
        path = text.removeprefix("oci://").removeprefix("docker://").rstrip("/")
        if not Reference.parse(f"{path}/x").names_host:
            raise WrongUsage(f"{what} {text}: expected HOST[:PORT]/PATH")
        return cls("docker://", path)

    def place(self, name: str, tag: str) -> Place:
        """The place of an image below it.

        :raises WrongUsage: a name that no image can have there
        """
        match self.transport:
            case "oci:":
                return LayoutPlace(f"{self.path}/{name}", tag)
            case "oci-archive:":
                return ArchivePlace(f"{self.path}/{name.replace('/', '-')}-{tag}.tar", tag)
            case "docker-daemon:":
                return DaemonPlace(Reference.parse(f"{self.path}/{name}:{tag}"))
            case _:
                return NamePlace(Reference.parse(f"{self.path}/{name}:{tag}"))

    def places(self, sources: Sequence[Place]) -> Mapping[Place, Place]:
        """The place of each image: its last name below the prefix, or more where two would meet.

        :raises WrongUsage: two images, one place
        """
        named = {source: _last_name(source) for source in sources}
        shared = Counter(named.values())
        found = {}
        for source, name in named.items():
            found[source] = self.place(*(name if shared[name] == 1 else _whole_name(source)))
        self._refuse_meetings(found)
        return found

    def _refuse_meetings(self, found: Mapping[Place, Place]) -> None:
        taken: dict[Place, Place] = {}
        for source, place in found.items():
            first = taken.setdefault(place, source)
            if first != source:
                raise WrongUsage(
                    f"{first} and {source} would both go to {place}",
                    hint="give one of them another prefix",
                )

    def __str__(self) -> str:
        return f"{self.transport.removeprefix('docker://')}{self.path}/"


def _last_name(source: Place) -> tuple[str, str]:
    """The last component of a name, or the file's name, and a tag."""
    if isinstance(source, NamePlace | DaemonPlace):
        reference = source.reference
        tag = reference.tag or _short_digest(reference) or LATEST
        return reference.repository.rpartition("/")[2], tag
    name = PurePath(source.path).name.partition(".")[0].lower()
    tag = source.tag or LATEST
    if is_tag(tag):
        return name or "image", tag
    reference = Reference.parse(tag)  # a layout may have full names
    return reference.repository.rpartition("/")[2], reference.tag or LATEST


def _whole_name(source: Place) -> tuple[str, str]:
    """Registry and repository, and a tag that says tag and digest."""
    if not isinstance(source, NamePlace | DaemonPlace):
        return _last_name(source)
    reference = source.reference
    host = reference.registry.replace(":", "-").strip("[]").lower()
    tag = reference.tag or _short_digest(reference) or LATEST
    if reference.tag and reference.digest:
        tag = f"{reference.tag[:_TAG_BEFORE_DIGEST]}-{_short_digest(reference)}"
    return f"{host}/{reference.repository}", tag


def _short_digest(reference: Reference) -> str:
    digest = reference.digest
    return f"{digest.algorithm}-{digest.hex[:_HEX_IN_TAG]}" if digest else ""
