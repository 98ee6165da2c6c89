"""``wasmpack inspect``."""

import click

from wasmpack.cli.options import (
    current_console,
    format_option,
    image_argument,
    registry_options,
)
from wasmpack.cli.remote import asked, is_pinned
from wasmpack.oci.place import Place
from wasmpack.stores.registry.options import RegistryOptions


@click.group()
def inspect() -> None:
    """Show what an image or a module is made of."""


@inspect.command("image", epilog="Example: wasmpack inspect image quay.io/me/plugin:v1")
@image_argument
@click.option("--remote", is_flag=True, help="Ask the registry only.")
@click.option("--target", "targets", multiple=True, help="Judge for this release, or 'all'.")
@click.option("--raw", help="manifest, config or layer:N (from 0): those bytes, unchanged.")
@format_option
@registry_options
def inspect_image(
    image: Place, remote: bool, targets: tuple[str, ...], raw: str | None, shape: str,
    registry: RegistryOptions,
) -> None:  # fmt: skip
    """Show an image by anybody: manifest, layers, annotations, runtime configuration, the module's
    ABI, SDK, imports, exports and section sizes, and what each target would say.
    """
    from wasmpack.actions import inspect as actions
    from wasmpack.cli.image_text import image_lines
    from wasmpack.stores.places import open_reader

    console = current_console()
    reader = open_reader(asked(image, remote=remote), registry, console.notice)
    if raw is not None:
        for chunk in actions.raw_part(reader, raw):
            console.raw(chunk, f"--raw {raw}")
        return
    view = actions.inspect_image(reader, str(image), targets=targets, pinned=is_pinned(image))
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
    view = look(module.data)
    if shape == "json":
        console.json({"schemaVersion": 1, "subject": module.name, **view.as_json()})
        return
    from wasmpack.cli.module_text import module_lines

    console.result(console.out_style(module.name, "bold"))
    for line in module_lines(view, console.out_style):
        console.result(line)
