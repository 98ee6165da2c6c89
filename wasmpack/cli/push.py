"""``wasmpack push``."""

from pathlib import Path

import click

from wasmpack.cli.options import (
    FILE,
    REFERENCE,
    checks_from,
    current_console,
    dry_run_timeout_option,
    format_option,
    image_argument,
)
from wasmpack.cli.session_options import moving, registry_options
from wasmpack.errors import WrongUsage
from wasmpack.files.outputs import check_named, write_named
from wasmpack.oci.place import NamePlace, Place
from wasmpack.oci.reference import Reference
from wasmpack.stores.session import Session


@click.command(epilog="Example: wasmpack push quay.io/me/plugin:v1 -t latest")
@image_argument
@click.argument("destination", type=REFERENCE, required=False)
@click.option("-t", "--tag", "tags", multiple=True, help="Further tag at the destination.")
@click.option(
    "--variant",
    type=click.Choice(["auto"]),
    help="auto: fall back to compat where the registry refuses custom media types.",
)
@click.option("--no-validate", is_flag=True, help="Do not check the image.")
@dry_run_timeout_option
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--digest-file", type=FILE, help="Write the digest to this file.")
@format_option
@registry_options
def push(
    image: Place, destination: Reference | None, tags: tuple[str, ...], variant: str | None,
    no_validate: bool, dry_run_timeout: float | None, dry_run: bool, digest_file: Path | None,
    shape: str, session: Session,
) -> None:  # fmt: skip
    """Send IMAGE from the local store (or a layout, an archive) to a registry.

    Without DESTINATION it goes where its name says. Prints NAME@DIGEST.
    """
    if digest_file is not None:
        check_named(digest_file)
    from wasmpack.actions.push import push_image
    from wasmpack.cli.report import plan_lines, show_written, shown_if_rejected
    from wasmpack.images.opening import open_pushable

    console, target = current_console(), destination or _own_name(image)
    reading = session.reading(image, NamePlace(target))
    with shown_if_rejected(shape, console), moving(session, console, "pushing") as session:
        done = push_image(
            open_pushable(image, reading), target, session, source=image, tags=tags,
            checks=checks_from(dry_run_timeout=dry_run_timeout), validate=not no_validate,
            fall_back=variant == "auto", dry_run=dry_run,
        )  # fmt: skip
    for line in plan_lines(done.moved) if dry_run else ():
        console.status(line)
    if digest_file is not None:
        write_named(digest_file, [str(done.digest).encode(), b"\n"], console.notice)
    show_written(done, shape, console)


def _own_name(image: Place) -> Reference:
    if isinstance(image, NamePlace):
        return image.reference
    raise WrongUsage(f"where should {image} go?", hint=f"wasmpack push {image} REGISTRY/NAME:TAG")
