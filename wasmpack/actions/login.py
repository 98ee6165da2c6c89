"""Credentials: tried at the registry before they are kept."""

from wasmpack.actions.push import warn_of_realm
from wasmpack.errors import WrongUsage
from wasmpack.oci.reference import DOCKER_HUB, Reference
from wasmpack.stores.registry.credentials import Credential, erase_credential, save_credential
from wasmpack.stores.session import Session


def log_in(registry: str, session: Session) -> str:
    """Show the credentials to the registry and keep them; returns where.

    :param session: whose registry options have user name and password
    :raises AccessRefused: the registry does not take them; nothing is kept
    """
    from wasmpack.stores.registry.client import RegistryClient

    host, options = registry_host(registry), session.registry
    if options.username is None or options.password is None:
        raise WrongUsage("a user name and a password are needed")
    reference = Reference(registry=host, repository="", written=f"{host}/")
    client = RegistryClient(reference, options, notice=session.notice)
    client.ping()
    warn_of_realm(client.challenge, reference, session.notice)
    credential = Credential(username=options.username, secret=options.password)
    return save_credential(host, credential, options, session.notice)


def list_tags(repository: Reference, session: Session | None = None) -> list[str]:
    """The tags of a repository in its registry, sorted.

    :raises NotFound: no such repository
    """
    from wasmpack.stores.registry.client import RegistryClient

    session = session or Session()
    return sorted(RegistryClient(repository, session.registry, notice=session.notice).tags())


def log_out(registry: str, session: Session) -> bool:
    """Remove stored credentials; whether there were any."""
    return erase_credential(registry_host(registry), session.registry, session.notice)


def registry_host(text: str) -> str:
    """``HOST[:PORT]`` as the user may write it.

    :raises WrongUsage: no host name
    """
    host = text.removeprefix("https://").removeprefix("http://").rstrip("/")
    if host in {"index.docker.io", "registry-1.docker.io", "index.docker.io/v1"}:
        return DOCKER_HUB
    if host == DOCKER_HUB:
        return host
    probe = host if "." in host or ":" in host or host == "localhost" else f"{host}.invalid"
    if "/" in host or Reference.parse(f"{probe}/x").registry != probe:
        raise WrongUsage(f"{text!r} is no registry: expected HOST[:PORT]")
    return host
