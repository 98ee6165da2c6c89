"""``wasmpack list``, ``tag``, ``remove``, ``prune``: the local store."""

import click

from wasmpack.cli.options import REFERENCE, current_console, format_option
from wasmpack.oci.reference import Reference


@click.command("list", epilog="Example: wasmpack list")
@format_option
def list_images(shape: str) -> None:
    """List the images of the local store."""
    from wasmpack.actions.local import list_local

    console = current_console()
    rows = list_local()
    if shape == "json":
        console.json({"schemaVersion": 1, "images": [row.as_json() for row in rows]})
        return
    if not rows:
        console.status("no images yet: wasmpack build MODULE -t NAME")
        return
    width = max(len("IMAGE"), *(len(row.name) for row in rows))
    console.result(console.out_style(f"{'IMAGE':<{width}}  {'VARIANT':<8} DIGEST", "bold"))
    for row in rows:
        console.result(f"{row.name:<{width}}  {row.variant:<8} {str(row.digest)[:19]}")


@click.command(epilog="Example: wasmpack tag plugin:v1 quay.io/me/plugin:v1")
@click.argument("image", type=REFERENCE)
@click.argument("name", type=REFERENCE)
def tag(image: Reference, name: Reference) -> None:
    """Give IMAGE of the local store another NAME; a tag that exists moves."""
    from wasmpack.actions.local import tag_local

    digest = tag_local(image, name)
    current_console().result(str(name.with_default_tag().with_digest(digest)))


@click.command(epilog="Example: wasmpack remove plugin:v1")
@click.argument("names", type=REFERENCE, nargs=-1, required=True)
def remove(names: tuple[Reference, ...]) -> None:
    """Remove images from the local store, and what only they needed."""
    from wasmpack.actions.local import remove_local

    for name, digest in remove_local(names):
        current_console().result(f"{name}@{digest}")


@click.command(epilog="Example: wasmpack prune")
def prune() -> None:
    """Delete blobs of the local store that no image needs, such as those of broken-off builds."""
    from wasmpack.actions.local import prune_local
    from wasmpack.cli.module_text import size_text

    files, size = prune_local()
    current_console().result(f"{files} files deleted, {size_text(size)} freed")
