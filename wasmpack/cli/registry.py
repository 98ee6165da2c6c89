"""``wasmpack login``, ``logout``, ``tags``."""

import sys
from pathlib import Path

import click

from wasmpack.cli.console import plain_text
from wasmpack.cli.options import (
    REFERENCE,
    current_console,
    format_option,
    registry_config_option,
    registry_options,
)
from wasmpack.errors import WrongUsage
from wasmpack.oci.reference import Reference
from wasmpack.stores.registry.options import RegistryOptions


@click.command(epilog="Example: wasmpack login quay.io -u me --password-stdin < token.txt")
@click.argument("registry_host", metavar="REGISTRY")
@registry_options
def login(registry_host: str, registry: RegistryOptions) -> None:
    """Try credentials at REGISTRY and keep them where Docker does.

    The password comes from standard input, WASMPACK_PASSWORD, or a prompt without echo.
    """
    from dataclasses import replace

    from wasmpack.actions.login import log_in

    username, password = registry.username, registry.password
    if password is None:
        if sys.stdin is None or not sys.stdin.isatty():
            raise WrongUsage("no password", hint="--username NAME --password-stdin")
        username = click.prompt("Username", err=True)
        password = click.prompt("Password", hide_input=True, err=True)
    where = log_in(registry_host, replace(registry, username=username, password=password))
    current_console().status(f"logged in to {registry_host}; kept in {where}")


@click.command(epilog="Example: wasmpack logout quay.io")
@click.argument("registry_host", metavar="REGISTRY")
@registry_config_option
def logout(registry_host: str, registry_config: Path | None) -> None:
    """Forget the credentials for REGISTRY."""
    from wasmpack.actions.login import log_out

    console = current_console()
    known = log_out(
        registry_host,
        RegistryOptions(
            registry_config=str(registry_config) if registry_config else None,
            notice=console.notice,
        ),
    )
    console.status(
        f"logged out of {registry_host}" if known else f"not logged in to {registry_host}"
    )


@click.command(epilog="Example: wasmpack tags quay.io/me/plugin")
@click.argument("repository", type=REFERENCE)
@format_option
@registry_options
def tags(repository: Reference, shape: str, registry: RegistryOptions) -> None:
    """List the tags of REPOSITORY in its registry, sorted."""
    if repository.tag or repository.digest:
        raise WrongUsage(f"{repository}: a repository has no tag", hint=f"{repository.written}")
    from wasmpack.stores.registry.client import RegistryClient

    console = current_console()
    found = sorted(RegistryClient(repository, registry).tags())
    if shape == "json":
        console.json({"schemaVersion": 1, "repository": repository.name, "tags": found})
        return
    for name in found:
        console.result(plain_text(name))
