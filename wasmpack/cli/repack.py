"""``wasmpack repack``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wasmpack.cli.options import (
    PLACE,
    force_option,
    format_option,
    registry_options,
    result_console,
)
from wasmpack.errors import WrongUsage
from wasmpack.oci.place import DaemonPlace, NamePlace, Place, pinned
from wasmpack.stores.registry.options import RegistryOptions

if TYPE_CHECKING:
    from wasmpack.actions.repack import Repacked
    from wasmpack.cli.console import Console


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
    targets: tuple[str, ...], no_validate: bool, force: bool, shape: str,
    registry: RegistryOptions,
) -> None:  # fmt: skip
    """Pack the module of IMAGE again, at DESTINATION, so that meshes load it.

    Finds the module wherever it lies: in artifacts of one layer, under other media types or names,
    in any layer, for other platforms. A name as DESTINATION is its registry. Annotations are kept.
    Prints PLACE@DIGEST.
    """
    from wasmpack.actions.repack import RepackRequest, repack_image
    from wasmpack.cli.report import shown_if_rejected
    from wasmpack.oci.image import Variant

    console = result_console(destination)
    destination = writable(destination, variant)
    request = RepackRequest(
        variant=Variant(variant), with_runtime_config=not no_runtime_config, module=module,
        validate=not no_validate, targets=targets, force=force,
    )  # fmt: skip
    with shown_if_rejected(shape, console):
        done = repack_image(image, destination, request, registry, notice=console.notice)
    show_repacked(done, destination, shape, console)


def writable(destination: Place, variant: str) -> Place:
    """Where the new image can go; a name without a tag means ``latest``.

    :raises WrongUsage: the Docker engine, and a variant that it cannot hold
    """
    if variant == "oci" and isinstance(destination, DaemonPlace):
        raise WrongUsage(
            "the Docker engine takes images of file system layers only", hint="--variant docker"
        )
    if isinstance(destination, NamePlace):
        return NamePlace(destination.reference.with_default_tag())
    return destination


def show_repacked(done: Repacked, destination: Place, shape: str, console: Console) -> None:
    """``PLACE@DIGEST``, or the object of ``push``."""
    from wasmpack.actions.outcome import Outcome
    from wasmpack.cli.report import show_outcome

    outcome = Outcome(
        references=[str(destination)], manifest=done.image.manifest, moved=done.moved,
        report=done.report,
    )  # fmt: skip
    show_outcome(outcome, str(pinned(destination, outcome.manifest.digest)), shape, console)
