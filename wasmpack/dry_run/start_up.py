"""What a plugin is started with, by the dry run and by Envoy alike."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

_CONFIGURATIONS = ("plugin_config", "vm_config")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartUp:
    """What a plugin is given when it starts, and how far that is tried."""

    plugin_config: bytes | None = None
    """Handed to ``proxy_on_configure`` verbatim; None if the user gave none."""
    vm_config: bytes | None = None
    """Handed to ``proxy_on_vm_start`` verbatim, by proxies alone: no mesh resource can give it."""
    env: tuple[tuple[str, str], ...] = ()
    """Names and values of environment variables."""
    host_env: tuple[str, ...] = ()
    """Names of variables that take the value they have in the proxy, which is not known here."""
    root_id: str = ""
    """Which of the module's root contexts is meant; empty for none."""
    network: bool | None = None
    """It is used as a network plugin (``type: NETWORK``); None: as its exports suggest."""
    dry_run: bool = True
    """False: the module is not started, and what that would show is not judged."""
    seconds: float | None = None
    """Raises the budget of CPU time."""

    @property
    def configured(self) -> bool:
        """A plugin configuration was given: then its refusal counts."""
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
        """For the way into the worker."""
        value = asdict(self)
        return value | {key: value[key].hex() for key in _CONFIGURATIONS if value[key] is not None}

    @property
    def env_known(self) -> bool:
        """Variables were given, and all of their values are known."""
        return bool(self.env) and not self.host_env
