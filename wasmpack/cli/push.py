"""``wasmpack push``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from wasmpack.cli.check_options import CheckOptions, ResultFiles
from wasmpack.cli.command import Section, command, grouped, option
from wasmpack.cli.console import Console, format_option
from wasmpack.cli.options import PLACE, REFERENCE, exclude, registry_options
from wasmpack.cli.preload import load_registry
from wasmpack.errors import WrongUsage
from wasmpack.oci.place import NamePlace, Place
from wasmpack.oci.reference import Reference
from wasmpack.stores.session import Session

if TYPE_CHECKING:
    from wasmpack.actions.several import Failure
    from wasmpack.images.writing import Written


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOptions(CheckOptions):
    """How an image is pushed."""

    tags: tuple[str, ...] = option(
        "Add a tag at the destination (repeatable).",
        "-t",
        "--tag",
        metavar="TAG",
        section=Section.OUTPUT,
    )
    variant: str | None = option(
        "Fall back to compat if the registry refuses the manifest.",
        type=click.Choice(["auto"]),
        section=Section.OUTPUT,
    )
    no_validate: bool = option("Do not validate the image.")
    dry_run: bool = option("Show what would be sent, but send nothing.", section=Section.OUTPUT)
    force: bool = option("Send everything, even what the registry has.", section=Section.OUTPUT)
    each: bool = option(
        "Push several images, each to where its own name says.", section=Section.IMAGE
    )

    def ways(self, names: Sequence[str]) -> list[tuple[Place, Reference]]:
        """Each image, and where it goes.

        :raises WrongUsage: more names than these options take
        """
        if not self.each and len(names) > 2:
            raise WrongUsage(
                f"{len(names)} names, expected IMAGE [DESTINATION]",
                hint="wasmpack push --each IMAGE...",
            )
        sources = [PLACE(name) for name in (names if self.each else names[:1])]
        if not self.each and len(names) == 2:
            return [(sources[0], REFERENCE(names[1]))]
        return list({str(source): (source, _own_name(source)) for source in sources}.values())

    def push_each(
        self, ways: Sequence[tuple[Place, Reference]], session: Session
    ) -> Iterator[Written | Failure]:
        """Push several at a time; one that fails stops no other."""
        from wasmpack.actions.several import images_in_order

        together = session.together(NamePlace(target) for _, target in ways)
        return images_in_order(ways, lambda way: self.push(*way, together), lambda way: str(way[0]))

    def push(self, source: Place, target: Reference, session: Session) -> Written:
        """Do what they mean."""
        from wasmpack.actions.push import push_image
        from wasmpack.images.opening import open_pushable

        reading = session.reading(source, NamePlace(target))
        return push_image(
            open_pushable(source, reading),
            target,
            session,
            source=source,
            tags=self.tags,
            checks=self.checks(),
            validate=not self.no_validate,
            fall_back=self.variant == "auto",
            dry_run=self.dry_run,
            force=self.force,
        )


@command(examples=["wasmpack push quay.io/me/plugin:v1 -t latest"])
@click.argument("names", metavar="IMAGE [DESTINATION]", nargs=-1, required=True)
@grouped(
    "options",
    PushOptions,
    only="tags each variant plugin_config vm_config env no_validate dry_run_timeout dry_run force",
    section=Section.CHECKS,
)
@grouped("files", ResultFiles, only="digest_file", section=Section.OUTPUT)
@format_option
@registry_options
def push(
    names: tuple[str, ...],
    options: PushOptions,
    files: ResultFiles,
    console: Console,
    session: Session,
) -> int:
    """Send IMAGE to a registry.

    IMAGE is in the local store, a layout or an archive. Without DESTINATION it goes where its name
    says; with --each, so does every IMAGE. Prints NAME@DIGEST.
    """
    load_registry()
    from wasmpack.cli.report import show_all_written, show_written

    files.check()
    ways = options.ways(names)
    if len(ways) > 1:
        exclude(each=options.each, digest_file=files.digest_file)
        outcomes = options.push_each(ways, session)
        return show_all_written(outcomes, len(ways), console, "pushed", planned=options.dry_run)
    with console.working(session, "pushing") as session:
        done = options.push(*ways[0], session)
    files.write(done, console)
    show_written(done, console, planned=options.dry_run)
    return 0


def _own_name(image: Place) -> Reference:
    if isinstance(image, NamePlace):
        return image.reference
    raise WrongUsage(f"where should {image} go?", hint=f"wasmpack push {image} REGISTRY/NAME:TAG")
