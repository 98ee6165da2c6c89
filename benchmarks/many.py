"""How long 100 modules take in one call: on all cores, on one, and as 100 calls.

    python benchmarks/many.py [--runs 3]

The modules differ in their last bytes, so nothing is cached. Prints a Markdown table, and exits 1
if a ratio is over its limit.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

from start_up import WASMPACK
from support.plugins import PLUGINS

COUNT = 100
ALL_CORES = 1 / 1.5
"""Limit of the time on two cores, as a share of that on one."""
ONE_CALL = 0.25
"""Limit of the time of one call, as a share of that of 100."""


def modules(folder: Path) -> list[str]:
    """The C plugin, each time with another custom section at its end."""
    data = (PLUGINS / "header-append-c.wasm").read_bytes()
    for number in range(COUNT):
        section = b"\x05bench" + number.to_bytes(4, "big")
        (folder / f"{number}.wasm").write_bytes(data + bytes([0, len(section)]) + section)
    return [str(folder / f"{number}.wasm") for number in range(COUNT)]


def call(*arguments: str) -> None:
    subprocess.run(
        [WASMPACK, "-q", "validate", "module", "--target", "envoy-1.40", *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as directory:
        names = modules(Path(directory))
        kinds: dict[str, Callable[[], None]] = {
            "all": lambda: call(*names),
            "one": lambda: call("-j", "1", *names),
            "each": lambda: [call(name) for name in names] and None,
        }
        taken: dict[str, list[float]] = {kind: [] for kind in kinds}
        for _ in range(runs):
            for kind, work in kinds.items():
                taken[kind].append(seconds(work))
    found = {kind: median(times) for kind, times in taken.items()}
    rows = [("`-j 1`", found["one"], ALL_CORES), ("100 calls", found["each"], ONE_CALL)]
    print(f"| 100 modules in one call, {os.cpu_count()} cores | s | against | s | ratio | limit |")
    print("|---|---|---|---|---|---|")
    for what, other, limit in rows:
        shares = f"{found['all'] / other:.2f} | under {limit:.2f}"
        print(f"| `validate` | {found['all']:.1f} | {what} | {other:.1f} | {shares} |")
    return int(any(found["all"] / other > limit for _, other, limit in rows))


if __name__ == "__main__":
    os.environ.pop("WASMPACK_STORE", None)
    sys.exit(main())
