"""The side channels of a command: how registries are reached, and who is told of it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

from wasmpack.errors import Notice, silence
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.place import NamePlace, Place
from wasmpack.oci.reference import Reference
from wasmpack.stores.registry.options import RegistryOptions


class Progress(Protocol):
    """Told how an image moves, by one thread at a time."""

    def expect(self, size: int, /) -> None:
        """So many bytes more are to move."""

    def __call__(self, descriptor: Descriptor, size: int, /) -> None:
        """So many bytes of a blob have moved, or need not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The side channels of an action; the defaults are silent."""

    registry: RegistryOptions = field(default_factory=RegistryOptions)
    """How registries are reached."""
    destination: RegistryOptions | None = None
    """How the registry of the destination is reached, if that differs."""
    notice: Notice = silence
    """Told what the user should know, in a line."""
    progress: Progress | None = None
    """Told how many bytes move; None if nobody wants to know."""

    @property
    def writing(self) -> RegistryOptions:
        """How the registry of the destination is reached."""
        return self.destination or self.registry

    def reading(self, source: Place, destination: Place | None) -> Self:
        """For the source of a copy: the login is for the registry of the destination, if there is
        one that has no separate login.
        """
        ours = registry_name(destination)
        if ours is None or not self.registry.shares_login_with(self.writing):
            return self
        return replace(self, registry=self.registry.at(ours.registry))

    def with_login(self, registry: str, username: str, password: str) -> Self:
        """With these credentials for a registry, instead of stored ones."""
        return replace(self, registry=self.registry.with_login(registry, username, password))

    def together(self, places: Iterable[Place]) -> Self:
        """For several images at a time: each notice once, and no progress bar.

        :param places: the login is for the first registry among them
        """
        first = next((name.registry for name in map(registry_name, places) if name), None)
        if first is not None:
            self.registry.at(first)
        return replace(self, notice=_once(self.notice), progress=None)

    def check_files(self) -> None:
        """Try the files of certificates and logins, so that their faults are not an image's.

        :raises NotFound: one is not there
        :raises BadArtifact: one that cannot be used
        """
        options = self.registry
        if options.ca_file or options.cert_file:
            import ssl

            from wasmpack.stores.registry.trust import configure

            configure(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), options, ())
        if options.registry_config:
            from wasmpack.stores.registry.auth_files import configurations

            for _ in configurations(options, self.notice):
                continue

    def without_login(self) -> Self:
        """For several registries, where nobody said which one the login is for."""
        return replace(self, registry=self.registry.without_login())


def _once(notice: Notice) -> Notice:
    """The same for texts that were not passed on before."""
    seen: set[str] = set()
    passing = threading.Lock()

    def passed(text: str) -> None:
        with passing:
            new = text not in seen
            seen.add(text)
        if new:
            notice(text)

    return passed


def registry_name(place: Place | None) -> Reference | None:
    """The name of an image that a registry has, or may have."""
    return place.reference if isinstance(place, NamePlace) else None
