"""``wasmpack pull``."""

import click

from wasmpack.cli.command import Option, Section, command
from wasmpack.cli.console import Console, format_option
from wasmpack.cli.options import PLACE, force_option, image_argument, registry_options
from wasmpack.errors import WrongUsage
from wasmpack.oci.place import NamePlace, Place
from wasmpack.stores.session import Session


@command(examples=["wasmpack pull quay.io/me/plugin:v1 -o oci:mirror:v1"])
@image_argument
@click.option(
    "-o",
    "--output",
    cls=Option,
    section=Section.OUTPUT,
    type=PLACE,
    help="Write to another place than the local store.",
)
@force_option("another image in a layout or archive")
@format_option
@registry_options
def pull(
    image: Place, output: Place | None, force: bool, console: Console, session: Session
) -> None:
    """Fetch IMAGE from its registry into the local store.

    Every byte is verified. Of an index, the linux/amd64 image is taken, as the mesh does. Prints
    NAME@DIGEST.
    """
    from wasmpack.actions.copy import pull_image
    from wasmpack.cli.report import clear_of, show_written

    if not isinstance(image, NamePlace):
        raise WrongUsage(f"{image}: pull takes an image name", hint="wasmpack copy moves others")
    console = clear_of(output, console)
    with console.working(session, "pulling") as session:
        done = pull_image(image, output, session, force=force)
    show_written(done, console)
