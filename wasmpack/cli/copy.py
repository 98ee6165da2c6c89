"""``wasmpack copy``."""

from dataclasses import dataclass

from wasmpack.cli.command import Section, argument, command, grouped, option
from wasmpack.cli.console import Console, format_option
from wasmpack.cli.options import PLACE, registry_options
from wasmpack.errors import WrongUsage
from wasmpack.oci.place import DaemonPlace, Place, with_default_tag
from wasmpack.oci.reference import is_tag
from wasmpack.stores.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyOptions:
    """Source, destination and scope of a copy."""

    source: Place = argument(type=PLACE)
    destination: Place = argument(type=PLACE)
    whole_index: bool = option("Copy an index with all its images.", "--all", section=Section.IMAGE)
    referrers: bool = option(
        "Copy signatures and the like that refer to it too.", section=Section.IMAGE
    )
    tags: tuple[str, ...] = option(
        "Add a tag at DESTINATION (repeatable).", "-t", "--tag", metavar="TAG"
    )
    force: bool = option("Overwrite in a layout or archive; send everything again.")

    def check(self) -> None:
        """:raises WrongUsage: a tag that cannot be, or not at such a place."""
        wrong = next((tag for tag in self.tags if not is_tag(tag)), None)
        if wrong is not None or (self.tags and isinstance(self.destination, DaemonPlace)):
            tag = wrong or self.tags[0]
            raise WrongUsage(f"--tag {tag}: no tag that {self.destination} can have")


@command(examples=["wasmpack copy docker://quay.io/me/plugin:v1 oci-archive:plugin.tar:v1"])
@grouped("given", CopyOptions, section=Section.OUTPUT)
@format_option
@registry_options
def copy(given: CopyOptions, console: Console, session: Session) -> None:
    """Copy an image from SOURCE to DESTINATION.

    Its bytes and digest do not change. A name as DESTINATION is its registry. Of an index, the
    linux/amd64 image is copied, or all of it with --all. The Docker engine writes its own manifest,
    so there the digest may change. Prints PLACE@DIGEST.
    """
    from wasmpack.actions.copy import CopyScope, copy_image
    from wasmpack.cli.report import clear_of, show_written

    console = clear_of(given.destination, console)
    given.check()
    scope = CopyScope(whole_index=given.whole_index, referrers=given.referrers, tags=given.tags)
    target = with_default_tag(given.destination)
    with console.working(session, "copying") as session:
        done = copy_image(given.source, target, session, scope=scope, force=given.force)
    show_written(done, console)
