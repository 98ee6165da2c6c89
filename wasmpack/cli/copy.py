"""``wasmpack copy``."""

import click

from wasmpack.cli.options import PLACE, current_console, force_option, registry_options
from wasmpack.oci.place import NamePlace, Place, pinned
from wasmpack.stores.registry.options import RegistryOptions


@click.command(
    epilog="Example: wasmpack copy docker://quay.io/me/plugin:v1 oci-archive:plugin.tar:v1"
)
@click.argument("source", type=PLACE)
@click.argument("destination", type=PLACE)
@force_option
@registry_options
def copy(source: Place, destination: Place, force: bool, registry: RegistryOptions) -> None:
    """Copy an image from SOURCE to DESTINATION, bytes and digest unchanged.

    A name as DESTINATION is its registry. The Docker engine writes a manifest of its own, so there
    the digest changes. Prints PLACE@DIGEST.
    """
    from wasmpack.actions.pull import copy_image

    console = current_console()
    if isinstance(destination, NamePlace):
        destination = NamePlace(destination.reference.with_default_tag())
    done = copy_image(source, destination, registry, force=force, notice=console.status)
    console.result(str(pinned(destination, done.manifest.digest)))
