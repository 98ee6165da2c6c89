"""Start a registry by whichever backend this machine has."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from support.registries.container import run_container
from support.registries.model import Backend, Kind, RegistryUnavailable, RunningRegistry, Setup
from support.registries.process import run_process
from support.registries.setups import htpasswd_setup, open_setup, token_setup
from support.registries.token_server import TokenServer


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRegistry:
    """A registry together with the token server it trusts."""

    registry: RunningRegistry
    tokens: TokenServer


@contextmanager
def start_registry(
    kind: Kind,
    workdir: Path,
    *,
    tokens: TokenServer | None = None,
    backend: Backend | None = None,
) -> Iterator[RunningRegistry]:
    """Run a registry for the length of the context.

    `workdir` is an empty folder for its files. `tokens` is the running token server of a `token`
    registry, one is started if missing. `backend` forces one way to run it; by default a
    container, else a process.

    Raises `RegistryUnavailable` when this machine cannot run one.
    """
    with ExitStack() as stack:
        if kind == "token" and tokens is None:
            tokens = stack.enter_context(TokenServer())
        setup = _setup(kind, workdir, tokens)
        yield _enter_first(stack, setup, workdir, (backend,) if backend else _BACKENDS)


@contextmanager
def start_token_registry(
    workdir: Path, *, backend: Backend | None = None
) -> Iterator[TokenRegistry]:
    """Like `start_registry("token", ...)`, and the token server with it."""
    with (
        TokenServer() as tokens,
        start_registry("token", workdir, tokens=tokens, backend=backend) as registry,
    ):
        yield TokenRegistry(registry=registry, tokens=tokens)


_BACKENDS: tuple[Backend, ...] = ("container", "process")


def _setup(kind: Kind, workdir: Path, tokens: TokenServer | None) -> Setup:
    match kind:
        case "open":
            return open_setup()
        case "htpasswd":
            return htpasswd_setup(workdir)
        case "token":
            assert tokens is not None
            return token_setup(workdir, tokens)
        case _:
            assert_never(kind)


def _enter_first(
    stack: ExitStack, setup: Setup, workdir: Path, backends: tuple[Backend, ...]
) -> RunningRegistry:
    """Enter the first backend that is there; the error names why each one is not."""
    reasons: list[str] = []
    for backend in backends:
        try:
            return stack.enter_context(_run(backend, setup, workdir))
        except RegistryUnavailable as error:
            reasons.append(str(error))
    raise RegistryUnavailable("; ".join(reasons))


def _run(backend: Backend, setup: Setup, workdir: Path) -> AbstractContextManager[RunningRegistry]:
    match backend:
        case "container":
            return run_container(setup)
        case "process":
            return run_process(setup, workdir)
        case _:
            assert_never(backend)
