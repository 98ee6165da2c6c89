"""``wasmpack digest``."""

from wasmpack.cli.command import command
from wasmpack.cli.console import Console, Facts, format_option
from wasmpack.cli.options import image_subject, registry_options
from wasmpack.oci.place import Place
from wasmpack.stores.session import Session


@command(examples=["wasmpack digest quay.io/me/plugin:v1"])
@image_subject
@format_option
@registry_options
def digest(image: Place, console: Console, session: Session) -> None:
    """Print the digest of IMAGE: what a WasmPlugin pins.

    Of an index, its own digest; the mesh compares that of the linux/amd64 image, so a warning says
    which that is.
    """
    from wasmpack.images.opening import open_image

    found = open_image(image, session)
    taken = found.manifest
    if taken is not found.top:
        but = f"it compares {taken.digest}" if taken else "it finds no linux/amd64 image in it"
        console.warn(f"{image} is an index: a mesh never takes this digest, {but}")
    facts = Facts(reference=str(image), digest=str(found.digest))
    console.show(facts, [str(found.digest)])
