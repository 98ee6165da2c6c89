"""``wasmpack copy``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasmpack.cli.command import Section, argument, command, grouped, option
from wasmpack.cli.console import Console, format_option
from wasmpack.cli.options import DESTINATION, PLACE, exclude
from wasmpack.cli.preload import load_registry
from wasmpack.cli.sides import both_registry_options
from wasmpack.errors import WrongUsage
from wasmpack.oci.place import DaemonPlace, NamePlace, Place, with_default_tag
from wasmpack.oci.prefix import Prefix
from wasmpack.oci.reference import Reference, is_tag
from wasmpack.stores.session import Session

if TYPE_CHECKING:
    from wasmpack.actions.copy import CopyScope
    from wasmpack.actions.copy_many import Way


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyOptions:
    """Sources, destination and scope of a copy."""

    sources: tuple[Place, ...] = argument(type=PLACE, metavar="SOURCE...", nargs=-1, required=True)
    destination: Place | Prefix = argument(type=DESTINATION)
    all_tags: bool = option("Copy every tag of a repository.", section=Section.IMAGE)
    whole_index: bool = option("Copy an index with all its images.", "--all", section=Section.IMAGE)
    referrers: bool = option(
        "Copy signatures and the like that refer to it too.", section=Section.IMAGE
    )
    tags: tuple[str, ...] = option(
        "Add a tag at DESTINATION (repeatable).", "-t", "--tag", metavar="TAG"
    )
    force: bool = option("Overwrite in a layout or archive; send everything again.")

    def scope(self) -> CopyScope:
        """:raises WrongUsage: a tag that cannot be, or not at such a place."""
        from wasmpack.actions.copy import CopyScope

        exclude(all_tags=self.all_tags, tag=self.tags)
        wrong = next((tag for tag in self.tags if not is_tag(tag)), None)
        if wrong is not None or (self.tags and isinstance(self.destination, DaemonPlace)):
            tag = wrong or self.tags[0]
            raise WrongUsage(f"--tag {tag}: no tag that {self.destination} can have")
        return CopyScope(whole_index=self.whole_index, referrers=self.referrers, tags=self.tags)

    def ways(self, session: Session) -> list[Way]:
        """Each image, and where it goes; what reaches registries is loaded if that is certain.

        :raises WrongUsage: several sources for one place
        """
        if self.all_tags or self._reaches_registry:
            load_registry()
        from wasmpack.actions.copy_many import Way, ways_below, ways_of_tags

        if self.all_tags:
            return ways_of_tags(self._repository(), self.destination, session)
        if isinstance(self.destination, Prefix):
            return ways_below(self.sources, self.destination)
        if len(self.sources) > 1:
            raise WrongUsage(
                f"{len(self.sources)} sources, but {self.destination} does not end in /",
                hint=f"{self.destination}/ is the place below which each gets its own name",
            )
        return [Way(self.sources[0], with_default_tag(self.destination))]

    @property
    def _reaches_registry(self) -> bool:
        """True if it is certain: other names may be in the local store."""
        target = self.destination
        if isinstance(target, NamePlace) or (isinstance(target, Prefix) and target.at_registry):
            return True
        return any(isinstance(source, NamePlace) and source.remote for source in self.sources)

    def _repository(self) -> Reference:
        source = self.sources[0]
        reference = source.reference if isinstance(source, NamePlace) else None
        if len(self.sources) == 1 and reference and reference.is_repository:
            return reference
        raise WrongUsage(
            f"--all-tags: expected one repository, not {' '.join(map(str, self.sources))}",
            hint="wasmpack copy --all-tags quay.io/me/plugin quay.io/mirror/plugin",
        )


@command(examples=["wasmpack copy docker://quay.io/me/plugin:v1 oci-archive:plugin.tar:v1"])
@grouped("given", CopyOptions, section=Section.OUTPUT)
@format_option
@both_registry_options
def copy(given: CopyOptions, console: Console, session: Session) -> int:
    """Copy images from SOURCE to DESTINATION.

    Their bytes and digests do not change. A name as DESTINATION is its registry; one that ends in /
    is a prefix, below which each SOURCE gets its last name and tag. Of an index, the linux/amd64
    image is copied, or all of it with --all. The Docker engine writes its own manifest, so there
    the digest may change. Prints PLACE@DIGEST.
    """
    from wasmpack.actions.copy import copy_image
    from wasmpack.actions.copy_many import copy_images
    from wasmpack.cli.report import clear_of, show_all_written, show_written

    if not isinstance(given.destination, Prefix):
        console = clear_of(given.destination, console)
    scope, ways = given.scope(), given.ways(session)
    if len(ways) > 1:
        outcomes = copy_images(ways, session, scope=scope, force=given.force)
        return show_all_written(outcomes, len(ways), console, "copied")
    with console.working(session, "copying") as session:
        way = ways[0]
        done = copy_image(way.source, way.destination, session, scope=scope, force=given.force)
    show_written(done, console)
    return 0
