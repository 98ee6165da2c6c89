"""Differential fuzzer: our verdict on mutants of modules beside the real Envoy's.

    python tests/agreement/fuzz.py --count 20000          # the Envoy of this environment
    python tests/agreement/fuzz.py --minutes 30 --seed 7 --envoy PATH

Prints how many were tried, how they ended by Envoy's words, and each disagreement, whose module is
kept under ``--keep``. Exit code 1 if there was one.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import random
import re
import secrets
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.envoy_batch import BATCH, LOADS, NOT_ASKED, Observed, Subject, observe
from support.module_rules import RULES
from support.plugins import PLUGINS, module_bytes

from agreement.mutation import mutant
from agreement.programs import program
from agreement.verdict import Ours, envoy_target, our_verdicts
from wasmpack.envoy import envoy_version, find_envoy
from wasmpack.proxy_abi.abi import HostDate

_FAILED = 503
"""How a proxy answers when the plugin has failed."""
CONFIGURATION = b'{"first-header": "some-value"}'
SMALL = ("header-append-c.wasm", "x-wat.wat")
LARGE = ("header-append-as.wasm",)


def seeds() -> list[bytes]:
    """What is mutated: a module for every rule, and the small real plugins.

    Not those that stop Envoy, or end it after its answer: finding out which did takes seconds.
    """
    slow = {"start never ends", "local response when all is over"}
    rules = [data for name, data, _ in RULES if name not in slow and len(data) > 8]
    real = [module_bytes(PLUGINS / name) for name in (*SMALL, *SMALL, *LARGE)]
    return rules + real * (len(rules) // 8)


def subjects(rng: random.Random, pool: list[bytes], count: int) -> list[bytes]:
    """Programs, and mutants of programs and seeds."""
    found = []
    for _ in range(count):
        kind = rng.random()
        if kind < 0.5:
            found.append(program(rng))
        elif kind < 0.65:
            found.append(mutant(rng, program(rng)))
        else:
            found.append(mutant(rng, rng.choice(pool)))
    return found


def stage(theirs: Observed) -> str:
    """How far the module came in Envoy."""
    words = " ".join(theirs.words)
    if theirs.fate == "loads":
        return "loads"
    early = ("corrupted", "Missing or unknown", "Failed to load Wasm bytecode")
    return "scan and engine" if any(text in words for text in early) else "imports and later"


def same_answers(mine: Ours, seen: Observed, alone: Callable[[], Observed]) -> bool:
    """The client gets the same, and the plugin has failed afterwards, or not.

    :param alone: observes one request through the module in a process of its own: a second request
        may fail by itself
    """
    if mine.served is None or seen.fate != LOADS:
        return True
    failed, fails = mine.served.failed is not None, seen.later == _FAILED
    if fails and not failed:
        fails = any("Function: " in text for text in alone().request_words)
    if seen.later != NOT_ASKED and failed != fails and seen.status != _FAILED:
        return False
    return mine.served.status == seen.status


def main() -> int:
    options = _options()
    binary = options.envoy or find_envoy()
    host = envoy_target(envoy_version(binary)).host
    seed = secrets.randbits(32) if options.seed is None else options.seed
    rng = random.Random(seed)
    pool = seeds()
    words: collections.Counter[str] = collections.Counter()
    stages: collections.Counter[str] = collections.Counter()
    tried = disagreements = 0
    started = time.monotonic()
    executor = ProcessPoolExecutor(1)

    def alone(data: bytes) -> Callable[[], Observed]:
        return lambda: observe(binary, [Subject(data, CONFIGURATION)])[0]

    while tried < options.count and time.monotonic() - started < options.minutes * 60:
        batch = subjects(rng, pool, BATCH)
        future = executor.submit(our_verdicts, batch, CONFIGURATION, host)
        theirs = observe(binary, [Subject(data, CONFIGURATION) for data in batch], again=True)
        try:
            ours = future.result()
        except BrokenProcessPool:
            print(f"our process died after {tried} modules; now one by one", file=sys.stderr)
            executor.shutdown()
            executor = ProcessPoolExecutor(1)
            ours = [_alone(data, host) for data in batch]
        for data, mine, seen in zip(batch, ours, theirs, strict=True):
            tried += 1
            words[_shape(seen)] += 1
            stages[stage(seen)] += 1
            if mine.accepts != seen.accepts or not same_answers(mine, seen, alone(data)):
                disagreements += 1
                _report(options.keep, data, mine, seen)
        if tried % (25 * BATCH) == 0:
            print(f"{tried} modules, {disagreements} disagreements", file=sys.stderr, flush=True)
    executor.shutdown()
    _summary(seed, binary, tried, disagreements, words, stages, time.monotonic() - started)
    return bool(disagreements)


def _alone(data: bytes, host: HostDate) -> Ours:
    """Judged in a process of its own, which it may end."""
    with ProcessPoolExecutor(1) as executor:
        try:
            return executor.submit(our_verdicts, [data], CONFIGURATION, host).result()[0]
        except BrokenProcessPool:
            return Ours(accepts=None, codes=("PROCESS DIED",), messages=())


def _shape(seen: Observed) -> str:
    """Envoy's first words without names and numbers."""
    if not seen.words:
        return seen.fate
    text = seen.words[0]
    text = re.sub(
        r"(import: |mismatch: |signature for: |Function: )\S.*?(?=( failed|$))", r"\1…", text
    )
    return re.sub(r"\d+", "N", text)[:90]


def _report(keep: Path | None, data: bytes, mine: Ours, seen: Observed) -> None:
    name = f"{hashlib.sha256(data).hexdigest()[:16]}.wasm"
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        (keep / name).write_bytes(data)
    got = mine.served and (mine.served.status, mine.served.failed and mine.served.failed.name)
    print(f"DISAGREEMENT {name}: ours {'accept' if mine.accepts else 'reject'} {mine.codes} "
          f"{mine.messages[:1]} {got}; Envoy: {seen.fate} {seen.words[:2]} "
          f"{seen.status} {seen.later}", flush=True)  # fmt: skip


def _summary(
    seed: int,
    binary: Path,
    tried: int,
    disagreements: int,
    words: collections.Counter[str],
    stages: collections.Counter[str],
    seconds: float,
) -> None:
    print(f"Envoy {envoy_version(binary)}, seed {seed}: {tried} modules in {seconds:.0f} s, "
          f"{disagreements} disagreements")  # fmt: skip
    for name, count in stages.most_common():
        print(f"  {100 * count / tried:5.1f} %  {name}")
    print("by Envoy's first words:")
    for name, count in words.most_common():
        print(f"  {count:6d}  {name}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10**9, help="modules to try")
    parser.add_argument("--minutes", type=float, default=10**6, help="time to spend")
    parser.add_argument("--seed", type=int, help="default: a fresh one")
    parser.add_argument("--envoy", type=Path, help="binary; default: the one wasmpack finds")
    parser.add_argument("--keep", type=Path, help="directory for modules that are disagreed on")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
