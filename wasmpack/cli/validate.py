"""``wasmpack validate``."""

from __future__ import annotations

from pathlib import Path

import click

from wasmpack.cli.options import (
    FILE,
    current_console,
    dry_run_timeout_option,
    format_option,
    image_argument,
    registry_options,
    target_options,
)
from wasmpack.cli.remote import asked, is_pinned
from wasmpack.cli.report import show_report
from wasmpack.cli.validate_wasmplugin import dry_run_option, envoy_option, validate_wasmplugin
from wasmpack.oci.place import Place
from wasmpack.stores.registry.options import RegistryOptions


@click.group()
def validate() -> None:
    """Say whether a mesh would load it, and if not, why and what to do.

    Exit code 3 if not.
    """


@validate.command(
    "module", epilog="Example: wasmpack validate module filter.wasm --target ossm-2.6"
)
@click.argument("file")
@target_options
@dry_run_option
@dry_run_timeout_option
@envoy_option
@format_option
def validate_module(
    file: str, targets: tuple[str, ...], plugin_config: Path | None, root_ids: tuple[str, ...],
    strict: bool, no_dry_run: bool, dry_run_timeout: float | None, envoy: bool, shape: str,
) -> int:  # fmt: skip
    """Judge a module: its exports, imports and start-up against each target's proxy."""
    from wasmpack.actions.inputs import read_module_file
    from wasmpack.actions.validate import validate_module as check
    from wasmpack.cli.judging import start_up

    module = read_module_file(file)
    configured = start_up(plugin_config, root_ids, dry_run=not no_dry_run, seconds=dry_run_timeout)
    report = check(
        module.data, module.name, targets=targets, start_up=configured, strict=strict, envoy=envoy
    )
    return show_report(report, shape, current_console())


@validate.command("config", epilog="Example: wasmpack validate config runtime-config.json")
@click.argument("file", type=FILE)
@click.option("--strict", is_flag=True, help="Warnings reject too.")
@click.option("--target", "targets", multiple=True, hidden=True, help="Taken, and means nothing.")
@format_option
def validate_config(file: Path, strict: bool, targets: tuple[str, ...], shape: str) -> int:
    """Judge a runtime-config.json: every fault with its place.

    It is for other tools and for people: no mesh reads it, so there are no targets.
    """
    from wasmpack.actions.inputs import read_file
    from wasmpack.actions.validate import validate_config as check

    if targets:
        current_console().status("no mesh reads this file: --target changes nothing")
    report = check(read_file(file), str(file), strict=strict)
    return show_report(report, shape, current_console())


@validate.command("image", epilog="Example: wasmpack validate image quay.io/me/plugin:v1")
@image_argument
@click.option("--remote", is_flag=True, help="Ask the registry only.")
@target_options
@dry_run_option
@dry_run_timeout_option
@envoy_option
@format_option
@registry_options
def validate_image(
    image: Place, remote: bool, targets: tuple[str, ...], plugin_config: Path | None,
    root_ids: tuple[str, ...], strict: bool, no_dry_run: bool, dry_run_timeout: float | None,
    envoy: bool, shape: str, registry: RegistryOptions,
) -> int:  # fmt: skip
    """Judge an image: how each target's fetcher reads it, and the module it finds there."""
    from wasmpack.actions.validate_image import validate_image as check
    from wasmpack.cli.judging import start_up
    from wasmpack.stores.places import open_reader

    console = current_console()
    reader = open_reader(asked(image, remote=remote), registry, console.notice)
    report = check(
        reader, str(image), targets=targets,
        start_up=start_up(
            plugin_config, root_ids, dry_run=not no_dry_run, seconds=dry_run_timeout
        ),
        strict=strict, pinned=is_pinned(image), envoy=envoy,
    )  # fmt: skip
    return show_report(report, shape, console)


validate.add_command(validate_wasmplugin)
