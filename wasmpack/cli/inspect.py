"""``wasmpack inspect``."""

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
from wasmpack.redaction import plain_text
from wasmpack.stores.session import Session


@click.group()
def inspect() -> None:
    """Show what an image or a module is made of."""


@inspect.command("image", epilog="Example: wasmpack inspect image quay.io/me/plugin:v1")
@image_argument
@remote_option
@click.option("--target", "targets", multiple=True, help="Judge for this release, or 'all'.")
@click.option("--raw", help="manifest, config or layer:N (from 0): those bytes, unchanged.")
@format_option
@registry_options
def inspect_image(
    image: Place, remote: bool, targets: tuple[str, ...], raw: str | None, shape: str,
    session: Session,
) -> None:  # fmt: skip
    """Show any image: manifest, layers, annotations, runtime configuration, the module's ABI, SDK,
    imports, exports and section sizes, and what each target would say.

    For that the module is started, in a process of its own, unless this store has accepted it.
    """
    from wasmpack.actions import inspect as actions
    from wasmpack.cli.image_text import image_lines
    from wasmpack.images.opening import open_image

    console = current_console()
    found = open_image(asked(image, remote=remote), session)
    if raw is not None:
        for chunk in actions.raw_part(found, raw):
            console.raw(chunk, f"--raw {raw}")
        return
    view = actions.inspect_image(found, targets)
    if shape == "json":
        console.json(view.as_json())
        return
    for line in image_lines(view, console.out_style):
        console.result(line)


@inspect.command("module", epilog="Example: wasmpack inspect module filter.wasm")
@click.argument("file")
@format_option
def inspect_module(file: str, shape: str) -> None:
    """Show a module: ABI, SDK, imports, exports, section sizes. Nothing is compiled or run."""
    from wasmpack.actions.inputs import read_module_file
    from wasmpack.actions.inspect_module import inspect_module as look

    console = current_console()
    module = read_module_file(file)
    view = look(module)
    if shape == "json":
        console.json({"schemaVersion": 1, "subject": module.name, **view.as_json()})
        return
    from wasmpack.cli.image_text import module_lines

    console.result(console.out_style(plain_text(module.name), "bold"))
    for line in module_lines(view, console.out_style):
        console.result(line)
