"""``wasmpack repack``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasmpack.cli.command import Section, argument, command, grouped, option
from wasmpack.cli.console import Console, format_option
from wasmpack.cli.options import PLACE, VARIANTS, registry_options
from wasmpack.errors import WrongUsage
from wasmpack.oci.place import DaemonPlace, Place, with_default_tag
from wasmpack.stores.session import Session

if TYPE_CHECKING:
    from wasmpack.actions.repack import RepackRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RepackOptions:
    """How the module of an image is packed again, and where."""

    image: Place = argument(type=PLACE)
    destination: Place = argument(type=PLACE)
    variant: str = option(
        "Set the format of the new image.", type=VARIANTS, default="oci", section=Section.IMAGE
    )
    no_runtime_config: bool = option(
        "Leave runtime-config.json out (compat and docker).", section=Section.IMAGE
    )
    module: str | None = option(
        "Pick the plugin, if the image has several modules.",
        metavar="FILE",
        section=Section.IMAGE,
    )
    targets: tuple[str, ...] = option(
        "Validate for this release (repeatable).", "--target", metavar="RELEASE"
    )
    no_validate: bool = option("Do not validate the module.")
    force: bool = option("Overwrite another image, or IMAGE itself.", section=Section.OUTPUT)

    def request(self) -> RepackRequest:
        """Return the request that these options describe."""
        from wasmpack.actions.repack import RepackRequest
        from wasmpack.images.variants import Variant

        return RepackRequest(
            variant=Variant(self.variant),
            with_runtime_config=not self.no_runtime_config,
            module=self.module,
            validate=not self.no_validate,
            targets=self.targets,
            force=self.force,
        )

    def pack(self, console: Console, session: Session) -> None:
        """Repack the image and show what came of it; a name without a tag means ``latest``.

        :raises WrongUsage: the Docker engine, and a variant that it cannot hold
        """
        from wasmpack.actions.repack import repack_image
        from wasmpack.cli.report import clear_of, show_written

        console, target = clear_of(self.destination, console), self.destination
        if self.variant == "oci" and isinstance(target, DaemonPlace):
            raise WrongUsage(
                "the Docker engine takes images of file system layers only", hint="--variant docker"
            )
        with console.rejections():
            done = repack_image(self.image, with_default_tag(target), self.request(), session)
        show_written(done, console)


@command(examples=["wasmpack repack quay.io/else/filter:v1 quay.io/me/plugin:v1"])
@grouped("given", RepackOptions, section=Section.CHECKS)
@format_option
@registry_options
def repack(given: RepackOptions, console: Console, session: Session) -> None:
    """Pack the module of IMAGE again, so that meshes load it.

    Finds the module wherever it lies: in artifacts of one layer, under other media types or names,
    in any layer, for other platforms. A name as DESTINATION is its registry. Annotations are kept.
    Prints PLACE@DIGEST.
    """
    given.pack(console, session)
