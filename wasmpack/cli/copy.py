"""``wasmpack copy``."""

import click

from wasmpack.cli.options import PLACE, force_option, format_option, result_console
from wasmpack.cli.session_options import moving, registry_options
from wasmpack.errors import WrongUsage
from wasmpack.oci.place import DaemonPlace, Place, with_default_tag
from wasmpack.oci.reference import is_tag
from wasmpack.stores.session import Session


@click.command(
    epilog="Example: wasmpack copy docker://quay.io/me/plugin:v1 oci-archive:plugin.tar:v1"
)
@click.argument("source", type=PLACE)
@click.argument("destination", type=PLACE)
@click.option("--all", "whole", is_flag=True, help="Of an index, all its images and the index.")
@click.option("--referrers", is_flag=True, help="Signatures and the like that refer to it, too.")
@click.option("-t", "--tag", "tags", multiple=True, help="Another tag at DESTINATION (repeatable).")
@force_option("another image in a layout or archive")
@format_option
@registry_options
def copy(
    source: Place, destination: Place, whole: bool, referrers: bool, tags: tuple[str, ...],
    force: bool, shape: str, session: Session,
) -> None:  # fmt: skip
    """Copy an image from SOURCE to DESTINATION, bytes and digest unchanged.

    A name as DESTINATION is its registry. Of an index, the linux/amd64 image is copied, or all of
    it with --all. The Docker engine writes a manifest of its own, so there the digest may change.
    Prints PLACE@DIGEST.
    """
    from wasmpack.actions.copy import CopyScope, copy_image
    from wasmpack.cli.report import show_written

    console = result_console(destination)
    wrong = next((tag for tag in tags if not is_tag(tag)), None)
    if wrong is not None or (tags and isinstance(destination, DaemonPlace)):
        raise WrongUsage(f"--tag {wrong or tags[0]}: no tag that {destination} can have")
    scope = CopyScope(whole_index=whole, referrers=referrers, tags=tags)
    destination = with_default_tag(destination)
    with moving(session, console, "copying") as session:
        done = copy_image(source, destination, session, scope=scope, force=force)
    show_written(done, shape, console)
