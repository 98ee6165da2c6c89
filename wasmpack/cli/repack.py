"""``wasmpack repack``."""

import click

from wasmpack.cli.options import PLACE, force_option, format_option, result_console
from wasmpack.cli.session_options import registry_options
from wasmpack.errors import WrongUsage
from wasmpack.oci.place import DaemonPlace, Place, with_default_tag
from wasmpack.stores.session import Session


@click.command(epilog="Example: wasmpack repack quay.io/else/filter:v1 quay.io/me/plugin:v1")
@click.argument("image", type=PLACE)
@click.argument("destination", type=PLACE)
@click.option(
    "--variant",
    type=click.Choice(["oci", "compat", "docker"]),
    default="oci",
    show_default=True,
    help="Format of the new image.",
)
@click.option("--no-runtime-config", is_flag=True, help="Leave it out (compat and docker).")
@click.option("--module", help="Which file is the plugin, if the image has several modules.")
@click.option("--target", "targets", multiple=True, help="Check for this release (repeatable).")
@click.option("--no-validate", is_flag=True, help="Do not check the module.")
@force_option("another image in a layout or archive, or IMAGE itself")
@format_option
@registry_options
def repack(
    image: Place, destination: Place, variant: str, no_runtime_config: bool, module: str | None,
    targets: tuple[str, ...], no_validate: bool, force: bool, shape: str, session: Session,
) -> None:  # fmt: skip
    """Pack the module of IMAGE again, at DESTINATION, so that meshes load it.

    Finds the module wherever it lies: in artifacts of one layer, under other media types or names,
    in any layer, for other platforms. A name as DESTINATION is its registry. Annotations are kept.
    Prints PLACE@DIGEST.
    """
    from wasmpack.actions.repack import RepackRequest, repack_image
    from wasmpack.cli.report import show_written, shown_if_rejected
    from wasmpack.images.variants import Variant

    console = result_console(destination)
    request = RepackRequest(
        variant=Variant(variant), with_runtime_config=not no_runtime_config, module=module,
        validate=not no_validate, targets=targets, force=force,
    )  # fmt: skip
    with shown_if_rejected(shape, console):
        done = repack_image(image, writable(destination, variant), request, session)
    show_written(done, shape, console)


def writable(destination: Place, variant: str) -> Place:
    """Where the new image can go; a name without a tag means ``latest``.

    :raises WrongUsage: the Docker engine, and a variant that it cannot hold
    """
    if variant == "oci" and isinstance(destination, DaemonPlace):
        raise WrongUsage(
            "the Docker engine takes images of file system layers only", hint="--variant docker"
        )
    return with_default_tag(destination)
