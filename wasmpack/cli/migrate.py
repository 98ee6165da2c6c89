"""``wasmpack migrate``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from wasmpack.cli.options import (
    ANY_NAME,
    FILE,
    PLACE,
    current_console,
    force_option,
    format_option,
    result_console,
)
from wasmpack.cli.session_options import registry_options
from wasmpack.errors import NotFound, WrongUsage
from wasmpack.files.outputs import check_named
from wasmpack.oci.place import Place
from wasmpack.stores.session import Session

_REFUSED = 3
_VARIANT = click.option(
    "--variant", type=click.Choice(["oci", "compat", "docker"]), default="oci", show_default=True,
    help="Format of new images.",
)  # fmt: skip
_TARGET = click.option(
    "--target", "targets", multiple=True,
    help="Release it is for (repeatable), or 'all'. [default: those in support]",
)  # fmt: skip


@click.group()
def migrate() -> None:
    """Turn what OpenShift Service Mesh 2.3 removed into what meshes load today."""


@migrate.command(
    "servicemeshextension",
    epilog="Example: wasmpack migrate servicemeshextension extension.yaml --report report.md",
)
@click.argument("names", metavar="[FILE|-]...", nargs=-1)
@click.option("-f", "--filename", "files", multiple=True, metavar="FILE|-", type=ANY_NAME,
              help="The same, as oc and kubectl write it (repeatable).")  # fmt: skip
@click.option("-n", "--namespace", default="", help="For resources without one.")
@click.option("--images", default="", metavar="PREFIX",
              help="Pack the images anew below this registry and path.")  # fmt: skip
@click.option("--pin", is_flag=True, help="With --images: write the new images' digests.")
@click.option("--remote", is_flag=True, help="With --images: read old ones from registries only.")
@force_option("what else is at an image's new place")
@_VARIANT
@_TARGET
@click.option("--no-root-id", is_flag=True, help="Leave pluginName out: it was NAME_root.")
@click.option("--inbound-only", is_flag=True, help="Write match: SERVER, as it was in sidecars.")
@click.option("--as-published", is_flag=True,
              help="The form of Red Hat's example: no priority, no root id.")  # fmt: skip
@click.option("--report", type=FILE, help="Say what was done, in FILE.md or FILE.json.")
@click.option("--format", "shape", type=click.Choice(["yaml", "json"]), default="yaml",
              show_default=True, help="Shape of the result.")  # fmt: skip
@registry_options
def servicemeshextension(
    names: tuple[str, ...], files: tuple[str, ...], namespace: str, images: str, pin: bool,
    remote: bool, force: bool,
    variant: str, targets: tuple[str, ...], no_root_id: bool, inbound_only: bool,
    as_published: bool, report: Path | None, shape: str, session: Session,
) -> int:  # fmt: skip
    """Write a WasmPlugin for each ServiceMeshExtension; kubectl apply -f - takes them.

    FILE is YAML or JSON, a directory, or - for standard input; lists and streams of documents are
    taken apart, other resources and comments stay. Without --images the network is not used. What
    cannot be carried over refuses its resource alone (exit code 3); what changes its meaning is
    said. The source is left as it is.
    """
    from wasmpack.actions.documents import read_document_files
    from wasmpack.actions.migrate import MigrationRequest, migrate_extensions
    from wasmpack.actions.repack import RepackRequest
    from wasmpack.cli.migrate_text import show_image, show_migration
    from wasmpack.images.variants import Variant
    from wasmpack.mesh.migration.extension import MigrationOptions

    console = current_console()
    inputs = (*names, *files) or (("-",) if sys.stdin and not sys.stdin.isatty() else ())
    if not inputs:
        raise WrongUsage("no FILE", hint="oc get sme -A -o yaml | wasmpack migrate … -f -")
    if pin and not images:
        raise WrongUsage("--pin needs --images: without it no image is looked at")
    if report is not None and report.suffix not in {".md", ".json"}:
        raise WrongUsage(f"--report {report}: expected a name that ends in .md or .json")
    if report is not None and not report.parent.is_dir():
        raise NotFound(f"--report {report}: no such directory")
    if report is not None:
        check_named(report)
    request = MigrationRequest(
        documents=tuple(read_document_files(inputs)), subject=", ".join(inputs), images=images,
        pin=pin, remote=remote, targets=targets,
        repack=RepackRequest(
            extension=True, variant=Variant(variant), targets=targets, force=force
        ),
        options=MigrationOptions(
            namespace=namespace, root_id=not no_root_id, inbound_only=inbound_only,
            as_published=as_published,
        ),
    )  # fmt: skip
    done = migrate_extensions(
        request, session, advance=lambda outcome: show_image(outcome, console)
    )
    show_migration(done, shape, report, console)
    return 0 if done.complete else _REFUSED


@migrate.command(
    "image", epilog="Example: wasmpack migrate image quay.io/me/old:1.0 quay.io/me/plugin:1.0"
)
@click.argument("image", type=PLACE)
@click.argument("destination", type=PLACE)
@_VARIANT
@_TARGET
@click.option("--no-validate", is_flag=True, help="Do not check the module.")
@force_option("another image in a layout or archive")
@format_option
@registry_options
def image(
    image: Place, destination: Place, variant: str, targets: tuple[str, ...], no_validate: bool,
    force: bool, shape: str, session: Session,
) -> None:  # fmt: skip
    """Pack the module of an image for ServiceMeshExtension as a WasmPlugin image, at DESTINATION.

    The module is the one that /manifest.yaml names, in whatever layer; what else the file says is
    kept in annotations. The source is left as it is. Prints PLACE@DIGEST.
    """
    from wasmpack.actions.repack import RepackRequest, repack_image
    from wasmpack.cli.repack import writable
    from wasmpack.cli.report import show_written, shown_if_rejected
    from wasmpack.images.variants import Variant

    console = result_console(destination)
    request = RepackRequest(
        variant=Variant(variant), validate=not no_validate, targets=targets, force=force,
        extension=True,
    )  # fmt: skip
    with shown_if_rejected(shape, console):
        done = repack_image(image, writable(destination, variant), request, session)
    show_written(done, shape, console)
