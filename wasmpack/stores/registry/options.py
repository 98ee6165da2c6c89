"""The options for reaching a registry."""

import ipaddress
import threading
from dataclasses import dataclass, field, replace
from typing import Self

from wasmpack.oci.reference import DOCKER_HUB


@dataclass(slots=True)
class _Owner:
    """The one registry that a login is for: the first that gets it."""

    registry: str = ""
    claiming: threading.Lock = field(default_factory=threading.Lock)

    def is_at(self, registry: str) -> bool:
        with self.claiming:
            self.registry = self.registry or registry
            return self.registry.lower() == registry.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryOptions:
    """The registry options of the command line, with their defaults.

    User, password and client certificate are for one registry, the first that :meth:`at` names;
    every other one is reached without them.
    """

    plain_http: bool = False
    insecure: bool = False
    """TLS without verification."""
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    registry_config: str | None = None
    """Read and written instead of Docker's and Podman's files."""
    timeout: float = 30.0
    """Seconds without a byte from the registry."""
    retries: int = 4
    """Attempts after a first one that fails; see docs/adr/0013."""
    _owner: _Owner = field(default_factory=_Owner, repr=False, compare=False)

    @property
    def has_login(self) -> bool:
        """Whether a user or a client certificate is given."""
        return self.username is not None or bool(self.cert_file)

    def at(self, registry: str) -> Self:
        """The options for this registry; with the login, unless another registry has it."""
        return self if not self.has_login or self._owner.is_at(registry) else self.without_login()

    def with_login(self, registry: str, username: str, password: str) -> Self:
        """The options for this registry, with this user and password."""
        return replace(
            self.at(registry), username=username, password=password, _owner=_Owner(registry)
        )

    def without_login(self) -> Self:
        """For any registry but the one that the login is for."""
        return replace(self, username=None, password=None, cert_file=None, key_file=None)

    def uses_http(self, registry: str) -> bool:
        """Whether to speak plain HTTP: if asked to, and to loopback addresses, as Docker does.

        A CA, a client certificate or ``insecure`` mean TLS, on loopback too.
        """
        if self.plain_http:
            return True
        tls = self.insecure or self.ca_file or self.cert_file
        return not tls and is_loopback(registry)


def is_loopback(registry: str) -> bool:
    """``localhost``, ``127.0.0.0/8`` or ``[::1]``, with or without a port."""
    host = registry[1:].partition("]")[0] if registry[:1] == "[" else registry.partition(":")[0]
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def api_host(registry: str) -> str:
    """The host of the API: Docker Hub's is not the one in its name."""
    return "registry-1.docker.io" if registry == DOCKER_HUB else registry
