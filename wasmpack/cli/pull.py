"""``wasmpack pull``."""

import click

from wasmpack.cli.options import (
    PLACE,
    force_option,
    format_option,
    image_argument,
    registry_options,
    result_console,
)
from wasmpack.errors import WrongUsage
from wasmpack.oci.place import NamePlace, Place, pinned
from wasmpack.stores.registry.options import RegistryOptions


@click.command(epilog="Example: wasmpack pull quay.io/me/plugin:v1 -o oci:mirror:v1")
@image_argument
@click.option("-o", "--output", type=PLACE, help="A place other than the local store.")
@force_option("another image in a layout or archive")
@format_option
@registry_options
def pull(
    image: Place, output: Place | None, force: bool, shape: str, registry: RegistryOptions
) -> None:
    """Fetch IMAGE from its registry into the local store; every byte is verified.

    Of an index, the linux/amd64 image is taken, as the mesh does. Prints NAME@DIGEST.
    """
    from wasmpack.actions.outcome import Outcome
    from wasmpack.actions.pull import pull_image
    from wasmpack.cli.report import show_outcome

    if not isinstance(image, NamePlace):
        raise WrongUsage(f"{image}: pull takes an image name", hint="wasmpack copy moves others")
    console = result_console(output)
    with console.moving("pulling") as progress:
        done = pull_image(
            image, output, registry, force=force, notice=console.notice, progress=progress
        )
    place: Place = output or NamePlace(image.reference.with_default_tag())
    outcome = Outcome(references=[str(place)], manifest=done.manifest, moved=done.moved)
    show_outcome(outcome, str(pinned(place, done.manifest.digest)), shape, console)
