"""Credentials: verified with the registry before they are stored."""

from wasmpack.actions.push import warn_of_realm
from wasmpack.errors import WrongUsage
from wasmpack.oci.reference import RegistryName
from wasmpack.stores.registry.credentials import Credential, erase_credential, save_credential
from wasmpack.stores.session import Session


def log_in(name: RegistryName, session: Session) -> str:
    """Verify the credentials with the registry and store them; return where.

    :param session: its registry options have user name and password
    :raises AccessRefused: the registry rejects them; nothing is stored
    """
    from wasmpack.stores.registry.ping import show_credentials

    options = session.registry
    if options.username is None or options.password is None:
        raise WrongUsage("expected a user name and a password")
    challenge = show_credentials(name, options, session.notice)
    warn_of_realm(challenge, name.registry, session.notice)
    credential = Credential(username=options.username, secret=options.password)
    return save_credential(name.registry, credential, options, session.notice)


def log_out(name: RegistryName, session: Session) -> bool:
    """Remove stored credentials; return whether there were any."""
    return erase_credential(name.registry, session.registry, session.notice)
