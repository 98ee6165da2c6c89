"""Credentials: tried at the registry before they are kept."""

from wasmpack.actions.push import warn_of_realm
from wasmpack.errors import WrongUsage
from wasmpack.oci.reference import DOCKER_HUB, Reference
from wasmpack.stores.registry.credentials import (
    Credential,
    erase_credential,
    save_credential,
)
from wasmpack.stores.registry.options import RegistryOptions


def log_in(registry: str, options: RegistryOptions) -> str:
    """Show the credentials to the registry and keep them; returns where.

    :param options: with user name and password
    :raises AccessRefused: the registry does not take them; nothing is kept
    """
    from wasmpack.stores.registry.client import RegistryClient

    host = registry_host(registry)
    if options.username is None or options.password is None:
        raise WrongUsage("a user name and a password are needed")
    reference = Reference(registry=host, repository="", written=f"{host}/")
    client = RegistryClient(reference, options)
    client.ping()
    warn_of_realm(client, reference, options.notice)
    credential = Credential(username=options.username, secret=options.password)
    return save_credential(host, credential, options)


def log_out(registry: str, options: RegistryOptions) -> bool:
    """Forget the credentials; whether there were any."""
    return erase_credential(registry_host(registry), options)


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
