"""``wasmpack extract``."""

from dataclasses import replace
from pathlib import Path

import click

from wasmpack.cli.command import Option, Section, command
from wasmpack.cli.console import Console, Facts, format_option
from wasmpack.cli.options import ANY_NAME, force_option, image_argument, registry_options
from wasmpack.errors import WrongUsage
from wasmpack.oci.media_types import PLUGIN_FILE
from wasmpack.oci.place import STREAM, Place
from wasmpack.redaction import plain_text
from wasmpack.stores.session import Session


@command(examples=["wasmpack extract quay.io/me/plugin:v1 -o out"])
@image_argument
@click.option(
    "-o",
    "--output",
    cls=Option,
    section=Section.OUTPUT,
    type=ANY_NAME,
    default=".",
    show_default=True,
    metavar="DIR",
    help="Write to this directory; - writes the module to stdout.",
)
@force_option("files with other content")
@format_option
@registry_options
def extract(image: Place, output: str, force: bool, console: Console, session: Session) -> None:
    """Get plugin.wasm out of IMAGE.

    And runtime-config.json, if there is one. Works on every variant, by whomever it was made; for
    modules of other names see repack. Prints the files written.
    """
    from wasmpack.actions.copy import extract_image, extract_module
    from wasmpack.images.opening import open_image

    if output in {"json", "yaml", "text"}:
        raise WrongUsage(
            f"-o {output}: -o says where, not in which shape",
            hint=f"did you mean --format {output}? for a directory of that name: -o ./{output}",
        )
    if output == STREAM:
        console.raw([extract_module(open_image(image, session), session).data], PLUGIN_FILE)
        replace(console, stdout_taken=True).show(Facts(files=[STREAM]), ())
        return
    files = extract_image(open_image(image, session), Path(output), session, force=force)
    names = [str(path) for path in files]
    console.show(Facts(files=names), map(plain_text, names))
