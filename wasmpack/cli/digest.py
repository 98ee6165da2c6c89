"""``wasmpack digest``."""

import click

from wasmpack.cli.options import (
    asked,
    current_console,
    format_option,
    image_argument,
    remote_option,
)
from wasmpack.cli.session_options import registry_options
from wasmpack.oci.place import Place
from wasmpack.stores.session import Session


@click.command(epilog="Example: wasmpack digest quay.io/me/plugin:v1")
@image_argument
@remote_option
@format_option
@registry_options
def digest(image: Place, remote: bool, shape: str, session: Session) -> None:
    """Print the digest of IMAGE: what a WasmPlugin pins.

    Of an index, its own digest; the mesh compares that of the linux/amd64 image, so a warning says
    which that is.
    """
    from wasmpack.images.opening import open_image

    console = current_console()
    found = open_image(asked(image, remote=remote), session)
    taken = found.manifest
    if taken is not found.top:
        but = f"it compares {taken.digest}" if taken else "it finds no linux/amd64 image in it"
        console.warn(f"{image} is an index: a mesh never takes this digest, {but}")
    value = {"schemaVersion": 1, "reference": str(image), "digest": str(found.digest)}
    console.json(value) if shape == "json" else console.result(str(found.digest))
