"""Credentials: tried at the registry before they are kept."""

from wasmpack.actions.push import warn_of_realm
from wasmpack.errors import WrongUsage
from wasmpack.oci.reference import RegistryName
from wasmpack.stores.registry.credentials import Credential, erase_credential, save_credential
from wasmpack.stores.session import Session


def log_in(name: RegistryName, session: Session) -> str:
    """Show the credentials to the registry and keep them; returns where.

    :param session: whose registry options have user name and password
    :raises AccessRefused: the registry does not take them; nothing is kept
    """
    from wasmpack.stores.registry.ping import show_credentials

    options = session.registry
    if options.username is None or options.password is None:
        raise WrongUsage("a user name and a password are needed")
    challenge = show_credentials(name, options, session.notice)
    warn_of_realm(challenge, name.registry, session.notice)
    credential = Credential(username=options.username, secret=options.password)
    return save_credential(name.registry, credential, options, session.notice)


def log_out(name: RegistryName, session: Session) -> bool:
    """Remove stored credentials; whether there were any."""
    return erase_credential(name.registry, session.registry, session.notice)
