"""``wasmpack validate wasmplugin``."""

import click

from wasmpack.cli.options import current_console, format_option, registry_options
from wasmpack.cli.report import show_report
from wasmpack.errors import WrongUsage
from wasmpack.stores.registry.options import RegistryOptions

dry_run_option = click.option(
    "--no-dry-run", is_flag=True, help="Do not start the module; what that shows is not judged."
)


@click.command(
    "wasmplugin", epilog="Example: wasmpack validate wasmplugin plugin.yaml --target ossm-2.6"
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--target",
    "targets",
    multiple=True,
    help="Judge for this release (repeatable), or 'all'. [default: those in support]",
)
@click.option("--strict", is_flag=True, help="Warnings reject too.")
@click.option("--no-image", is_flag=True, help="Judge the resource alone; no network is used.")
@click.option("--remote", is_flag=True, help="Ask registries only, whatever the local store holds.")
@dry_run_option
@format_option
@registry_options
def validate_wasmplugin(
    files: tuple[str, ...], targets: tuple[str, ...], strict: bool, no_image: bool, remote: bool,
    no_dry_run: bool, shape: str, registry: RegistryOptions,
) -> int:  # fmt: skip
    """Judge WasmPlugin resources, and the images they point at.

    The API's schema and rules by release; how the mesh reads the URL; whether the digest can match;
    what pull policy, priority and direction really do; the pull secret, if its Secret is among the
    files; and the module itself, started with the plugin's own configuration. FILE is YAML or JSON,
    a directory of such files, or - for standard input; TrafficExtensions are judged too.
    """
    from wasmpack.actions.documents import read_or_report
    from wasmpack.actions.validate_wasmplugin import Looking
    from wasmpack.actions.validate_wasmplugin import validate_wasmplugin as check

    if no_image and remote:
        raise WrongUsage("--no-image and --remote exclude each other")
    console = current_console()
    documents, unreadable = read_or_report(files)
    report = check(
        documents, ", ".join(files), registry, targets=targets,
        strict=strict, notice=console.status, unreadable=unreadable,
        looking=Looking(images=not no_image, remote=remote, dry_run=not no_dry_run),
    )  # fmt: skip
    return show_report(report, shape, console)
