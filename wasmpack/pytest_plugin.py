"""A plugin of pytest: the fixture ``wasmpack_envoy``, and ``*.wasmtest.yaml`` files as tests.

Everything but pytest loads when a test needs it, so that other tests start no slower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from wasmpack.actions.request_tests import FileTests
    from wasmpack.envoy import Proxy
    from wasmpack.request_tests.cases import Case

_SUFFIXES = (".wasmtest.yaml", ".wasmtest.yml")

StartEnvoy = Callable[..., "Proxy"]
"""Starts plugins, and returns the proxy; it runs until the test ends."""


@pytest.fixture
def wasmpack_envoy() -> Iterator[StartEnvoy]:
    """Starts a real Envoy with plugins: modules, images or files of WasmPlugins."""
    from wasmpack.actions.plugin_chain import ChainRequest
    from wasmpack.actions.run import RunRequest, running_plugins
    from wasmpack.dry_run.start_up import StartUp

    with ExitStack() as running:

        def start(
            *plugins: str | Path,
            config: str | None = None,
            env: Mapping[str, str] | None = None,
            root_id: str = "",
        ) -> Proxy:
            start_up = StartUp(
                plugin_config=None if config is None else config.encode(),
                env=tuple((env or {}).items()),
                root_id=root_id,
            )
            chain = ChainRequest(subjects=[*map(str, plugins)], start_up=start_up)
            return running.enter_context(running_plugins(RunRequest(chain=chain)))

        yield start


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect test files."""
    if not file_path.name.endswith(_SUFFIXES):
        return None
    found: pytest.Collector = RequestTestFile.from_parent(parent, path=file_path)
    return found


class RequestTestFile(pytest.File):
    """A file of request tests."""

    def collect(self) -> Iterator[pytest.Item]:
        """Its tests."""
        from wasmpack.actions.request_tests import TestOptions, read_tests

        for file in read_tests([self.path], TestOptions()):
            for case in file.cases:
                yield RequestTest.from_parent(self, name=case.name, tests=file, case=case)


class RequestTest(pytest.Item):
    """One request test."""

    def __init__(self, *, tests: FileTests, case: Case, **given: Any) -> None:
        super().__init__(**given)
        self._tests, self._case = tests, case

    def runtest(self) -> None:
        """Run it."""
        from wasmpack.actions.request_tests import FileTests, TestOptions, run_tests

        alone = FileTests(file=self._tests.file, cases=(self._case,))
        (outcome,) = run_tests([alone], TestOptions())
        for line in outcome.log:
            self.add_report_section("call", "log", f"{line.level} {line.context}: {line.text}\n")
        if outcome.failures:
            rows = (
                f"{f.what}\n  expected {f.expected}\n  got      {f.got}" for f in outcome.failures
            )
            raise RequestTestFailed("\n".join(rows))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Expected and got; no traceback for a test that fails."""
        if isinstance(excinfo.value, RequestTestFailed):
            return f"{self._case.where}\n{excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """File, line and name."""
        line = self._case.where.rpartition(":")[2]
        return self.path, int(line) - 1 if line.isdigit() else None, self.name


class RequestTestFailed(AssertionError):
    """Expectations that do not hold."""
