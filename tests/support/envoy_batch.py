"""The real Envoy's verdict on many modules at once.

One process is given a listener a module through a file (LDS); each is accepted or refused for
itself, and the log says which and why, in order. That takes a few milliseconds a module instead of
the hundreds that a process each would. A module that ends or stops the process is found by its
place in the log, tried again alone, and the rest goes to a new process.
"""

import contextlib
import http.client
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from support.exchanges import PLAIN, UPSTREAM, Exchange
from wasmpack.confinement import confined
from wasmpack.envoy.bootstrap import LISTENERS, Plugin, bootstrap, cluster, loopback, resources
from wasmpack.processes import cpu_seconds, sleeps

T = TypeVar("T")
BATCH = 40
"""Modules a process: each has four instances there."""
_HANG = 8.0
"""Seconds of Envoy's CPU time, or of its sleep, without progress: the module never ends."""
_NET = 300.0
"""Seconds by the clock after which a wait for anything else is given up."""
_REQUEST_TIMEOUT = 1.0
"""Seconds; a plugin may hold a request for ever."""
_AT_ONCE = 20
_AFTERMATH = 0.8
"""Seconds in which a process ends if a request ends it after its answer, unless it is busy."""
_MOMENT = 0.1
"""The same where modules are asked one after the other."""
_BUSY = 2.0
"""Seconds of CPU time after which whoever is still busy has not ended of a request."""
_SUSPECTS = 3
_POLL = 0.01
_DONE = re.compile(r"lds: add/update listener '(\d+)'|Plugin (\d+) failed to load")
"""Accepted, or refused; each version says these two."""
_THREAD = ("Failed to start thread-local Wasm", "Failed to configure thread-local Wasm plugin")
_LINE = re.compile(r"\[\[(\w+)\|(\w+)\]\](.*)")
_LOGGED = re.compile(r"wasm log (\d+)[^:]*: (.*)")
NOT_ASKED = 0
"""The status of a request that was not sent."""


@dataclass(frozen=True)
class Subject:
    """A module and the configuration it is loaded with; None gives none."""

    data: bytes
    configuration: bytes | None = None
    root_id: str = ""


@dataclass(frozen=True)
class Observed:
    """What Envoy did with a module. ``fate`` is one of the constants below."""

    fate: str
    words: tuple[str, ...] = ()
    """Its own, each once, in order."""
    log: tuple[str, ...] = ()
    """What the module logged while it was loaded, once an instance."""
    status: int | None = None
    """Of the answer to the first request; None if there was none."""
    later: int | None = NOT_ASKED
    """Of the answer to a second request."""
    request_log: tuple[str, ...] = ()
    """What the module logged from the first request on."""
    request_words: tuple[str, ...] = ()
    """Envoy's own from then on. They name no plugin: of all modules of its process."""

    @property
    def accepts(self) -> bool:
        """It loads, and the first request does not end the process."""
        return self.fate == LOADS


@dataclass(frozen=True)
class _Asking:
    """How the processes of a batch are asked."""

    binary: Path
    exchange: Exchange
    port: int
    """Of the upstream, if the exchange needs one."""
    again: bool = False
    """Send a second request, which shows whether the plugin has failed."""
    seconds: float = _REQUEST_TIMEOUT
    """For each answer."""


@dataclass(frozen=True)
class _Answer:
    """What became of the first request."""

    fate: str
    status: int | None
    later: int | None = NOT_ASKED
    log: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


LOADS = "loads"
DEAD = "loads, and its VM has failed: every request is refused"
REFUSED = "refused"
CRASH = "crash at load"
CRASH_LATER = "crash at the first request"
HANGS = "never ends"


def observe(
    binary: Path,
    subjects: Sequence[Subject],
    exchange: Exchange | None = PLAIN,
    *,
    again: bool = False,
    seconds: float = _REQUEST_TIMEOUT,
) -> list[Observed]:
    """Load each module, and send one request through each that loads.

    :param exchange: None sends no request
    :param again: send a second one
    :param seconds: how long an answer is waited for; a plugin may hold a request for ever
    """
    found = _in_batches(subjects, partial(_load, _Asking(binary, PLAIN, 0)))
    if exchange is None:
        return found
    loading = [n for n, seen in enumerate(found) if seen.accepts]
    with exchange.server() as port:
        ask = partial(_ask, _Asking(binary, exchange, port, again, seconds))
        answers = _in_batches([subjects[n] for n in loading], ask)
    for number, answer in zip(loading, answers, strict=True):
        seen = replace(found[number], fate=answer.fate, status=answer.status, later=answer.later)
        found[number] = replace(seen, request_log=answer.log, request_words=answer.words)
    return found


