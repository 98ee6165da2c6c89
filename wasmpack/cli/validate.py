"""``wasmpack validate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wasmpack.cli.options import (
    FILE,
    asked,
    check_options,
    current_console,
    format_option,
    image_argument,
    remote_option,
    strict_option,
)
from wasmpack.cli.report import show_report
from wasmpack.cli.session_options import registry_options
from wasmpack.cli.validate_wasmplugin import validate_wasmplugin
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
def validate_module(file: str, checks: Checks, shape: str) -> int:
    """Judge a module: its exports, imports and start-up against each target's proxy."""
    from wasmpack.actions.inputs import read_module_file
    from wasmpack.actions.validate import validate_module as validated

    return show_report(validated(read_module_file(file), checks), shape, current_console())


@validate.command("config", epilog="Example: wasmpack validate config runtime-config.json")
@click.argument("file", type=FILE)
@strict_option
@click.option("--target", "targets", multiple=True, hidden=True, help="Taken, and means nothing.")
@format_option
def validate_config(file: Path, strict: bool, targets: tuple[str, ...], shape: str) -> int:
    """Judge a runtime-config.json: every fault with its place.

    It is for other tools and for people: no mesh reads it, so it has no targets.
    """
    from wasmpack.actions.inputs import read_file
    from wasmpack.actions.validate import validate_config as check

    if targets:
        current_console().status("no mesh reads this file: --target changes nothing")
    report = check(read_file(file), str(file), strict=strict)
    return show_report(report, shape, current_console())


@validate.command("image", epilog="Example: wasmpack validate image quay.io/me/plugin:v1")
@image_argument
@remote_option
@check_options
@format_option
@registry_options
def validate_image(image: Place, remote: bool, checks: Checks, shape: str, session: Session) -> int:
    """Judge an image: how each target's fetcher reads it, and the module it finds there."""
    from wasmpack.actions.validate_image import validate_image as validated
    from wasmpack.images.opening import open_image

    found = open_image(asked(image, remote=remote), session)
    return show_report(validated(found, checks), shape, current_console())


validate.add_command(validate_wasmplugin)
