"""Fixtures of all tests: an isolated store, the installed command, the plugins."""

import gc
import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from wasmpack import redaction

pytest_plugins = ["support.registries.fixtures", "support.plugins"]


KEPT = {"WASMPACK_TESTS_NO_SKIP", "WASMPACK_REGISTRY_IMAGE"}
UNSET = (
    *("SOURCE_DATE_EPOCH", "REGISTRY_AUTH_FILE", "FORCE_COLOR", "NO_COLOR", "DOCKER_AUTH_CONFIG"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
"""Set on many a machine that builds, where they would hide a fault."""
REGISTRIES = {"open_registry", "htpasswd_registry", "token_registry"}


def pytest_configure() -> None:
    """Collect garbage seldom: what pytest keeps of thousands of tests is none."""
    gc.set_threshold(100_000)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by their fixtures: what needs Docker, a process each, or a minute to compile."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if REGISTRIES & fixtures:
            item.add_marker(pytest.mark.docker)
        if fixtures & {"cli", "wasmpack_command"}:
            item.add_marker(pytest.mark.command)
        if "go_plugin" in fixtures:
            item.add_marker(pytest.mark.slow)


@dataclass(frozen=True)
class Done:
    """A finished command: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


class Cli(Protocol):
    """Runs the installed ``wasmpack`` as a user would."""

    def __call__(
        self,
        *arguments: str | Path,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Done: ...


@pytest.fixture(scope="session")
def nowhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For tests that do not ask for ``tmp_path``: one for each costs more than most."""
    return tmp_path_factory.mktemp("nowhere")


@pytest.fixture(autouse=True)
def clean_environment(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, nowhere: Path
) -> Iterator[None]:
    """No test sees the user's store, credentials, colours, or the secrets of the test before."""
    writes = "tmp_path" in request.fixturenames
    tmp_path: Path = request.getfixturevalue("tmp_path") if writes else nowhere
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("WASMPACK_") and name not in KEPT:
            monkeypatch.delenv(name)
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    monkeypatch.setenv("WASMPACK_STORE", str(tmp_path / "store"))
    # A process hides its secrets for as long as it runs; here it runs many tests.
    monkeypatch.setattr(redaction, "_known", redaction.Secrets())
    for ring in ("_tokens", "_queries"):
        monkeypatch.setattr(redaction, ring, deque(maxlen=getattr(redaction, ring).maxlen))
    yield
    if not writes:
        for path in nowhere.iterdir():
            shutil.rmtree(path)


@pytest.fixture(scope="session")
def wasmpack_command() -> str:
    """The script that the wheel installed."""
    script = Path(sys.executable).with_name("wasmpack")
    assert script.is_file(), f"{script}: install the wheel first (make test does)"
    return str(script)


@pytest.fixture
def cli(wasmpack_command: str, tmp_path: Path) -> Cli:
    def run(
        *arguments: str | Path,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Done:
        done = subprocess.run(
            [wasmpack_command, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            env={**os.environ, **(env or {})},
            cwd=cwd or tmp_path,
            timeout=120,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dry run's bounds, of a size that a test can sit out."""
    monkeypatch.setattr("wasmpack.dry_run.budget._RUNNING", 1.0)
    monkeypatch.setattr("wasmpack.dry_run.budget.BLOCKED", 1.0)
