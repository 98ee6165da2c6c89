"""``wasmpack pull``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasmpack.cli.command import Section, argument, command, grouped, option
from wasmpack.cli.console import Console, format_option
from wasmpack.cli.options import DESTINATION, PLACE, registry_options
from wasmpack.cli.preload import load_registry
from wasmpack.errors import WrongUsage
from wasmpack.oci.place import NamePlace, Place
from wasmpack.oci.prefix import Prefix
from wasmpack.stores.session import Session

if TYPE_CHECKING:
    from wasmpack.actions.several import Failure
    from wasmpack.images.writing import Written


@dataclass(frozen=True, slots=True, kw_only=True)
class PullOptions:
    """Images, and where they go."""

    images: tuple[Place, ...] = argument(type=PLACE, metavar="IMAGE...", nargs=-1, required=True)
    output: Place | Prefix | None = option(
        "Write to another place than the local store.", "-o", metavar="PLACE", type=DESTINATION
    )
    force: bool = option("Overwrite another image in a layout or archive.")

    @property
    def sources(self) -> list[NamePlace]:
        """Each image once, in its registry.

        :raises WrongUsage: not a name
        """
        other = next((image for image in self.images if not isinstance(image, NamePlace)), None)
        if other is not None:
            hint = "wasmpack copy moves others"
            raise WrongUsage(f"{other}: pull takes an image name", hint=hint)
        names = [image.reference for image in self.images if isinstance(image, NamePlace)]
        found = [NamePlace(name.with_default_tag(), remote=True) for name in names]
        return list(dict.fromkeys(found))

    def pull_each(self, session: Session) -> Iterator[Written | Failure]:
        """Pull several at a time; one that fails stops no other.

        :raises WrongUsage: several images to one place
        """
        from wasmpack.actions.copy_many import copy_images, pull_images, ways_below

        if self.output is None:
            return pull_images(self.sources, session, force=self.force)
        if isinstance(self.output, Prefix):
            ways = ways_below(self.sources, self.output)
            return copy_images(ways, session, force=self.force)
        raise WrongUsage(
            f"{len(self.sources)} images, but -o {self.output} does not end in /",
            hint=f"-o {self.output}/ is the place below which each gets its own name",
        )


@command(examples=["wasmpack pull quay.io/me/plugin:v1 -o oci:mirror:v1"])
@grouped("given", PullOptions, section=Section.OUTPUT)
@format_option
@registry_options
def pull(given: PullOptions, console: Console, session: Session) -> int:
    """Fetch each IMAGE from its registry into the local store.

    Every byte is verified. Of an index, the linux/amd64 image is taken, as the mesh does. Several
    images, written elsewhere, go below a PLACE that ends in /. Prints NAME@DIGEST.
    """
    load_registry()
    from wasmpack.actions.copy import pull_image
    from wasmpack.cli.report import clear_of, show_all_written, show_written

    sources, output = given.sources, given.output
    if len(sources) > 1 or isinstance(output, Prefix):
        return show_all_written(given.pull_each(session), len(sources), console, "pulled")
    console = clear_of(output, console)
    with console.working(session, "pulling") as session:
        done = pull_image(sources[0], output, session, force=given.force)
    show_written(done, console)
    return 0
