"""The values the registry fixtures hand around."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal["open", "htpasswd", "token"]
Backend = Literal["container", "process"]

FIXTURES = Path(__file__).parents[3] / "registry-fixtures"
"""The folder of the image recipe and the configurations."""


class RegistryUnavailable(Exception):
    """No registry can be started on this machine; the message is the reason, in one line."""

    def __init__(self, reason: object) -> None:
        super().__init__(" ".join(str(reason).split()))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningRegistry:
    """A registry that answers plain HTTP on the loopback interface until its context ends."""

    host: str
    """`127.0.0.1:PORT`, ready to stand before a repository's name."""
    kind: Kind
    username: str | None
    """With `token`: the user who may push (`TokenServer.pusher`)."""
    password: str | None
    backend: Backend
    log_source: Callable[[], str] = field(repr=False, compare=False)

    def log(self) -> str:
        """All the registry has written so far: one line for each request, and its warnings."""
        return self.log_source()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthFile:
    """A file the registry reads, told to it by an environment variable.

    The variable, because the path differs: a process reads the file where it is, a container
    reads a copy.
    """

    variable: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Everything a backend needs to run one kind of registry."""

    kind: Kind
    variables: Mapping[str, str] = field(default_factory=dict)
    files: tuple[AuthFile, ...] = ()
    username: str | None = None
    password: str | None = None

    @property
    def config(self) -> Path:
        """The configuration file of this kind."""
        return FIXTURES / "config" / f"{self.kind}.yml"

    def running(self, host: str, backend: Backend, log: Callable[[], str]) -> RunningRegistry:
        """The registry of this setup, once it answers at `host`."""
        return RunningRegistry(
            host=host,
            kind=self.kind,
            username=self.username,
            password=self.password,
            backend=backend,
            log_source=log,
        )