def _in_batches(
    subjects: Sequence[Subject], step: Callable[[Sequence[Subject]], list[T]]
) -> list[T]:
    """Go on with a new process behind each module that ended one."""
    found: list[T] = []
    while len(found) < len(subjects):
        found += step(subjects[len(found) : len(found) + BATCH])
    return found


def _load(asking: _Asking, subjects: Sequence[Subject]) -> list[Observed]:
    """Outcomes in order, up to and with the first module that ends or stops the process."""
    with _running(asking, subjects) as run:
        run.wait_for_load()
        found = run.outcomes()
        if len(found) == len(subjects):
            return found
        if len(subjects) == 1:
            return [Observed(CRASH if run.died else HANGS, run.words())]
    return found + _load(asking, subjects[len(found) : len(found) + 1])


def _ask(asking: _Asking, subjects: Sequence[Subject]) -> list[_Answer]:
    """How the first request ends, up to and with the first module that ends the process."""
    with _running(asking, subjects) as run:
        run.wait_for_load()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = list(pool.map(run.ask, range(len(subjects))))
        hanging = [answer for answer in found if answer.fate == HANGS]
        if not hanging and not run.dies(_AFTERMATH):
            found = run.with_logs(found)
            return run.asked_again(found) if asking.again else found
    return _one_after_the_other(asking, subjects)


def _one_after_the_other(asking: _Asking, subjects: Sequence[Subject]) -> list[_Answer]:
    """To see whose request ends the process, or keeps it busy for ever.

    Some end it a moment after their answer, so the last ones that were asked are asked alone.
    """
    found: list[_Answer] = []
    with _running(asking, subjects) as run:
        run.wait_for_load()
        while len(found) < len(subjects) and not run.died:
            found.append(run.ask(len(found)))
            if found[-1].fate == HANGS:  # and nobody else is answered any more
                return [*_ask(asking, subjects[: len(found) - 1]), found[-1]]
            run.dies(_MOMENT)
        ended = run.dies(_AFTERMATH)
        found = run.with_logs(found)
        if not ended:
            return run.asked_again(found) if asking.again else found
    last = max(0, len(found) - _SUSPECTS)
    for number in (*range(last, len(found)), *range(last)):
        alone = _alone(asking, subjects[number])
        if alone.fate == CRASH_LATER:
            return [*found[:number], alone]
    return [*found[:-1], _alone(asking, subjects[len(found) - 1])]


def _alone(asking: _Asking, subject: Subject) -> _Answer:
    with _running(asking, [subject]) as run:
        run.wait_for_load()
        answer = run.ask(0)
        dies = run.dies(_AFTERMATH)
        (answer,) = run.with_logs([answer])
        return replace(answer, fate=CRASH_LATER) if dies else answer


