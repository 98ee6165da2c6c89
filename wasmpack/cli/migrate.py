"""``wasmpack migrate``."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wasmpack.cli.check_options import check_result_file
from wasmpack.cli.command import Group, Section, argument, grouped, option
from wasmpack.cli.console import Console, format_option, resource_format_option
from wasmpack.cli.options import ANY_NAME, VARIANTS, registry_options
from wasmpack.cli.repack import RepackOptions
from wasmpack.cli.report import REJECTED
from wasmpack.errors import NotFound, WrongUsage
from wasmpack.stores.session import Session

if TYPE_CHECKING:
    from wasmpack.actions.migrate import MigrationRequest
    from wasmpack.actions.repack import RepackRequest

_TARGETS = "Migrate for this release (repeatable), or 'all'. [default: those in support]"


@click.group(cls=Group)
def migrate() -> None:
    """Turn ServiceMeshExtensions into WasmPlugins.

    OpenShift Service Mesh 2.3 removed them.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionOptions:
    """Which resources are migrated, and how."""

    names: tuple[str, ...] = argument(metavar="[FILE|-]...", nargs=-1)
    files: tuple[str, ...] = option(
        "The same, as oc and kubectl write it (repeatable).",
        "-f",
        "--filename",
        metavar="FILE|-",
        type=ANY_NAME,
    )
    namespace: str = option("Set the namespace of resources without one.", "-n", metavar="NS")
    images: str = option(
        "Pack the images again below this registry and path.",
        metavar="PREFIX",
        section=Section.IMAGE,
    )
    pin: bool = option("With --images: write the new images' digests.", section=Section.IMAGE)
    remote: bool = option(
        "With --images: read old ones from registries only.", section=Section.IMAGE
    )
    force: bool = option("Overwrite other images at the new places.", section=Section.IMAGE)
    variant: str = option(
        "Set the format of new images.", type=VARIANTS, default="oci", section=Section.IMAGE
    )
    targets: tuple[str, ...] = option(
        _TARGETS, "--target", metavar="RELEASE", section=Section.CHECKS
    )
    no_root_id: bool = option("Leave pluginName out: it was NAME_root.")
    inbound_only: bool = option("Write match: SERVER, as it was in sidecars.")
    as_published: bool = option("Write as Red Hat's example: no priority, no root id.")
    report: Path | None = option(
        "Write what was done to FILE.md or FILE.json.", section=Section.OUTPUT
    )

    def request(self) -> MigrationRequest:
        """Read the given files and return the request.

        :raises WrongUsage: no file, or options that do not go together
        """
        from wasmpack.actions.documents import read_document_files
        from wasmpack.actions.migrate import MigrationRequest
        from wasmpack.actions.repack import RepackRequest
        from wasmpack.images.variants import Variant
        from wasmpack.mesh.migration.extension import MigrationOptions

        inputs = self._inputs()
        if self.pin and not self.images:
            raise WrongUsage("--pin needs --images: without it no image is looked at")
        _check_report(self.report)
        variant = Variant(self.variant)
        return MigrationRequest(
            documents=tuple(read_document_files(inputs)),
            subject=", ".join(inputs),
            images=self.images,
            pin=self.pin,
            remote=self.remote,
            targets=self.targets,
            repack=RepackRequest(
                extension=True, variant=variant, targets=self.targets, force=self.force
            ),
            options=MigrationOptions(
                namespace=self.namespace,
                root_id=not self.no_root_id,
                inbound_only=self.inbound_only,
                as_published=self.as_published,
            ),
        )

    def _inputs(self) -> tuple[str, ...]:
        given = (*self.names, *self.files)
        if given:
            return given
        if sys.stdin and not sys.stdin.isatty():
            return ("-",)
        raise WrongUsage("no FILE", hint="oc get sme -A -o yaml | wasmpack migrate … -f -")


def _check_report(path: Path | None) -> None:
    if path is None:
        return
    if path.suffix not in {".md", ".json"}:
        raise WrongUsage(
            f"--report {path}: expected a name that ends in .md or .json",
            hint="--report report.md for people, report.json for programs",
        )
    if not path.parent.is_dir():
        raise NotFound(f"--report {path}: no such directory")
    check_result_file(path)


@migrate.command(
    "servicemeshextension",
    examples=["wasmpack migrate servicemeshextension extension.yaml --report report.md"],
)
@grouped("options", ExtensionOptions, section=Section.RESOURCE)
@resource_format_option
@registry_options
def servicemeshextension(options: ExtensionOptions, console: Console, session: Session) -> int:
    """Write a WasmPlugin for each ServiceMeshExtension.

    kubectl apply -f - takes them. FILE is YAML or JSON, a directory, or - for standard input; lists
    and streams of documents are taken apart, other resources and comments stay. Without --images
    the network is not used. What cannot be carried over refuses its resource alone (exit code 3);
    what changes its meaning is said. The source is left as it is.
    """
    from wasmpack.actions.migrate import migrate_extensions
    from wasmpack.cli.migrate_text import show_image, show_migration, write_report

    done = migrate_extensions(
        options.request(), session, advance=lambda outcome: show_image(outcome, console)
    )
    if options.report is not None:
        write_report(done, options.report, console)
    show_migration(done, console)
    return 0 if done.complete else REJECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOptions(RepackOptions):
    """How the image of an extension is packed again."""

    variant: str = option(
        "Set the format of new images.", type=VARIANTS, default="oci", section=Section.IMAGE
    )
    targets: tuple[str, ...] = option(
        _TARGETS, "--target", metavar="RELEASE", section=Section.CHECKS
    )
    force: bool = option("Overwrite another image in a layout or archive.", section=Section.OUTPUT)

    def request(self) -> RepackRequest:
        """Return the request for an extension image."""
        return replace(RepackOptions.request(self), extension=True)


@migrate.command(
    "image", examples=["wasmpack migrate image quay.io/me/old:1.0 quay.io/me/plugin:1.0"]
)
@grouped(
    "given",
    ImageOptions,
    only="image destination variant targets no_validate force",
    section=Section.CHECKS,
)
@format_option
@registry_options
def image(given: ImageOptions, console: Console, session: Session) -> None:
    """Pack the module of an old IMAGE for WasmPlugins.

    The module is the one that /manifest.yaml names, in whatever layer; what else the file says is
    kept in annotations. The source is left as it is. Prints PLACE@DIGEST.
    """
    given.pack(console, session)
