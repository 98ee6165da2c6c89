"""``wasmpack inspect``."""

import click

from wasmpack.cli.console import Console, Facts, format_option
from wasmpack.cli.options import image_subject, registry_options
from wasmpack.oci.place import Place
from wasmpack.stores.session import Session


@click.group()
def inspect() -> None:
    """Show what an image or a module is made of."""


@inspect.command("image", epilog="Example: wasmpack inspect image quay.io/me/plugin:v1")
@image_subject
@click.option("--target", "targets", multiple=True, help="Judge for this release, or 'all'.")
@click.option("--raw", help="manifest, config or layer:N (from 0): those bytes, unchanged.")
@format_option
@registry_options
def inspect_image(
    image: Place, targets: tuple[str, ...], raw: str | None, console: Console, session: Session
) -> None:
    """Show any image: manifest, layers, annotations, runtime configuration, the module's ABI, SDK,
    imports, exports and section sizes, and what each target would say.

    For that the module is started, in a process of its own, unless this store has accepted it.
    """
    from wasmpack.actions import inspect as actions
    from wasmpack.cli.image_text import image_lines
    from wasmpack.images.opening import open_image

    found = open_image(image, session)
    if raw is not None:
        console.raw(actions.raw_part(found, raw), f"--raw {raw}")
        return
    view = actions.inspect_image(found, targets)
    console.show(view, image_lines(view, console.out_style))


@inspect.command("module", epilog="Example: wasmpack inspect module filter.wasm")
@click.argument("file")
@format_option
def inspect_module(file: str, console: Console) -> None:
    """Show a module: ABI, SDK, imports, exports, section sizes. Nothing is compiled or run."""
    from wasmpack.actions.inputs import read_module_file
    from wasmpack.actions.inspect_module import inspect_module as look
    from wasmpack.cli.image_text import named_module_lines

    module = read_module_file(file)
    view = look(module)
    lines = named_module_lines(module.name, view, console.out_style)
    console.show(Facts(subject=module.name, **view.as_json()), lines)
