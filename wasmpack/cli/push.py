"""``wasmpack push``."""

from pathlib import Path

import click

from wasmpack.cli.options import (
    FILE,
    REFERENCE,
    current_console,
    dry_run_timeout_option,
    format_option,
    image_argument,
    registry_options,
)
from wasmpack.errors import WrongUsage
from wasmpack.files.outputs import check_named, write_named
from wasmpack.oci.place import NamePlace, Place
from wasmpack.oci.reference import Reference
from wasmpack.stores.registry.options import RegistryOptions


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
    shape: str, registry: RegistryOptions,
) -> None:  # fmt: skip
    """Send IMAGE from the local store (or a layout, an archive) to a registry.

    Without DESTINATION it goes where its name says. Prints NAME@DIGEST.
    """
    if digest_file is not None:
        check_named(digest_file)
    from wasmpack.actions.push import plan_push, push_image
    from wasmpack.cli.judging import start_up
    from wasmpack.cli.report import plan_lines, show_outcome, shown_if_rejected

    console = current_console()
    judged = start_up(None, [], seconds=dry_run_timeout)
    target = destination or _own_name(image)
    with (
        shown_if_rejected(shape, console),
        console.moving("pushing") as progress,
    ):
        if dry_run:
            done = plan_push(
                image, target, registry, tags=tags, validate=not no_validate, start_up=judged,
                notice=console.notice,
            )  # fmt: skip
        else:
            done = push_image(
                image, target, registry, tags=tags, validate=not no_validate, start_up=judged,
                fall_back=variant == "auto", notice=console.notice, progress=progress,
            )  # fmt: skip
    if dry_run:
        for line in plan_lines(done.moved):
            console.status(line)
    if digest_file is not None:
        write_named(digest_file, [str(done.manifest.digest).encode(), b"\n"], console.notice)
    named = str(target.with_default_tag().with_digest(done.manifest.digest))
    show_outcome(done, named, shape, console)


def _own_name(image: Place) -> Reference:
    if isinstance(image, NamePlace):
        return image.reference
    raise WrongUsage(f"where should {image} go?", hint=f"wasmpack push {image} REGISTRY/NAME:TAG")
