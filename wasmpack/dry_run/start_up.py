"""The input that the dry run and Envoy start a plugin with."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

_CONFIGURATIONS = ("plugin_config", "vm_config")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartUp:
    """The input a plugin is given at its start, and the extent of the dry run."""

    plugin_config: bytes | None = None
    """Passed to ``proxy_on_configure`` verbatim; None if the user gave no configuration."""
    vm_config: bytes | None = None
    """Passed to ``proxy_on_vm_start`` verbatim, by proxies alone: no mesh's own resource has it."""
    vm_config_in_resource: bool = False
    """It is part of a resource (EnvoyFilter), so that it reaches every proxy."""
    env: tuple[tuple[str, str], ...] = ()
    """Names and values of environment variables."""
    host_env: tuple[str, ...] = ()
    """Names of variables with the values they have in the proxy, which are unknown here."""
    env_complete: bool = False
    """A resource says it: the plugin gets no other variables."""
    root_id: str = ""
    """The name of one of the module's root contexts, or nothing."""
    network: bool | None = None
    """It is used as a network plugin (``type: NETWORK``); None: as its exports suggest."""
    fail_open: bool = False
    """Once it has failed, requests go on without it (``failStrategy: FAIL_OPEN``)."""
    dry_run: bool = True
    """False: the module is not started, and faults that only its start shows are not found."""
    seconds: float | None = None
    """Raises the budget of CPU time."""

    def vm_config_of(self, *, settable: bool) -> bytes | None:
        """The VM configuration that a proxy gets.

        :param settable: its users can give one without a resource
        """
        return self.vm_config if settable or self.vm_config_in_resource else None

    @property
    def configured(self) -> bool:
        """A plugin configuration was given, so that a refusal counts."""
        return self.plugin_config is not None

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what :meth:`as_json` wrote."""
        given = [key for key in _CONFIGURATIONS if value[key] is not None]
        known: dict[str, object] = {key: bytes.fromhex(value[key]) for key in given}
        known["env"] = tuple((name, text) for name, text in value["env"])
        known["host_env"] = tuple(value["host_env"])
        return cls(**{**value, **known})

    def as_json(self) -> dict[str, Any]:
        """The value to send to the worker."""
        value = asdict(self)
        return value | {key: value[key].hex() for key in _CONFIGURATIONS if value[key] is not None}

    @property
    def env_known(self) -> bool:
        """The variables are known, and all of their values."""
        return (bool(self.env) or self.env_complete) and not self.host_env
