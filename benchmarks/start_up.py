"""How long commands take as whole processes, start-up included, as ratios measured side by side.

    python benchmarks/start_up.py [--runs 15]

Each pair is run in turn (A B A B …) after a warm-up, so that a slow machine slows both; the ratio
is that of the medians. Prints a Markdown table, and exits 1 if a ratio is over its limit.
"""

import argparse
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

PYTHON = sys.executable
WASMPACK = str(Path(PYTHON).with_name("wasmpack"))
SIZE = 4_000_000


def section(number: int, payload: bytes) -> bytes:
    """A section with its length in LEB128."""
    size, length = len(payload), b""
    while True:
        length += bytes([size & 0x7F | (0x80 if size > 0x7F else 0)])
        size >>= 7
        if not size:
            return bytes([number]) + length + payload


def large_module(small: bytes) -> bytes:
    """A real plugin with a custom section that fills it up to four megabytes."""
    return small + section(0, b"\x04data" + bytes(SIZE - len(small)))


def seconds(command: list[str]) -> float:
    """Wall time of one run."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def side_by_side(ours: list[str], theirs: list[str], runs: int) -> tuple[float, float]:
    """Medians of both, run in turn."""
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(runs + 2)][2:]
    return median(a for a, _ in pairs), median(b for _, b in pairs)


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    plugin = Path(__file__).parents[1] / "tests" / "plugins" / "header-append-c.wasm"
    with tempfile.TemporaryDirectory() as directory:
        module = Path(directory) / "large.wasm"
        module.write_bytes(large_module(plugin.read_bytes()))
        go = plugin.with_name("header-append-go.wasm")
        rows = [
            ("`wasmpack --version`", [WASMPACK, "--version"], "bare interpreter",
             [PYTHON, "-c", ""], 5.0),
            ("`wasmpack --help`", [WASMPACK, "--help"], "`import click`",
             [PYTHON, "-c", "import click"], 2.0),
            ("`inspect module`, 4 MB", [WASMPACK, "inspect", "module", str(module)],
             "`import click`", [PYTHON, "-c", "import click"], 3.0),
        ]  # fmt: skip
        if go.is_file():
            rows.append(("`inspect module`, Go plugin of 4.4 MB",
                         [WASMPACK, "inspect", "module", str(go)],
                         "`import click`", [PYTHON, "-c", "import click"], 3.0))  # fmt: skip
        return table(rows, runs)


def table(rows: list[tuple[str, list[str], str, list[str], float]], runs: int) -> int:
    """Print the rows; 1 if one is over its limit."""
    print(f"Python {platform.python_version()}, {platform.machine()}, medians of {runs} runs\n")
    print("| what | ms | against | ms | ratio | limit |\n|---|---|---|---|---|---|")
    failed = 0
    for name, ours, other, theirs, limit in rows:
        a, b = side_by_side(ours, theirs, runs)
        failed |= a / b > limit
        print(
            f"| {name} | {a * 1e3:.0f} | {other} | {b * 1e3:.0f} | {a / b:.2f} | under {limit:g} |"
        )
    return failed


if __name__ == "__main__":
    sys.exit(main())
