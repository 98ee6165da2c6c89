"""The options for reaching a registry."""

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeVar, cast

from wasmpack.oci.reference import DOCKER_HUB

T = TypeVar("T")
_MOST_KEPT = 64
"""Repositories and registries whose connections are kept, the latest ones."""


@dataclass(slots=True)
class _Owner:
    """The one registry that a login is for: the first that gets it."""

    registry: str = ""
    claiming: threading.Lock = field(default_factory=threading.Lock)

    def is_at(self, registry: str) -> bool:
        with self.claiming:
            self.registry = self.registry or registry
            return self.registry.lower() == registry.lower()


@dataclass(slots=True)
class _Shared:
    """Connections, with their logins, of all work with the same options."""

    kept: OrderedDict[Hashable, object] = field(default_factory=OrderedDict)
    making: "threading.RLock" = field(default_factory=threading.RLock)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the cached value for this key, or make one if it is new or was evicted."""
        with self.making:
            found = self.kept.pop(key, None) or make()
            self.kept[key] = found
            if len(self.kept) > _MOST_KEPT:
                self.kept.popitem(last=False)
            return cast(T, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryOptions:
    """The registry options of the command line, with their defaults.

    User, password and client certificate are for one registry, the first that :meth:`at` names;
    every other one is reached without them.
    """

    plain_http: bool = False
    """Without TLS; registries on loopback addresses are reached so anyway."""
    insecure: bool = False
    """TLS without verification."""
    ca_file: str | None = None
    """Path of a PEM file with authorities that are trusted in addition to the system's."""
    cert_file: str | None = None
    """Path of a PEM file with the client certificate."""
    key_file: str | None = None
    """Path of its key, if that is in another file."""
    username: str | None = None
    """Instead of stored credentials."""
    password: str | None = field(default=None, repr=False)
    """Or a token."""
    anonymous: bool = False
    """Without stored credentials."""
    registry_config: str | None = None
    """Read and written instead of Docker's and Podman's files."""
    timeout: float = 30.0
    """Seconds without a byte from the registry."""
    retries: int = 4
    """Attempts after a first one that fails; see docs/adr/0013."""
    side: str = field(default="", compare=False)
    """``from-`` or ``to-``, with which the options for this end of a copy start."""
    _owner: _Owner = field(default_factory=_Owner, repr=False, compare=False)
    _shared: _Shared = field(default_factory=_Shared, repr=False, compare=False)

    @property
    def has_login(self) -> bool:
        """True if a user or a client certificate is given."""
        return self.username is not None or bool(self.cert_file)

    def at(self, registry: str) -> Self:
        """The options for this registry; with the login, unless another registry has it."""
        return self if not self.has_login or self._owner.is_at(registry) else self.without_login()

    def shared(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the value shared under this key by these options and their copies, or make one.

        So connections and tokens last as long as the options.
        """
        return self._shared.get((self, key), make)

    def changed(self, **changes: Any) -> Self:
        """With other values; a login or client certificate among them has its own registry."""
        own = {"username", "cert_file"} & changes.keys()
        return replace(self, **changes, _owner=_Owner() if own else self._owner)

    def shares_login_with(self, other: "RegistryOptions") -> bool:
        """True if one of the two alone may use the login: it is for one registry."""
        return self._owner is other._owner

    def with_login(self, registry: str, username: str, password: str) -> Self:
        """The options for this registry, with this user and password."""
        return replace(
            self.at(registry), username=username, password=password, _owner=_Owner(registry)
        )

    def without_login(self) -> Self:
        """For any registry but the one that the login is for."""
        return replace(self, username=None, password=None, cert_file=None, key_file=None)

    def anonymously(self) -> Self:
        """Without any login, as somebody who has none."""
        return replace(self.without_login(), anonymous=True)

    def uses_http(self, registry: str) -> bool:
        """True if to speak plain HTTP: if asked to, and to loopback addresses, as Docker does.

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
