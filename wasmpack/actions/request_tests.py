"""Request tests of files and directories, with the plugins that they name."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from wasmpack.actions.inputs import read_file
from wasmpack.actions.plugin_chain import ChainedPlugin, ChainRequest, plugin_chain
from wasmpack.actions.run import explained
from wasmpack.dry_run.start_up import StartUp
from wasmpack.envoy import EnvoyRefused, Plugin
from wasmpack.errors import NotFound
from wasmpack.mesh.behaviour import plugin_configuration
from wasmpack.request_tests.cases import Case, read_cases
from wasmpack.request_tests.results import Outcome
from wasmpack.request_tests.running import Runner
from wasmpack.stores.session import Session

PATTERNS = ("*.wasmtest.yaml", "*.wasmtest.yml")
"""Names of test files in a directory; a file that is named may have any name."""
_REMEMBERED = 64
"""Chains that are not read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestOptions:
    """Which tests run, and how."""

    __test__ = False  # pytest takes the name for that of tests

    keywords: Sequence[str] = ()
    """Run tests whose file or name contains one of these, in any case."""
    stop_at_first: bool = False
    """End after the first test that fails."""
    jobs: int = 1
    """Files at a time."""
    remote: bool = False
    """Read images from registries only, not from the local store."""
    envoy: Path | None = None
    """The binary; None: the one that is found."""

    def chosen(self, file: str, case: Case) -> bool:
        """True if the test runs."""
        text = f"{file}::{case.name}".lower()
        return not self.keywords or any(word.lower() in text for word in self.keywords)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTests:
    """The tests of a file that run."""

    file: str
    cases: tuple[Case, ...]


def read_tests(names: Sequence[str | Path], options: TestOptions) -> list[FileTests]:
    """The tests of all files, before any of them runs.

    :param names: files, and directories that are searched for :data:`PATTERNS`
    :raises NotFound: no such file, or no test file in a directory
    :raises BadArtifact: not a test file
    """
    found = []
    for file in dict.fromkeys(file for name in names for file in _files(Path(name))):
        cases = read_cases(read_file(file), file)
        chosen = tuple(case for case in cases if options.chosen(str(file), case))
        if chosen:
            found.append(FileTests(file=str(file), cases=chosen))
    return found


def run_tests(
    files: Sequence[FileTests], options: TestOptions, session: Session | None = None
) -> Iterator[Outcome]:
    """Run them; yield the outcomes in their order, as they come.

    :raises NotFound: Envoy is not installed
    """
    run = _FileRun(options=options, session=session or Session())
    if options.jobs == 1:
        outcomes = (outcome for file in files for outcome in run.outcomes(file))
        yield from _until_failure(outcomes) if options.stop_at_first else outcomes
        return
    pool = ThreadPoolExecutor(options.jobs)
    try:
        together = pool.map(lambda file: list(run.outcomes(file)), files)
        every = (outcome for outcomes in together for outcome in outcomes)
        yield from _until_failure(every) if options.stop_at_first else every
    finally:  # who interrupts us does not wait for the tests that run
        pool.shutdown(wait=False, cancel_futures=True)


def _until_failure(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    for outcome in outcomes:
        yield outcome
        if not outcome.passed:
            return


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    found = sorted(file for pattern in PATTERNS for file in path.rglob(pattern))
    if not found:
        raise NotFound(f"{path}: no {' or '.join(PATTERNS)} in this directory")
    yield from found


@dataclass(frozen=True, slots=True, kw_only=True)
class _FileRun:
    """The tests of one file after the other."""

    options: TestOptions
    session: Session
    _chains: Any = field(init=False)

    def __post_init__(self) -> None:
        read = lru_cache(maxsize=_REMEMBERED)(self._read)
        object.__setattr__(self, "_chains", read)

    def outcomes(self, file: FileTests) -> Iterator[Outcome]:
        runner = Runner(
            load=self._load, explain=self._explain, envoy=self.options.envoy, file=file.file
        )
        yield from runner.run(file.cases)

    def _load(self, case: Case) -> list[Plugin]:
        return [plugin.for_envoy() for plugin in self._plugins(case)]

    def _explain(self, case: Case, refused: EnvoyRefused) -> str:
        error = explained(refused, self._plugins(case))
        return f"{error.message}; {error.hint}" if error.hint else error.message

    def _plugins(self, case: Case) -> list[ChainedPlugin]:
        start_up = _start_up(case)
        strategy = str(case.settings.get("failStrategy", ""))
        found: list[ChainedPlugin] = self._chains(case.plugins, case.base, start_up, strategy)
        return found

    def _read(
        self, subjects: tuple[str, ...], base: Path, start_up: StartUp, strategy: str
    ) -> list[ChainedPlugin]:
        request = ChainRequest(
            subjects=subjects,
            start_up=start_up,
            fail_strategy=strategy,
            remote=self.options.remote,
            base=base,
        )
        return plugin_chain(request, self.session)


def _start_up(case: Case) -> StartUp:
    settings: Any = case.settings
    given = StartUp(
        vm_config=settings["vmConfig"].encode() if "vmConfig" in settings else None,
        env=tuple(settings.get("env", {}).items()),
        root_id=settings.get("rootId", ""),
        network=settings["type"] == "NETWORK" if "type" in settings else None,
    )
    if "pluginConfig" not in settings:
        return given
    value = settings["pluginConfig"]
    data = value.encode() if isinstance(value, str) else plugin_configuration(value)
    return replace(given, plugin_config=data)
