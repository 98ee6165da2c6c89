"""``wasmpack push``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from wasmpack.cli.check_options import CheckOptions, ResultFiles
from wasmpack.cli.command import Section, command, grouped, option
from wasmpack.cli.console import Console, format_option
from wasmpack.cli.options import REFERENCE, image_argument, registry_options
from wasmpack.errors import WrongUsage
from wasmpack.oci.place import NamePlace, Place
from wasmpack.oci.reference import Reference
from wasmpack.stores.session import Session

if TYPE_CHECKING:
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
@image_argument
@click.argument("destination", type=REFERENCE, required=False)
@grouped(
    "options",
    PushOptions,
    only="tags variant plugin_config vm_config env no_validate dry_run_timeout dry_run force",
    section=Section.CHECKS,
)
@grouped("files", ResultFiles, only="digest_file", section=Section.OUTPUT)
@format_option
@registry_options
def push(
    image: Place,
    destination: Reference | None,
    options: PushOptions,
    files: ResultFiles,
    console: Console,
    session: Session,
) -> None:
    """Send IMAGE to a registry.

    IMAGE is in the local store, a layout or an archive. Without DESTINATION it goes where its name
    says. Prints NAME@DIGEST.
    """
    from wasmpack.cli.report import show_written

    files.check()
    target = destination or _own_name(image)
    with console.working(session, "pushing") as session:
        done = options.push(image, target, session)
    files.write(done, console)
    show_written(done, console, planned=options.dry_run)


def _own_name(image: Place) -> Reference:
    if isinstance(image, NamePlace):
        return image.reference
    raise WrongUsage(f"where should {image} go?", hint=f"wasmpack push {image} REGISTRY/NAME:TAG")
