"""``wasmpack list``, ``tag``, ``remove``, ``prune``: the local store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wasmpack.cli.console import Console, Facts, format_option
from wasmpack.cli.options import REFERENCE
from wasmpack.findings.report import table
from wasmpack.oci.reference import Reference
from wasmpack.redaction import plain_text

if TYPE_CHECKING:
    from wasmpack.actions.local import LocalImage

_HEAD = ("IMAGE", "VARIANT", "DIGEST", "SIZE", "CREATED")
_DAY = len("2026-11-29")
_SHORT_DIGEST = len("sha256:0123456789ab")


@click.command("list", epilog="Example: wasmpack list")
@format_option
def list_images(console: Console) -> None:
    """List the images of the local store."""
    from wasmpack.actions.local import list_local

    images = list_local()
    rows = [_cells(row) for row in images]
    lines = table(rows, console.out_style, head=_HEAD if rows else ())
    console.show(Facts(images=[row.as_json() for row in images]), lines)
    if not rows:
        console.remark("no images yet: wasmpack build MODULE -t NAME")


def _cells(row: LocalImage) -> tuple[str, ...]:
    from wasmpack.cli.image_text import size_text

    created = plain_text((row.created or "-")[:_DAY])
    digest = str(row.digest)[:_SHORT_DIGEST]
    return plain_text(row.name), row.variant, digest, size_text(row.size), created


@click.command(epilog="Example: wasmpack tag plugin:v1 quay.io/me/plugin:v1")
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


@click.command(epilog="Example: wasmpack remove plugin:v1 'quay.io/me/*:dev-*'")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@format_option
def remove(names: tuple[str, ...], console: Console) -> None:
    """Remove images from the local store.

    NAME is an image, a repository (all its tags), a digest (all its names), or a pattern: * stands
    for any characters. Blobs that only they needed are deleted too.
    """
    from wasmpack.actions.local import remove_local

    removed = remove_local(names)
    rows = [{"reference": str(name), "digest": str(digest)} for name, digest in removed]
    console.show(Facts(removed=rows), [f"{name}@{digest}" for name, digest in removed])


@click.command(epilog="Example: wasmpack prune")
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
