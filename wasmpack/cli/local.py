"""``wasmpack list``, ``tag``, ``remove``, ``prune``: the local store."""

import click

from wasmpack.cli.console import column
from wasmpack.cli.options import REFERENCE, current_console, format_option
from wasmpack.oci.reference import Reference
from wasmpack.redaction import plain_text


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
    names = [plain_text(row.name) for row in rows]
    width = column(["IMAGE", *names])
    console.result(console.out_style(f"{'IMAGE':<{width}}  {'VARIANT':<8} DIGEST", "bold"))
    for name, row in zip(names, rows, strict=True):
        console.result(f"{name:<{width}}  {row.variant:<8} {str(row.digest)[:19]}")


@click.command(epilog="Example: wasmpack tag plugin:v1 quay.io/me/plugin:v1")
@click.argument("image", type=REFERENCE)
@click.argument("name", type=REFERENCE)
@format_option
def tag(image: Reference, name: Reference, shape: str) -> None:
    """Give IMAGE of the local store another NAME; a tag that exists moves."""
    from wasmpack.actions.local import tag_local

    digest = tag_local(image, name)
    console, named = current_console(), name.with_default_tag()
    if shape == "json":
        console.json({"schemaVersion": 1, "reference": str(named), "digest": str(digest)})
    else:
        console.result(str(named.with_digest(digest)))


@click.command(epilog="Example: wasmpack remove plugin:v1")
@click.argument("names", type=REFERENCE, nargs=-1, required=True)
@format_option
def remove(names: tuple[Reference, ...], shape: str) -> None:
    """Remove images from the local store, and what only they needed."""
    from wasmpack.actions.local import remove_local

    console, removed = current_console(), remove_local(names)
    if shape == "json":
        rows = [{"reference": str(name), "digest": str(digest)} for name, digest in removed]
        console.json({"schemaVersion": 1, "removed": rows})
        return
    for name, digest in removed:
        console.result(f"{name}@{digest}")


@click.command(epilog="Example: wasmpack prune")
@format_option
def prune(shape: str) -> None:
    """Delete what the local store no longer needs, and the caches.

    Blobs that no image names, such as those of broken-off builds; the code of modules compiled for
    the dry run; the reports of images that were accepted.
    """
    from wasmpack.actions.local import prune_local
    from wasmpack.cli.image_text import size_text

    console, (files, size) = current_console(), prune_local()
    if shape == "json":
        console.json({"schemaVersion": 1, "files": files, "bytes": size})
    else:
        console.result(f"{files} files deleted, {size_text(size)} freed")
