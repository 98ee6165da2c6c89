"""``wasmpack validate wasmplugin``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wasmpack.cli.options import check_options, current_console, format_option
from wasmpack.cli.report import show_report
from wasmpack.cli.session_options import registry_options
from wasmpack.errors import WrongUsage
from wasmpack.stores.session import Session

if TYPE_CHECKING:
    from wasmpack.actions.validate import Checks


@click.command(
    "wasmplugin", epilog="Example: wasmpack validate wasmplugin plugin.yaml --target ossm-2.6"
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@check_options
@click.option("--no-image", is_flag=True, help="Judge the resource alone; no network is used.")
@click.option("--remote", is_flag=True, help="Ask registries only, whatever the local store holds.")
@format_option
@registry_options
def validate_wasmplugin(
    files: tuple[str, ...], checks: Checks, no_image: bool, remote: bool, shape: str,
    session: Session,
) -> int:  # fmt: skip
    """Judge WasmPlugin resources, and the images they point at.

    The API's schema and rules by release; how the mesh reads the URL; whether the digest can match;
    what pull policy, priority and direction really do; the pull secret, if its Secret is among the
    files; and the module itself, started with the plugin's own configuration and root id unless
    others are given. FILE is YAML or JSON, a directory of such files, or - for standard input;
    TrafficExtensions are judged too.
    """
    from wasmpack.actions.documents import read_or_report
    from wasmpack.actions.validate_wasmplugin import ImageScope
    from wasmpack.actions.validate_wasmplugin import validate_wasmplugin as validated

    for option, given in (("--remote", remote), ("--envoy", checks.envoy)):
        if no_image and given:
            raise WrongUsage(f"--no-image and {option} exclude each other")
    documents, unreadable = read_or_report(files)
    scope = ImageScope(read=not no_image, remote=remote)
    report = validated(
        documents, ", ".join(files), checks, session, images=scope, unreadable=unreadable
    )
    return show_report(report, shape, current_console())
