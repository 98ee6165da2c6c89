"""Tests run in as few Envoys as is sound.

Each test has its own listener and, by its VM id, its own VM: state is never shared. A test that
looks at what all plugins of an Envoy share (metrics, services) has an Envoy for itself, and so has
one that is refused, or during which Envoy ended: another plugin may be to blame.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from wasmpack.envoy import Chain, EnvoyRefused, Exchange, Plan, Plugin, Proxy, always, running_proxy
from wasmpack.envoy.log import ENVOY
from wasmpack.envoy.upstream import echo
from wasmpack.errors import WasmpackError
from wasmpack.request_tests.cases import Case, Step
from wasmpack.request_tests.checking import later_failures, step_failures
from wasmpack.request_tests.matchers import described, matches
from wasmpack.request_tests.results import Failure, Outcome

_TOGETHER = 25
"""Most tests of one Envoy."""
_BYTES = 32 << 20
"""Most bytes of their modules: each is compiled for itself."""
_POLL = 0.02

Load = Callable[[Case], Sequence[Plugin]]
"""Returns the plugins of a test."""
Explain = Callable[[Case, EnvoyRefused], str]
"""Returns the reason, for people, why Envoy does not run the plugins of a test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Runs the tests of a file."""

    load: Load
    explain: Explain = lambda _case, refused: refused.message
    envoy: Path | None = None
    file: str = ""

    def run(self, cases: Sequence[Case]) -> Iterator[Outcome]:
        """The outcomes, in the order of the tests."""
        waiting = [self._loaded(case) for case in cases]
        while waiting:
            count = _together(waiting)
            done = list(self._run_together(waiting[:count])) if count > 1 else []
            if not done:
                done = [self._run_alone(waiting[0])]
            yield from done
            waiting = waiting[len(done) :]

    def _loaded(self, case: Case) -> "_Loaded":
        try:
            return _Loaded(case=case, plugins=self.load(case))
        except WasmpackError as error:
            return _Loaded(case=case, error=error)

    def _run_together(self, batch: "Sequence[_Loaded]") -> Iterator[Outcome]:
        """The outcomes of the first tests, up to one that needs an Envoy for itself."""
        try:
            with running_proxy(self._plan(batch)) as proxy:
                for number, loaded in enumerate(batch):
                    yield self._outcome(loaded, proxy, number)
        except EnvoyRefused:
            return

    def _run_alone(self, loaded: "_Loaded") -> Outcome:
        if loaded.error is not None:
            return self._failed(loaded, "plugin", "a plugin", loaded.error.message)
        started = time.monotonic()
        try:
            with running_proxy(self._plan([loaded])) as proxy:
                return self._outcome(loaded, proxy, 0)
        except EnvoyRefused as refused:
            made = self._refusal(loaded, refused)
        return replace(made, seconds=time.monotonic() - started)

    def _refusal(self, loaded: "_Loaded", refused: EnvoyRefused) -> Outcome:
        wanted = loaded.case.refused
        if wanted is None or refused.crashed:
            why = self.explain(loaded.case, refused)
            return self._failed(loaded, "Envoy", "runs the plugin", why)
        words = "; ".join(refused.words)
        if matches(wanted, words):
            return self._passed(loaded)
        return self._failed(loaded, "refusal", described(wanted), words)

    def _outcome(self, loaded: "_Loaded", proxy: Proxy, number: int) -> Outcome:
        """:raises EnvoyRefused: the test needs an Envoy for itself, or has ended this one"""
        case, started = loaded.case, time.monotonic()
        proxy.port(number)
        run = _Run(case, loaded.plugins, proxy, number)
        failures = list(run.failures())
        if case.refused is not None:
            failures = [Failure(what="refusal", expected=described(case.refused), got="loads")]
        made = replace(self._passed(loaded), failures=tuple(failures), log=run.log)
        return replace(made, seconds=time.monotonic() - started)

    def _plan(self, batch: "Sequence[_Loaded]") -> Plan:
        chains = [
            Chain(
                plugins=[replace(plugin, vm_id=str(number)) for plugin in loaded.plugins],
                upstream=echo if loaded.case.upstream is None else always(loaded.case.upstream),
            )
            for number, loaded in enumerate(batch)
        ]
        services = {
            name: always(answer)
            for loaded in batch
            for name, answer in loaded.case.services.items()
        }
        return Plan(chains=chains, services=services, envoy=self.envoy)

    def _passed(self, loaded: "_Loaded") -> Outcome:
        return Outcome(file=self.file, name=loaded.case.name, where=loaded.case.where)

    def _failed(self, loaded: "_Loaded", what: str, expected: str, got: str) -> Outcome:
        failure = Failure(what=what, expected=expected, got=got)
        return replace(self._passed(loaded), failures=(failure,))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """A test and its plugins, or why they cannot be read."""

    case: Case
    plugins: Sequence[Plugin] = ()
    error: WasmpackError | None = None

    @property
    def alone(self) -> bool:
        return self.case.alone or self.error is not None


def _failures_of(step: Step, found: Exchange | OSError) -> Iterator[Failure]:
    if isinstance(found, OSError):
        yield Failure(what="response", expected="a response", got=str(found))
    else:
        yield from step_failures(step, found)


def _together(waiting: Sequence[_Loaded]) -> int:
    """The number of tests at the front that may share an Envoy."""
    size = 0
    for count, loaded in enumerate(waiting[:_TOGETHER]):
        size += sum(plugin.size for plugin in loaded.plugins)
        if loaded.alone or (count and size > _BYTES):
            return max(count, 1)
    return min(len(waiting), _TOGETHER)


@dataclass(slots=True)
class _Run:
    """One test in a running proxy."""

    case: Case
    plugins: Sequence[Plugin]
    proxy: Proxy
    number: int
    _mark: int = 0
    _calls: dict[str, list[Any]] = field(default_factory=dict)

    def failures(self) -> Iterator[Failure]:
        """Expectations that do not hold."""
        self._mark = len(self.proxy.log)
        delay = 0.0 if self.case.upstream is None else self.case.upstream.delay
        delay += sum(answer.delay for answer in self.case.services.values())
        several = sum(step.repeat for step in self.case.steps) > 1
        sent = 0
        for step in self.case.steps:
            for before in range(0, step.repeat, step.parallel):
                count = min(step.parallel, step.repeat - before)
                for found in self.proxy.ask_together(
                    step.request, count, self.number, asleep=delay
                ):
                    sent += 1
                    prefix = f"request {sent}: " if several else ""
                    for failure in _failures_of(step, found):
                        yield replace(failure, what=prefix + failure.what)
        yield from self._later()

    def _later(self) -> list[Failure]:
        """Expectations that may come true by and by, and do not in the time that they have."""
        end = time.monotonic() + self.case.within
        while True:
            found = self._not_yet()
            if not found or time.monotonic() > end:
                return found
            self.proxy.settle()
            time.sleep(_POLL)

    def _not_yet(self) -> list[Failure]:
        for name in self.case.services:
            self._calls.setdefault(name, []).extend(self.proxy.take_calls(name))
        stats = self.proxy.stats() if self.case.metrics else {}
        return list(later_failures(self.case, self.log, stats, self._calls))

    @property
    def log(self) -> tuple[Any, ...]:
        """Lines of its plugins since they were loaded, and Envoy's since the test began."""
        vm_id = str(self.number)  # all that Envoy says of the root context of a worker
        mine = {vm_id, *(replace(each, vm_id=vm_id).context for each in self.plugins)}
        return tuple(
            line
            for at, line in enumerate(self.proxy.log)
            if line.context in mine or (at >= self._mark and line.context == ENVOY)
        )
