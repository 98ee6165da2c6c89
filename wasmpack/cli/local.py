"""``wasmpack list``, ``tag``, ``remove``, ``prune``: the local store."""

import click

from wasmpack.cli.command import command
from wasmpack.cli.console import Console, Facts, format_option
from wasmpack.cli.options import REFERENCE
from wasmpack.findings.text import table
from wasmpack.oci.reference import Reference
from wasmpack.redaction import plain_text


@command("list", examples=["wasmpack list"])
@format_option
def list_images(console: Console) -> None:
    """List the images of the local store."""
    from wasmpack.actions.local import list_local

    images = list_local()
    rows = [(plain_text(row.name), row.variant, str(row.digest)[:19]) for row in images]
    lines = table(rows, console.out_style, head=("IMAGE", "VARIANT", "DIGEST") if rows else ())
    console.show(Facts(images=[row.as_json() for row in images]), lines)
    if not rows:
        console.remark("no images yet: wasmpack build MODULE -t NAME")


@command(examples=["wasmpack tag plugin:v1 quay.io/me/plugin:v1"])
@click.argument("image", type=REFERENCE)
@click.argument("name", type=REFERENCE)
@format_option
def tag(image: Reference, name: Reference, console: Console) -> None:
    """Give IMAGE of the local store another NAME.

    A tag that exists moves.
    """
    from wasmpack.actions.local import tag_local

    digest, named = tag_local(image, name), name.with_default_tag()
    facts = Facts(reference=str(named), digest=str(digest))
    console.show(facts, [str(named.with_digest(digest))])


@command(examples=["wasmpack remove plugin:v1"])
@click.argument("names", type=REFERENCE, nargs=-1, required=True)
@format_option
def remove(names: tuple[Reference, ...], console: Console) -> None:
    """Remove images from the local store.

    Blobs that only they needed are deleted too.
    """
    from wasmpack.actions.local import remove_local

    removed = remove_local(names)
    rows = [{"reference": str(name), "digest": str(digest)} for name, digest in removed]
    console.show(Facts(removed=rows), [f"{name}@{digest}" for name, digest in removed])


@command(examples=["wasmpack prune"])
@format_option
def prune(console: Console) -> None:
    """Delete what no image needs, and the caches.

    Blobs that no image names, such as those of broken-off builds; the code of modules compiled for
    the dry run; the reports of images that were accepted.
    """
    from wasmpack.actions.local import prune_local
    from wasmpack.cli.image_text import size_text

    files, size = prune_local()
    console.show(
        Facts(files=files, bytes=size), [f"{files} files deleted, {size_text(size)} freed"]
    )
