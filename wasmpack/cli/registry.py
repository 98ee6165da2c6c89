"""``wasmpack login``, ``logout``, ``tags``."""

import sys
from pathlib import Path

import click

from wasmpack.cli.options import (
    REFERENCE,
    current_console,
    format_option,
)
from wasmpack.cli.session_options import registry_config_option, registry_options
from wasmpack.errors import WrongUsage
from wasmpack.oci.reference import Reference
from wasmpack.redaction import plain_text
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.session import Session


@click.command(epilog="Example: wasmpack login quay.io -u me --password-stdin < token.txt")
@click.argument("registry_host", metavar="REGISTRY")
@registry_options
def login(registry_host: str, session: Session) -> None:
    """Try credentials at REGISTRY and keep them where Docker does.

    The password comes from standard input, WASMPACK_PASSWORD, or a prompt without echo.
    """
    from dataclasses import replace

    from wasmpack.actions.login import log_in

    options = session.registry
    username, password = options.username, options.password
    if password is None:
        if sys.stdin is None or not sys.stdin.isatty():
            raise WrongUsage("no password", hint="--username NAME --password-stdin")
        username = click.prompt("Username", err=True)
        password = click.prompt("Password", hide_input=True, err=True)
    login = replace(options, username=username, password=password)
    where = log_in(registry_host, replace(session, registry=login))
    current_console().notice(f"logged in to {registry_host}; kept in {where}")


@click.command(epilog="Example: wasmpack logout quay.io")
@click.argument("registry_host", metavar="REGISTRY")
@registry_config_option
def logout(registry_host: str, registry_config: Path | None) -> None:
    """Remove the stored credentials for REGISTRY."""
    from wasmpack.actions.login import log_out

    console = current_console()
    options = RegistryOptions(registry_config=str(registry_config) if registry_config else None)
    known = log_out(registry_host, Session(registry=options, notice=console.notice))
    console.notice(
        f"logged out of {registry_host}" if known else f"not logged in to {registry_host}"
    )


@click.command(epilog="Example: wasmpack tags quay.io/me/plugin")
@click.argument("repository", type=REFERENCE)
@format_option
@registry_options
def tags(repository: Reference, shape: str, session: Session) -> None:
    """List the tags of REPOSITORY in its registry, sorted."""
    if repository.tag or repository.digest:
        raise WrongUsage(f"{repository}: a repository has no tag", hint=f"{repository.written}")
    from wasmpack.actions.login import list_tags

    console = current_console()
    found = list_tags(repository, session)
    if shape == "json":
        console.json({"schemaVersion": 1, "repository": repository.name, "tags": found})
        return
    for name in found:
        console.result(plain_text(name))
