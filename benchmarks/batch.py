"""Many images in one process, against a process for each: CPU time, of children and all.

    python benchmarks/batch.py [--count 50]

``benchmarks/registry.py`` runs it too. Prints a Markdown table; exits 1 if a ratio is over its
limit.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

from start_up import WASMPACK, section
from support.images import image_of
from support.registries import start_registry

from wasmpack.stores.layout import Layout

PLUGIN = HERE.parent / "tests" / "plugins" / "header-append-c.wasm"
NAMES = 2000
AT_MOST = 0.1
"""CPU of an image in one process, by that of a process for it."""


def cpu(*command: str | Path) -> float:
    """CPU seconds of one run, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*map(str, command)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def alone_and_together(alone: Sequence[Sequence[str]], together: Sequence[str]) -> list[float]:
    """CPU milliseconds for an image: in a process each, and in one process for all."""
    each = sum(cpu(WASMPACK, *arguments) for arguments in alone)
    return [1e3 * each / len(alone), 1e3 * cpu(WASMPACK, *together) / len(alone)]


def images(host: str, folder: Path, count: int) -> tuple[list[str], list[str]]:
    """Two names of each of so many images in the local store, all judged by their build."""
    alone, together = [], []
    for number in range(count):
        module = folder / f"{number}.wasm"
        module.write_bytes(PLUGIN.read_bytes() + section(0, b"\x04data" + b"%d" % number))
        alone.append(f"{host}/alone/p{number}:v1")
        together.append(f"{host}/together/p{number}:v1")
        cpu(WASMPACK, "build", module, "-t", alone[-1], "-t", together[-1], "--no-git")
    return alone, together


def batch(host: str, folder: Path, count: int) -> list[tuple[str, float, float, float]]:
    """Rows of (what, against, figure, limit) for pushes and for copies within a registry."""
    alone, together = images(host, folder, count)
    pushes = alone_and_together([["push", name] for name in alone], ["push", "--each", *together])
    sources = [f"docker://{name}" for name in together]
    copies = alone_and_together(
        [["copy", source, f"{host}/copied/p{n}:v1"] for n, source in enumerate(sources)],
        ["copy", *sources, f"{host}/mounted/"],
    )
    rows = {"`push`": pushes, "`copy` in one registry, by mounting": copies}
    return [
        (f"{count} x {what}, CPU ms per image", *found, AT_MOST) for what, found in rows.items()
    ]


def store_of(root: Path, count: int) -> None:
    """A local store of so many images, written by hand."""
    layout = Layout.create(root)
    rows = []
    for number in range(count):
        image = image_of(number, 100)
        for blob in image.manifest.blobs:
            layout.blob_path(blob.digest).write_bytes(image.blobs[blob.digest])
        layout.blob_path(image.manifest.digest).write_bytes(image.manifest.raw)
        names = {"org.opencontainers.image.ref.name": f"quay.io/me/p{number}:v1"}
        rows.append({**image.manifest.descriptor.as_json(), "annotations": names})
    index = json.loads((root / "index.json").read_text())
    (root / "index.json").write_text(json.dumps({**index, "manifests": rows}))


def removal(folder: Path) -> tuple[str, float, float, float]:
    """CPU milliseconds of removing half of the names of a store, and of listing them all."""
    lists, removals = [], []
    for run in range(3):
        root = folder / f"names {run}"
        store_of(root, NAMES)
        os.environ["WASMPACK_STORE"] = str(root)
        lists.append(1e3 * cpu(WASMPACK, "list"))
        half = [f"quay.io/me/p{number}:v1" for number in range(NAMES // 2)]
        removals.append(1e3 * cpu(WASMPACK, "remove", *half))
    what = f"`list` of {NAMES} names, and `remove` of {NAMES // 2}, CPU ms"
    return what, median(lists), median(removals), 10.0


def show(rows: Sequence[tuple[str, float, float, float]]) -> list[tuple[str, float, float]]:
    """Print a table; return what has a limit, with its ratio."""
    print("| what | one by one | in one process | ratio |\n|---|---|---|---|")
    for what, first, second, most in rows:
        ratio = f"{second / first:.2f} (limit {most:g})"
        print(f"| {what} | {first:.1f} | {second:.1f} | {ratio} |")
    return [(what, second / first, most) for what, first, second, most in rows]


def measured(host: str, folder: Path, count: int = 50) -> list[tuple[str, float, float]]:
    """Measure and print everything; return what has a limit."""
    os.environ["WASMPACK_STORE"] = str(folder / "batch store")
    return show([*batch(host, folder, count), removal(folder)])


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=50)
    shared = Path("/dev/shm")
    parser.add_argument("--directory", type=Path, default=shared if shared.is_dir() else None)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.directory) as name:
        folder = Path(name)
        with start_registry("open", folder) as registry:
            limits = measured(registry.host, folder, given.count)
    over = [what for what, ratio, most in limits if ratio > most]
    print("over the limit:", over, file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
