"""Credentials and settings of each kind of registry, created for every run."""

import secrets
from pathlib import Path

import bcrypt

from support.registries.model import AuthFile, Setup
from support.registries.token_server import TokenServer

USER = "user"
ROUNDS = 5
"""bcrypt's cost: the lowest sensible one, for the registry hashes on every request."""


def open_setup() -> Setup:
    """A registry without authentication."""
    return Setup(kind="open")


def htpasswd_setup(folder: Path) -> Setup:
    """Basic authentication of one user with a random password, kept hashed in `folder`."""
    password = secrets.token_urlsafe(12)
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(ROUNDS)).decode()
    path = folder / "htpasswd"
    path.write_text(f"{USER}:{hashed}\n", encoding="utf-8")
    return Setup(
        kind="htpasswd",
        files=(AuthFile(variable="REGISTRY_AUTH_HTPASSWD_PATH", path=path),),
        username=USER,
        password=password,
    )


def token_setup(folder: Path, tokens: TokenServer) -> Setup:
    """Bearer tokens of `tokens`.

    The registry gets its certificate only. It names the realm to clients and never calls it, so
    a loopback address does even for a registry in a container.
    """
    path = folder / "token.pem"
    path.write_bytes(tokens.certificate)
    return Setup(
        kind="token",
        variables={
            "REGISTRY_AUTH_TOKEN_REALM": tokens.realm,
            "REGISTRY_AUTH_TOKEN_SERVICE": tokens.service,
            "REGISTRY_AUTH_TOKEN_ISSUER": tokens.issuer,
        },
        files=(AuthFile(variable="REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE", path=path),),
        username=tokens.pusher.name,
        password=tokens.pusher.password,
    )
