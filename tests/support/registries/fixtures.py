"""pytest fixtures: one registry of each kind for the whole session.

Load them with `pytest_plugins = ["support.registries.fixtures"]`. Tests share the registries, so
each test takes repository names of its own.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from support.registries.model import RegistryUnavailable, RunningRegistry
from support.registries.start import TokenRegistry, start_registry, start_token_registry

NO_SKIP = "WASMPACK_TESTS_NO_SKIP"


@contextmanager
def skip_without_registry() -> Iterator[None]:
    """Skip when no registry can be started; fail instead where nothing may be skipped."""
    try:
        yield
    except RegistryUnavailable as reason:
        if os.environ.get(NO_SKIP) == "1":
            pytest.fail(f"no registry, and {NO_SKIP}=1: {reason}", pytrace=False)
        pytest.skip(f"no registry: {reason}")


@pytest.fixture(scope="session")
def open_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """A registry without authentication."""
    workdir = tmp_path_factory.mktemp("open-registry")
    with skip_without_registry(), start_registry("open", workdir) as registry:
        yield registry


@pytest.fixture(scope="session")
def htpasswd_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """A registry with Basic authentication of one user."""
    workdir = tmp_path_factory.mktemp("htpasswd-registry")
    with skip_without_registry(), start_registry("htpasswd", workdir) as registry:
        yield registry


@pytest.fixture(scope="session")
def token_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenRegistry]:
    """A registry with bearer tokens, and its token server."""
    workdir = tmp_path_factory.mktemp("token-registry")
    with skip_without_registry(), start_token_registry(workdir) as registry:
        yield registry
