"""``wasmpack validate``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wasmpack.cli.check_options import CheckOptions, check_options
from wasmpack.cli.console import Console, format_option
from wasmpack.cli.groups import FILE, argument, grouped, option
from wasmpack.cli.options import exclude, image_subject, registry_options
from wasmpack.cli.report import show_report
from wasmpack.oci.place import Place
from wasmpack.stores.session import Session

if TYPE_CHECKING:
    from wasmpack.actions.validate import Checks


@click.group()
def validate() -> None:
    """Say whether a mesh would load it, and if not, why and what to do.

    Exit code 3 if not.
    """


@validate.command(
    "module", epilog="Example: wasmpack validate module filter.wasm --target ossm-2.6"
)
@click.argument("file")
@check_options
@format_option
def validate_module(file: str, checks: Checks, console: Console) -> int:
    """Judge a module: its exports, imports and start-up against each target's proxy."""
    from wasmpack.actions.inputs import read_module_file
    from wasmpack.actions.validate import validate_module as validated

    return show_report(validated(read_module_file(file), checks), console)


@validate.command("config", epilog="Example: wasmpack validate config runtime-config.json")
@click.argument("file", type=FILE)
@click.option("--strict", is_flag=True, help="Warnings reject too.")
@click.option("--target", "targets", multiple=True, hidden=True, help="Taken, and means nothing.")
@format_option
def validate_config(file: Path, strict: bool, targets: tuple[str, ...], console: Console) -> int:
    """Judge a runtime-config.json: every fault with its place.

    It is for other tools and for people: no mesh reads it, so it has no targets.
    """
    from wasmpack.actions.inputs import read_file
    from wasmpack.actions.validate import validate_config as check

    if targets:
        console.status("no mesh reads this file: --target changes nothing")
    return show_report(check(read_file(file), str(file), strict=strict), console)


@validate.command("image", epilog="Example: wasmpack validate image quay.io/me/plugin:v1")
@image_subject
@check_options
@format_option
@registry_options
def validate_image(image: Place, checks: Checks, console: Console, session: Session) -> int:
    """Judge an image: how each target's fetcher reads it, and the module it finds there."""
    from wasmpack.actions.validate_image import validate_image as validated
    from wasmpack.images.opening import open_image

    return show_report(validated(open_image(image, session), checks), console)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceOptions(CheckOptions):
    """Which resources are judged, and how."""

    files: tuple[str, ...] = argument(metavar="FILE...", nargs=-1, required=True)
    no_image: bool = option("Judge the resource alone; no network is used.")
    remote: bool = option("Ask registries only, whatever the local store holds.")


@validate.command(
    "wasmplugin", epilog="Example: wasmpack validate wasmplugin plugin.yaml --target ossm-2.6"
)
@grouped("given", ResourceOptions)
@format_option
@registry_options
def validate_wasmplugin(given: ResourceOptions, console: Console, session: Session) -> int:
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

    exclude(no_image=given.no_image, remote=given.remote)
    exclude(no_image=given.no_image, envoy=given.envoy)
    checks, subject = given.checks(), ", ".join(given.files)
    documents, unreadable = read_or_report(given.files)
    scope = ImageScope(read=not given.no_image, remote=given.remote)
    report = validated(documents, subject, checks, session, images=scope, unreadable=unreadable)
    return show_report(report, console)