class _Run:
    def __init__(
        self, process: subprocess.Popen[bytes], work: Path, count: int, asking: _Asking
    ) -> None:
        self._process = process
        self._work = work
        self._count = count
        self._asking = asking
        self._ports: dict[int, int] = {}

    @property
    def died(self) -> bool:
        return self._process.poll() is not None

    def dies(self, seconds: float) -> bool:
        """Whether the process ends within that time, or before it has nothing left to do.

        The time is that of many short sleeps: each is longer where it waits for a core too.
        """
        busy = self._works_on()
        for _ in range(round(seconds / _POLL)):
            if self.died:
                return True
            time.sleep(_POLL)
        while busy():
            time.sleep(_POLL)
        return self.died

    def _works_on(self) -> Callable[[], bool]:
        """Something to ask: has the process work to do, and not used up the time for it?"""
        before, net = self._cpu(), time.monotonic() + _NET
        return lambda: (
            not self.died
            and not sleeps(self._process.pid)
            and self._cpu() - before < _BUSY
            and time.monotonic() < net
        )

    def _cpu(self) -> float:
        return cpu_seconds(self._process.pid) or 0.0

    def wait_for_load(self) -> None:
        """Until each module has its outcome, the process is gone, or nothing moves any more."""
        seen, since, asleep = -1, 0.0, 0.0
        net = time.monotonic() + _NET
        while time.monotonic() < net:
            done = len(_DONE.findall(self._text()))
            if done >= self._count or self.died:
                return
            used = self._cpu()
            if done != seen:
                seen, since, asleep = done, used, 0.0
            asleep += _POLL if sleeps(self._process.pid) else 0.0
            if max(used - since, asleep) > _HANG:
                return
            time.sleep(_POLL)

    def outcomes(self) -> list[Observed]:
        found: list[Observed] = []
        words: list[str] = []
        log: list[str] = []
        for level, name, text in self._lines():
            if done := _DONE.match(text):
                failed = any(word.startswith(("Function: ", *_THREAD)) for word in words)
                fate = (DEAD if failed else LOADS) if done[1] else REFUSED
                found.append(Observed(fate, tuple(dict.fromkeys(words)), tuple(log)))
                words, log = [], []
            elif name == "wasm" and text.startswith("wasm log"):
                log.append(text.partition(": ")[2])
            elif (level, name) == ("error", "wasm"):
                words.append(text.removeprefix("Wasm VM failed "))
        return found[: self._count]

    def words(self) -> tuple[str, ...]:
        """Behind the last outcome."""
        errors = [text for level, name, text in self._lines() if (level, name) == ("error", "wasm")]
        return tuple(dict.fromkeys(errors))

    def ask(self, number: int) -> _Answer:
        """Send one request through the module."""
        before = self._cpu()
        try:
            port = self._port(number)
            status = self._asking.exchange.ask(port, self._asking.seconds, self._works_on())
            return _Answer(LOADS, status)
        except TimeoutError:
            waits = self._cpu() - before < _BUSY  # as a plugin may
            return _Answer(LOADS if waits else HANGS, None)
        except (OSError, http.client.HTTPException):
            return _Answer(CRASH_LATER if self.dies(1) else LOADS, None)

    def asked_again(self, answers: Sequence[_Answer]) -> list[_Answer]:
        """With the status of a second request."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            later = list(pool.map(self.ask, range(len(answers))))
        pairs = zip(answers, later, strict=True)
        return [replace(first, later=second.status) for first, second in pairs]

    def with_logs(self, answers: Sequence[_Answer]) -> list[_Answer]:
        """With what each of the modules logged since they were loaded, and Envoy of them all."""
        logs: list[list[str]] = [[] for _ in answers]
        words: list[str] = []
        lines = iter(self._lines())
        for _, name, text in lines:
            if (name, text) == ("main", "starting main dispatch loop"):
                break
        for level, name, text in lines:
            if name == "wasm" and (line := _LOGGED.match(text)) and int(line[1]) < len(logs):
                logs[int(line[1])].append(line[2])
            elif (level, name) == ("error", "wasm"):
                words.append(text)
        pairs = zip(answers, logs, strict=True)
        return [replace(one, log=tuple(log), words=tuple(words)) for one, log in pairs]

    def _port(self, number: int) -> int:
        deadline = time.monotonic() + _NET
        while number not in self._ports and time.monotonic() < deadline and not self.died:
            with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
                host, _, port = (self._work / "admin").read_text().strip().rpartition(":")
                rows = json.loads(_get(int(port), "/listeners?format=json", _NET, host)[1])
                for row in rows["listener_statuses"]:
                    address = row["local_address"]["socket_address"]
                    self._ports[int(row["name"])] = address["port_value"]
            time.sleep(_POLL)
        if number not in self._ports and not self.died:
            raise RuntimeError("the listener did not come up")
        if number not in self._ports:
            raise ConnectionError("the process is gone")
        return self._ports[number]

    def _text(self) -> str:
        return (self._work / "log").read_text(errors="replace")

    def _lines(self) -> Iterator[tuple[str, str, str]]:
        for line in self._text().splitlines():
            if found := _LINE.match(line):
                yield found[1], found[2], found[3]


@contextlib.contextmanager
def _running(asking: _Asking, subjects: Sequence[Subject]) -> Iterator[_Run]:
    with tempfile.TemporaryDirectory(prefix="wasmpack-batch-") as directory:
        work = Path(directory)
        listeners = [
            asking.exchange.listener(_plugin(work, n, s), str(n)) for n, s in enumerate(subjects)
        ]
        (work / LISTENERS).write_text(json.dumps(resources(listeners)))
        clusters = [cluster(UPSTREAM, asking.port)] if asking.port else []
        started = bootstrap(clusters, admin=loopback())
        (work / "envoy.json").write_text(json.dumps(started))
        with (work / "log").open("wb") as log:
            command = [
                str(asking.binary), "-c", "envoy.json", "--log-level", "info", "--concurrency", "1",
                "--disable-hot-restart", "--admin-address-path", "admin",
                "--log-format", "[[%l|%n]]%v",
            ]  # fmt: skip
            process = subprocess.Popen(
                confined(command), cwd=work, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=log,
            )  # fmt: skip
        try:
            yield _Run(process, work, len(subjects), asking)
        finally:
            process.kill()
            process.wait()


def _plugin(work: Path, number: int, subject: Subject) -> Plugin:
    path = work / f"{number}.wasm"
    path.write_bytes(subject.data)
    text = None if subject.configuration is None else subject.configuration.decode()
    return Plugin(
        module=path,
        configuration=text,
        name=str(number),
        vm_id=str(number),
        root_id=subject.root_id,
    )


def _get(port: int, path: str, timeout: float, host: str = "127.0.0.1") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
