"""``wasmpack login``, ``logout``, ``tags``, ``delete``."""

import sys
from dataclasses import replace

import click

from wasmpack.cli.command import command
from wasmpack.cli.console import Console, Facts, current_console, format_option
from wasmpack.cli.names import MAYBE_NAME
from wasmpack.cli.options import (
    REFERENCE,
    REPOSITORY,
    credentials_options,
    login_options,
    registry_options,
)
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
@click.argument("name", metavar="REPOSITORY|REGISTRY", type=MAYBE_NAME)
@format_option
@registry_options
def tags(name: str, console: Console, session: Session) -> None:
    """List the tags of REPOSITORY in its registry, sorted.

    Of a REGISTRY (quay.io, localhost:5000), its repositories are listed, if it has such a list.
    """
    from wasmpack.actions.tags import list_repositories, list_tags

    if _is_registry(name):
        registry = RegistryName.parse(name.rstrip("/"))
        found = list_repositories(registry, session)
        facts = Facts(registry=registry.registry, repositories=found)
    else:
        repository = _repository(name)
        found = list_tags(repository, session)
        facts = Facts(repository=repository.name, tags=found)
    console.show(facts, map(plain_text, found))


def _is_registry(name: str) -> bool:
    """True for a host alone: no path, and a port, or a dot as in host names."""
    host, slash, path = name.removeprefix("docker://").partition("/")
    _, colon, port = host.rpartition(":")
    by_form = port.isdecimal() if colon else "." in host or host == "localhost"
    return not path and "@" not in host and bool(slash or by_form or host.startswith("["))


def _repository(name: str) -> Reference:
    """:raises WrongUsage: an image of a repository."""
    repository = REPOSITORY(name)
    if not repository.is_repository:
        raise WrongUsage(f"{name}: a repository has no tag", hint=f"{repository.written}")
    return repository


@command(examples=["wasmpack delete quay.io/me/plugin:v1 --yes"])
@click.argument("image", type=REFERENCE)
@click.option("--yes", is_flag=True, help="Delete without asking.")
@format_option
@registry_options
def delete(image: Reference, yes: bool, console: Console, session: Session) -> None:
    """Delete IMAGE from its registry, by its digest.

    Every tag of the same digest goes with it. Many registries do not allow it. The local store
    stays as it is: wasmpack remove.
    """
    from wasmpack.actions.tags import delete_image, find_remote

    digest = find_remote(image, session)
    named = replace(image, digest=digest)
    if not yes:
        _confirm(named)
    delete_image(image, digest, session)
    facts = Facts(reference=str(image), digest=str(digest))
    console.show(facts, [plain_text(str(named))])


def _confirm(named: Reference) -> None:
    """:raises WrongUsage: nobody can be asked."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise WrongUsage(
            f"{named} would be deleted, with every tag of this digest",
            hint=f"wasmpack delete {named} --yes",
        )
    click.confirm(f"Delete {named}, with every tag of this digest?", abort=True, err=True)
