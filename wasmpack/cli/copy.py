"""``wasmpack copy``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from wasmpack.cli.groups import grouped, option
from wasmpack.cli.options import PLACE, force_option
from wasmpack.cli.printer import Printer, format_option
from wasmpack.cli.session_options import registry_options
from wasmpack.errors import WrongUsage
from wasmpack.oci.place import DaemonPlace, Place, with_default_tag
from wasmpack.oci.reference import is_tag
from wasmpack.stores.session import Session

if TYPE_CHECKING:
    from wasmpack.actions.copy import CopyScope


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeOptions:
    """How much is copied, and under which names."""

    all: bool = option("Of an index, all its images and the index.")
    referrers: bool = option("Signatures and the like that refer to it, too.")
    tags: tuple[str, ...] = option("Another tag at DESTINATION (repeatable).", "-t", "--tag")

    def scope(self) -> CopyScope:
        """What they mean."""
        from wasmpack.actions.copy import CopyScope

        return CopyScope(whole_index=self.all, referrers=self.referrers, tags=self.tags)


@click.command(
    epilog="Example: wasmpack copy docker://quay.io/me/plugin:v1 oci-archive:plugin.tar:v1"
)
@click.argument("source", type=PLACE)
@click.argument("destination", type=PLACE)
@grouped("scope", ScopeOptions, ScopeOptions.scope)
@force_option("another image in a layout or archive")
@format_option
@registry_options
def copy(
    source: Place,
    destination: Place,
    scope: CopyScope,
    force: bool,
    printer: Printer,
    session: Session,
) -> None:
    """Copy an image from SOURCE to DESTINATION, bytes and digest unchanged.

    A name as DESTINATION is its registry. Of an index, the linux/amd64 image is copied, or all of
    it with --all. The Docker engine writes a manifest of its own, so there the digest may change.
    Prints PLACE@DIGEST.
    """
    from wasmpack.actions.copy import copy_image
    from wasmpack.cli.report import show_written

    printer = printer.keeping_clear_of(destination)
    wrong = next((tag for tag in scope.tags if not is_tag(tag)), None)
    if wrong is not None or (scope.tags and isinstance(destination, DaemonPlace)):
        raise WrongUsage(f"--tag {wrong or scope.tags[0]}: no tag that {destination} can have")
    target = with_default_tag(destination)
    with printer.working(session, "copying") as session:
        done = copy_image(source, target, session, scope=scope, force=force)
    show_written(done, printer)
