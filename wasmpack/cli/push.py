"""``wasmpack push``."""

from pathlib import Path

import click

from wasmpack.cli.options import (
    FILE,
    REFERENCE,
    current_console,
    format_option,
    image_argument,
    registry_options,
)
from wasmpack.errors import WrongUsage
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
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--digest-file", type=FILE, help="Write the digest to this file.")
@format_option
@registry_options
def push(
    image: Place, destination: Reference | None, tags: tuple[str, ...], variant: str | None,
    no_validate: bool, dry_run: bool, digest_file: Path | None, shape: str,
    registry: RegistryOptions,
) -> None:  # fmt: skip
    """Send IMAGE from the local store (or a layout, an archive) to a registry.

    Without DESTINATION it goes where its name says. Prints NAME@DIGEST.
    """
    from wasmpack.actions.push import plan_push, push_image
    from wasmpack.cli.report import finding_lines
    from wasmpack.oci.image import variant_of

    console = current_console()
    target = destination or _own_name(image)
    if dry_run:
        done = plan_push(image, target, registry, notice=console.status)
        console.status("dry run: nothing was sent")
    else:
        with console.moving("pushing", _size(image)) as advance:
            done = push_image(
                image, target, registry, tags=tags, validate=not no_validate,
                fall_back=variant == "auto", notice=console.status, advance=advance,
            )  # fmt: skip
    for finding in done.findings:
        for line in finding_lines(finding, console.err_style, asked=1 << 30):
            console.status(line)
    digest = str(done.manifest.digest)
    for blob in done.moved:
        console.detail(f"{blob.status.value:<8} {blob.descriptor.digest} {blob.descriptor.size}")
    if digest_file is not None:
        from wasmpack.stores.files import write_whole

        write_whole(digest_file, [digest.encode(), b"\n"])
    if shape == "text":
        console.result(str(done.reference.with_digest(done.manifest.digest)))
        return
    from wasmpack.actions.inspect import layer_json

    console.json(
        {
            "schemaVersion": 1,
            "reference": str(done.reference),
            "digest": digest,
            "size": len(done.manifest.raw) + sum(blob.size for blob in done.manifest.blobs),
            "variant": variant_of(done.manifest).value,
            "layers": [layer_json(layer) for layer in done.manifest.layers],
            "pushed": [blob.as_json() for blob in done.moved],
            "findings": [finding.as_json() for finding in done.findings],
        }
    )


def _own_name(image: Place) -> Reference:
    if isinstance(image, NamePlace):
        return image.reference
    raise WrongUsage(f"where should {image} go?", hint=f"wasmpack push {image} REGISTRY/NAME:TAG")


def _size(image: Place) -> int:
    """Bytes for the progress bar; 0 where they are not known at once."""
    from wasmpack.stores.local import find_local, open_store

    if not isinstance(image, NamePlace):
        return 0
    found = find_local(image.reference.with_default_tag())
    manifest = open_store().get(found) if found else None
    return sum(blob.size for blob in getattr(manifest, "blobs", ()))
