"""``wasmpack list``, ``tag``, ``remove``, ``prune``: the local store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from wasmpack.cli.command import command
from wasmpack.cli.console import Console, Facts, format_option
from wasmpack.cli.names import MAYBE_NAME, name_here
from wasmpack.cli.options import REFERENCE, completed_name
from wasmpack.oci.reference import Reference
from wasmpack.redaction import plain_text
from wasmpack.text import size_text, table

if TYPE_CHECKING:
    from wasmpack.actions.caches import Cache
    from wasmpack.actions.local import LocalImage

_HEAD = ("IMAGE", "VARIANT", "     SIZE", "CREATED", "DIGEST")
_DATE = len("2026-01-02")
_CACHE_HEAD = ("CACHE", "FILES", "SIZE", "WHERE")


@command("list", examples=["wasmpack list"], of_project=True)
@format_option
def list_images(console: Console) -> None:
    """List the images of the local store."""
    from wasmpack.actions.local import list_local

    images = [replace(row, name=name_here(row.name)) for row in list_local()]
    lines = table(_cells(images), console.out_style, head=_HEAD if images else ())
    console.show(Facts(images=[row.as_json() for row in images]), lines)
    if not images:
        console.remark("no images yet: wasmpack build MODULE -t NAME")


def _cells(images: Sequence[LocalImage]) -> list[tuple[str, ...]]:
    """The row of each image."""
    return [
        (
            plain_text(row.name),
            row.variant,
            f"{size_text(row.size) if row.size else '-':>9}",
            plain_text(row.created or "-")[:_DATE],
            str(row.digest)[:19],
        )
        for row in images
    ]


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


@command(examples=["wasmpack remove plugin:v1", "wasmpack remove 'quay.io/me/*:dev-*'"])
@click.argument("names", metavar="NAME...", nargs=-1, required=True, type=MAYBE_NAME)
@format_option
def remove(names: tuple[str, ...], console: Console) -> None:
    """Remove images from the local store.

    NAME is an image, a repository (all its tags), a digest (all its names), or a pattern: * stands
    for any characters of the name as list shows it. Blobs that only they needed are deleted too.
    """
    from wasmpack.actions.local import remove_local
    from wasmpack.stores.store_names import is_name, shown_name

    meant = [completed_name(name, tagged=False) if is_name(name) else name for name in names]
    removed = [(name_here(shown_name(str(name))), digest) for name, digest in remove_local(meant)]
    rows = [{"reference": name, "digest": str(digest)} for name, digest in removed]
    console.show(Facts(removed=rows), [f"{name}@{digest}" for name, digest in removed])


@command(examples=["wasmpack cache", "wasmpack cache --clear"])
@click.option("--clear", is_flag=True, help="Delete all of it; images stay.")
@format_option
def cache(clear: bool, console: Console) -> None:
    """Show what is cached, or delete it.

    Verdicts: the reports of images that were accepted, by digest and release of wasmpack. Code:
    modules compiled for the dry run. Both are made again when needed. wasmpack prune deletes them
    too, and blobs that no image needs.
    """
    from wasmpack.actions.caches import clear_caches, list_caches

    if clear:
        _show_deleted(clear_caches(), console)
        return
    caches = list_caches()
    facts = Facts(caches=[row.as_json() for row in caches])
    console.show(facts, table(_cache_cells(caches), console.out_style, head=_CACHE_HEAD))


def _cache_cells(caches: Sequence[Cache]) -> list[tuple[str, ...]]:
    return [
        (row.name, str(row.files), size_text(row.size), plain_text(str(row.path or "-")))
        for row in caches
    ]


def _show_deleted(deleted: tuple[int, int], console: Console) -> None:
    files, size = deleted
    lines = [f"{files} files deleted, {size_text(size)} freed"]
    console.show(Facts(files=files, bytes=size), lines)


@command(examples=["wasmpack prune"])
@format_option
def prune(console: Console) -> None:
    """Delete what no image needs, and the caches.

    Blobs that no image names, such as those of broken-off builds; the code of modules compiled for
    the dry run; the reports of images that were accepted. wasmpack cache shows and deletes the
    last two alone.
    """
    from wasmpack.actions.local import prune_local

    _show_deleted(prune_local(), console)
