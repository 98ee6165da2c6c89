"""``wasmpack validate wasmplugin``."""

from pathlib import Path

import click

from wasmpack.cli.options import (
    FILE,
    current_console,
    dry_run_timeout_option,
    format_option,
    registry_options,
)
from wasmpack.cli.report import show_report
from wasmpack.errors import WrongUsage
from wasmpack.stores.registry.options import RegistryOptions

dry_run_option = click.option(
    "--no-dry-run", is_flag=True, help="Do not start the module; what that shows is not judged."
)

envoy_option = click.option(
    "--envoy", is_flag=True, help="Ask a real Envoy too (wasmpack[envoy], or one on the PATH)."
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
@click.option(
    "--plugin-config", type=FILE, help="Configuration for the dry run instead of the resource's."
)
@click.option("--root-id", default="", help="Root id for the dry run instead of pluginName.")
@click.option("--strict", is_flag=True, help="Warnings reject too.")
@click.option("--no-image", is_flag=True, help="Judge the resource alone; no network is used.")
@click.option("--remote", is_flag=True, help="Ask registries only, whatever the local store holds.")
@dry_run_option
@dry_run_timeout_option
@envoy_option
@format_option
@registry_options
def validate_wasmplugin(
    files: tuple[str, ...], targets: tuple[str, ...], plugin_config: Path | None, root_id: str,
    strict: bool, no_image: bool, remote: bool, no_dry_run: bool, dry_run_timeout: float | None,
    envoy: bool, shape: str, registry: RegistryOptions,
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

    for name, given in (("--remote", remote), ("--envoy", envoy)):
        if no_image and given:
            raise WrongUsage(f"--no-image and {name} exclude each other")
    from wasmpack.cli.judging import start_up

    console = current_console()
    documents, unreadable = read_or_report(files)
    report = check(
        documents, ", ".join(files), registry, targets=targets,
        strict=strict, notice=console.notice, unreadable=unreadable,
        looking=Looking(
            images=not no_image, remote=remote, envoy=envoy,
            start_up=start_up(
                plugin_config, [root_id], dry_run=not no_dry_run, seconds=dry_run_timeout
            ),
        ),
    )  # fmt: skip
    return show_report(report, shape, console)
