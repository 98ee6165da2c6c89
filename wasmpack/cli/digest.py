"""``wasmpack digest``."""

import click

from wasmpack.cli.options import current_console, format_option, image_argument, registry_options
from wasmpack.oci.place import Place
from wasmpack.stores.registry.options import RegistryOptions


@click.command(epilog="Example: wasmpack digest quay.io/me/plugin:v1")
@image_argument
@click.option("--remote", is_flag=True, help="Ask the registry only.")
@format_option
@registry_options
def digest(image: Place, remote: bool, shape: str, registry: RegistryOptions) -> None:
    """Print the digest of IMAGE: what a WasmPlugin pins.

    Of an index, its own digest; the mesh compares that of the linux/amd64 image, so a warning says
    which that is.
    """
    from wasmpack.actions.reading import mesh_image
    from wasmpack.cli.remote import asked
    from wasmpack.stores.places import open_reader

    console = current_console()
    reader = open_reader(asked(image, remote=remote), registry, console.notice)
    top, taken = mesh_image(reader)
    if taken is not top:
        found = f"it compares {taken.digest}" if taken else "it finds no linux/amd64 image in it"
        console.warn(f"{image} is an index: a mesh never takes this digest, {found}")
    value = {"schemaVersion": 1, "reference": str(image), "digest": str(top.digest)}
    console.json(value) if shape == "json" else console.result(str(top.digest))
