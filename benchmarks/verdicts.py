"""How long a verdict takes, beside the tools that give a part of it, as whole processes.

    python benchmarks/verdicts.py [--runs 7]

Beside ``wasm-validate`` (wabt), which checks validity alone, and the real Envoy in validate mode,
which runs the whole load sequence. Pairs are run in turn (A B A B …); a ratio is that of the
medians. Prints a Markdown table, and exits 1 if a ratio is over its limit.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

from agreement import binary as b
from start_up import WASMPACK, table
from support.plugins import built_go_plugin

from wasmpack.envoy import find_envoy
from wasmpack.envoy.bootstrap import Plugin, answering, loopback

CODE = 20_000_000
"""Bytes of code of the large module."""


def repeated(data: bytes) -> bytes:
    """The module with its functions as often as it takes to hold so much code."""
    parts = b.sections(data)
    size = sum(len(body) for number, body in parts if number == b.CODE)
    times = -(-CODE // size)
    return b.module([(n, _times(body, times) if n in {b.FUNCTION, b.CODE} else body)
                     for n, body in parts])  # fmt: skip


def _times(body: bytes, times: int) -> bytes:
    count, start = b.read_leb(body, 0)
    return b.leb(count * times) + body[start:] * times


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    validator = shutil.which("wasm-validate")
    if validator is None:
        print("wasm-validate is not installed (Debian: wabt)", file=sys.stderr)
        return 1
    go = built_go_plugin()
    with tempfile.TemporaryDirectory() as directory:
        large = Path(directory) / "large.wasm"
        large.write_bytes(repeated(go.read_bytes()))
        config = Path(directory) / "envoy.json"
        listener = answering([Plugin(module=go)], name="plugins", body="hello")
        static = {"admin": {"address": loopback()}, "static_resources": {"listeners": [listener]}}
        config.write_text(json.dumps(static))
        ours = [WASMPACK, "-q", "validate", "module", "--target", "envoy-1.40"]
        first = ["env", "WASMPACK_CACHE=", *ours, str(go)]
        again = ["env", f"WASMPACK_CACHE={directory}/cache", *ours, str(go)]
        envoy = [str(find_envoy()), "--mode", "validate", "-c", str(config), "--log-level", "off"]
        valid, both = "`wasm-validate`", "`envoy --mode validate`"
        megabytes = f"{go.stat().st_size / 1e6:.1f} MB"
        static = "without the dry run"
        rows = [
            (f"Go plugin of {megabytes}, {static}", [*ours, "--no-dry-run", str(go)], valid,
             [validator, str(go)], 0.75),
            (f"20 MB of code, {static}", [*ours, "--no-dry-run", str(large)], valid,
             [validator, str(large)], 0.3),
            ("Go plugin, whole verdict", first, both, envoy, 0.5),
            ("Go plugin, the second time", again, both, envoy, 0.25),
        ]  # fmt: skip
        return table(rows, runs)


if __name__ == "__main__":
    os.environ.pop("WASMPACK_STORE", None)
    sys.exit(main())
