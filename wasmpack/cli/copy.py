"""``wasmpack copy``."""

import click

from wasmpack.cli.options import (
    PLACE,
    current_console,
    force_option,
    format_option,
    registry_options,
)
from wasmpack.oci.place import NamePlace, Place, pinned
from wasmpack.stores.registry.options import RegistryOptions


@click.command(
    epilog="Example: wasmpack copy docker://quay.io/me/plugin:v1 oci-archive:plugin.tar:v1"
)
@click.argument("source", type=PLACE)
@click.argument("destination", type=PLACE)
@force_option("another image in a layout or archive")
@format_option
@registry_options
def copy(
    source: Place, destination: Place, force: bool, shape: str, registry: RegistryOptions
) -> None:
    """Copy an image from SOURCE to DESTINATION, bytes and digest unchanged.

    A name as DESTINATION is its registry. Of an index, the linux/amd64 image is copied. The Docker
    engine writes a manifest of its own, so there the digest may change. Prints PLACE@DIGEST.
    """
    from wasmpack.actions.outcome import Outcome
    from wasmpack.actions.pull import copy_image
    from wasmpack.cli.report import show_outcome

    console = current_console()
    if isinstance(destination, NamePlace):
        destination = NamePlace(destination.reference.with_default_tag())
    done = copy_image(source, destination, registry, force=force, notice=console.status)
    outcome = Outcome(references=[str(destination)], manifest=done.manifest, moved=done.moved)
    show_outcome(outcome, str(pinned(destination, done.manifest.digest)), shape, console)
