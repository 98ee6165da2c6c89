"""``wasmpack login``, ``logout``, ``tags``."""

import sys
from dataclasses import replace

import click

from wasmpack.cli.command import command
from wasmpack.cli.console import Console, Facts, current_console, format_option
from wasmpack.cli.options import REPOSITORY, credentials_options, login_options, registry_options
from wasmpack.errors import WrongUsage
from wasmpack.oci.reference import Reference, RegistryName
from wasmpack.redaction import plain_text
from wasmpack.stores.session import Session


@command(examples=["wasmpack login quay.io -u me --password-stdin < token.txt"])
@click.argument("registry")
@login_options
def login(registry: str, session: Session) -> None:
    """Check credentials at REGISTRY and store them.

    They are stored where Docker stores them. The password comes from standard input,
    WASMPACK_PASSWORD, or a prompt without echo.
    """
    from wasmpack.actions.login import log_in
    from wasmpack.cli.progress import ask

    if session.registry.password is None:
        if sys.stdin is None or not sys.stdin.isatty():
            raise WrongUsage("no password", hint="--username NAME --password-stdin")
        username = ask(current_console(), "Username")
        password = ask(current_console(), "Password", hidden=True)
        session = replace(
            session, registry=replace(session.registry, username=username, password=password)
        )
    where = log_in(RegistryName.parse(registry), session)
    current_console().notice(f"logged in to {registry}; kept in {where}")


@command(examples=["wasmpack logout quay.io"])
@click.argument("registry")
@credentials_options
def logout(registry: str, session: Session) -> None:
    """Remove the stored credentials for REGISTRY."""
    from wasmpack.actions.login import log_out

    known = log_out(RegistryName.parse(registry), session)
    current_console().notice(f"{'logged out of' if known else 'not logged in to'} {registry}")


@command(examples=["wasmpack tags quay.io/me/plugin"])
@click.argument("repository", type=REPOSITORY)
@format_option
@registry_options
def tags(repository: Reference, console: Console, session: Session) -> None:
    """List the tags of REPOSITORY in its registry, sorted."""
    if repository.tag or repository.digest:
        raise WrongUsage(f"{repository}: a repository has no tag", hint=f"{repository.written}")
    from wasmpack.actions.tags import list_tags

    found = list_tags(repository, session)
    console.show(Facts(repository=repository.name, tags=found), map(plain_text, found))
