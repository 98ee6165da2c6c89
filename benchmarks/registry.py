"""Moving images, beside what others use, as whole processes against a registry on this machine.

    python benchmarks/registry.py [--runs 7] [--directory /dev/shm] [--plot docs/registry.svg]

Beside skopeo and buildah, oras-py's own push, and a bare ``http.client`` request with sha256 as
the floor. Contenders run in turn (A B C A B C …) after one round that is not counted; a ratio is
that of the medians. Everything lies in one directory, by default in memory, so that the disk is not
what is measured. Prints Markdown tables, draws the plot, and exits 1 if a ratio is over its limit.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

from batch import measured
from start_up import PYTHON, WASMPACK, section
from support.peak import watched
from support.registries import start_registry

from wasmpack.envoy import find_envoy

PLUGIN = HERE.parent / "tests" / "plugins" / "header-append-c.wasm"
SIZES = {"100 KB": 100_000, "2 MB": 2_000_000, "20 MB": 20_000_000, "200 MB": 200_000_000}
ORAS = """
import sys, oras.client
client = oras.client.OrasClient(hostname=sys.argv[1], insecure=True)
client.push(target=sys.argv[2], files=[sys.argv[3]], disable_path_validation=True)
"""
PUT = """
import hashlib, http.client, os, sys
from urllib.parse import urlsplit
host, repository, path = sys.argv[1:]
digest = hashlib.sha256()
with open(path, "rb") as file:
    while data := file.read(1 << 20):
        digest.update(data)
connection = http.client.HTTPConnection(host, blocksize=1 << 18)
connection.request("POST", f"/v2/{repository}/blobs/uploads/", headers={"Content-Length": "0"})
response = connection.getresponse()
response.read()
place = urlsplit(response.headers["Location"])
with open(path, "rb") as file:
    connection.request(
        "PUT", f"{place.path}?{place.query}&digest=sha256:{digest.hexdigest()}", body=file,
        headers={"Content-Length": str(os.path.getsize(path))},
    )
    assert connection.getresponse().status == 201
"""
GET = """
import hashlib, http.client, sys
host, repository, wanted, path = sys.argv[1:]
connection = http.client.HTTPConnection(host)
connection.request("GET", f"/v2/{repository}/blobs/{wanted}")
response, digest = connection.getresponse(), hashlib.sha256()
with open(path, "wb") as file:
    while data := response.read(1 << 20):
        digest.update(data)
        file.write(data)
assert wanted == "sha256:" + digest.hexdigest()
"""
_COLOURS = {"wasmpack": "tab:blue", "oras-py": "tab:orange", "skopeo": "tab:green"}
LIMITS: list[tuple[str, float, float]] = []
"""(what, ratio, limit) of everything that has one."""


@dataclass
class Desk:
    """Where everything lies."""

    host: str
    folder: Path
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def fresh(self, kind: str) -> str:
        """A repository that nobody has pushed to."""
        return f"{kind}/{next(self.numbers)}"

    def empty(self, name: str) -> Path:
        """A path at which there is nothing."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.unlink(missing_ok=True)
        return path


def payload(path: Path, size: int) -> None:
    """A real plugin and machine code in a custom section, of so many bytes in all."""
    code = find_envoy().read_bytes()
    small = PLUGIN.read_bytes()
    body = (code * (1 + size // len(code)))[: max(0, size - len(small) - 16)]
    path.write_bytes(small + section(0, b"\x04data" + body))


def seconds(*command: str | Path, env: dict[str, str] | None = None) -> float:
    """Wall time of one run."""
    start = time.perf_counter()
    subprocess.run(
        [*map(str, command)], check=True, capture_output=True, env={**os.environ, **(env or {})}
    )
    return time.perf_counter() - start


def forget_blobs() -> None:
    """skopeo and buildah remember which registry has which blob, and then send nothing."""
    for folder in (
        Path("/var/lib/containers/cache"),
        Path.home() / ".local/share/containers/cache",
    ):
        for name in ("blob-info-cache-v1.boltdb", "blob-info-cache-v1.sqlite"):
            (folder / name).unlink(missing_ok=True)


def in_turn(contenders: dict[str, Callable[[], float]], runs: int) -> dict[str, float]:
    """Medians."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(runs + 1):
        for name, contender in contenders.items():
            taken = contender()
            if number:
                found[name].append(taken)
    return {name: median(times) for name, times in found.items()}


def limit(what: str, ratio: float, most: float) -> str:
    """A cell with the ratio and its limit, which is remembered."""
    LIMITS.append((what, ratio, most))
    return f"{ratio:.2f} (limit {most:g})"


def table(head: list[str], rows: list[list[str]]) -> None:
    """Markdown."""
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print()


def small_plugin(desk: Desk, runs: int) -> None:
    """From a file of 2 MB to a registry, and again."""
    module = desk.folder / "2 MB" / "plugin.wasm"
    context = desk.folder / "context"
    context.mkdir()
    shutil.copy(module, context / "plugin.wasm")
    (context / "Dockerfile").write_text("FROM scratch\nCOPY plugin.wasm ./\n")
    pushed: list[str] = []

    def changed() -> None:
        """Another plugin for every run: nobody has seen its bytes before."""
        data = module.read_bytes()[:-8] + next(desk.numbers).to_bytes(8, "little")
        module.write_bytes(data)
        (context / "plugin.wasm").write_bytes(data)
        forget_blobs()

    def ours() -> float:
        changed()
        pushed.append(f"{desk.host}/{desk.fresh('ours')}:v1")
        return seconds(WASMPACK, "build", module, "-t", pushed[-1], "--push", "--no-git")

    def buildah() -> float:
        changed()
        name = f"localhost/bench:{next(desk.numbers)}"
        built = seconds("buildah", "bud", "-q", "-t", name, "--isolation", "chroot", context)
        target = f"docker://{desk.host}/{desk.fresh('buildah')}:v1"
        return built + seconds("buildah", "push", "-q", "--tls-verify=false", name, target)

    def oras() -> float:
        changed()
        target = f"{desk.host}/{desk.fresh('oras')}:v1"
        return seconds(PYTHON, "-c", ORAS, desk.host, target, module)

    found = in_turn(
        {
            "build --push": ours,
            "push again": lambda: seconds(WASMPACK, "push", pushed[-1]),
            "oras-py push": oras,
            "buildah": buildah,
            "imports": lambda: seconds(PYTHON, "-c", "import click, oras.provider, wasmtime"),
            "import oras": lambda: seconds(PYTHON, "-c", "import oras.provider"),
        },
        runs,
    )
    ms = {name: f"{value * 1e3:.0f}" for name, value in found.items()}
    rest = max(0.0, found["build --push"] - found["imports"])
    table(
        ["2 MB, from the file to the registry", "ms", "against", "ms", "ratio"],
        [
            ["`wasmpack build --push`, validation included", ms["build --push"],
             "oras-py's push, nothing checked", ms["oras-py push"],
             limit("build --push / oras-py", found["build --push"] / found["oras-py push"], 1.1)],
            ["the same", ms["build --push"], "`buildah bud` and `push`", ms["buildah"],
             limit("build --push / buildah", found["build --push"] / found["buildah"], 1.0)],
            ["what of it is left without `import click, oras.provider, wasmtime` "
             f"({ms['imports']} ms)", f"{rest * 1e3:.0f}", "`buildah bud` and `push`",
             ms["buildah"], limit("rest / buildah", rest / found["buildah"], 0.5)],
            ["`wasmpack push` of an image that is there", ms["push again"],
             "`import oras.provider`", ms["import oras"],
             limit("push again / import oras", found["push again"] / found["import oras"], 1.3)],
        ],
    )  # fmt: skip


def ways(desk: Desk, runs: int) -> dict[str, dict[str, dict[str, float]]]:
    """Push and pull of every size, by everybody."""
    found: dict[str, dict[str, dict[str, float]]] = {"push": {}, "pull": {}}
    for name in SIZES:
        module, layout = desk.folder / name / "plugin.wasm", desk.folder / name / "layout"
        source = f"oci:{layout}:v1"
        digest = "sha256:" + hashlib.sha256(module.read_bytes()).hexdigest()
        subprocess.run([WASMPACK, "build", module, "-o", source, "--no-git", "--no-validate"],
                       check=True, capture_output=True)  # fmt: skip
        there = f"{desk.fresh('there')}"
        subprocess.run([WASMPACK, "copy", source, f"{desk.host}/{there}:v1"], check=True,
                       capture_output=True)  # fmt: skip
        found["push"][name] = in_turn(_pushes(desk, module, layout), runs)
        found["pull"][name] = in_turn(_pulls(desk, there, digest), runs)
    return found


def _pushes(desk: Desk, module: Path, layout: Path) -> dict[str, Callable[[], float]]:
    def target(kind: str) -> str:
        return f"{desk.host}/{desk.fresh(kind)}:v1"

    def skopeo() -> float:
        forget_blobs()
        return seconds("skopeo", "copy", "--dest-tls-verify=false", source,
                       f"docker://{target('skopeo')}")  # fmt: skip

    source = f"oci:{layout}:v1"
    return {
        "wasmpack": lambda: seconds(WASMPACK, "push", source, target("ours"), "--no-validate"),
        "oras-py": lambda: seconds(PYTHON, "-c", ORAS, desk.host, target("oras"), module),
        "skopeo": skopeo,
        "bare PUT": lambda: seconds(PYTHON, "-c", PUT, desk.host, desk.fresh("bare"), module),
    }


def _pulls(desk: Desk, repository: str, digest: str) -> dict[str, Callable[[], float]]:
    image = f"{desk.host}/{repository}:v1"

    def ours() -> float:
        store = {"WASMPACK_STORE": str(desk.empty("pulled"))}
        return seconds(WASMPACK, "pull", image, env=store)

    def skopeo() -> float:
        forget_blobs()
        target = f"oci:{desk.empty('copied')}:v1"
        return seconds("skopeo", "copy", "--src-tls-verify=false", f"docker://{image}", target)

    def bare() -> float:
        return seconds(PYTHON, "-c", GET, desk.host, repository, digest, desk.empty("file"))

    return {"wasmpack": ours, "skopeo": skopeo, "bare GET": bare}


def show_ways(found: dict[str, dict[str, dict[str, float]]]) -> None:
    """A row a size; what has a limit is what 200 MB cost beyond 100 KB: start-up is the same."""
    for verb, rows in found.items():
        floor = "bare PUT" if verb == "push" else "bare GET"
        names = list(next(iter(rows.values())))
        lines = []
        for size, times in rows.items():
            ratio = times["wasmpack"] / times[floor]
            lines.append([size, *(f"{times[name] * 1e3:.0f}" for name in names), f"{ratio:.2f}"])
        beyond = {name: rows["200 MB"][name] - rows["100 KB"][name] for name in names}
        ratio = beyond["wasmpack"] / beyond[floor]
        lines.append(["200 MB beyond 100 KB", *(f"{beyond[name] * 1e3:.0f}" for name in names),
                      limit(f"{verb} of 200 MB / {floor}", ratio, 1.15)])  # fmt: skip
        table([f"{verb}, ms", *names, f"wasmpack / {floor}"], lines)


def layers(desk: Desk, runs: int) -> None:
    """The compat layer: what it costs beyond the same with a file of a kilobyte."""
    rows = []
    contexts = {}
    for name in ("tiny", "20 MB", "200 MB"):
        context = desk.folder / f"context {name}"
        context.mkdir()
        payload(context / "plugin.wasm", SIZES.get(name, 1_000))
        (context / "Dockerfile").write_text("FROM scratch\nCOPY plugin.wasm ./\n")
        contexts[name] = context
    tags = {name: f"localhost/layer:{next(desk.numbers)}" for name in contexts}

    def ours(name: str) -> float:
        return seconds(WASMPACK, "build", contexts[name] / "plugin.wasm", "-o",
                       f"oci:{desk.empty(f'ours {name}')}:v1", "--variant", "compat", "--no-git",
                       "--no-validate")  # fmt: skip

    def buildah(name: str) -> float:
        subprocess.run(["buildah", "rmi", "-f", tags[name]], check=False, capture_output=True)
        built = seconds("buildah", "bud", "-q", "-t", tags[name], "--no-cache", "--isolation",
                        "chroot", contexts[name])  # fmt: skip
        return built + seconds("buildah", "push", "-q", tags[name],
                               f"oci:{desk.empty(f'buildah {name}')}:v1")  # fmt: skip

    contenders: dict[str, Callable[[], float]] = {}
    for name in contexts:
        contenders[f"ours {name}"] = lambda name=name: ours(name)
        contenders[f"buildah {name}"] = lambda name=name: buildah(name)
    found = in_turn(contenders, max(3, runs // 2))
    for name in ("20 MB", "200 MB"):
        mine = found[f"ours {name}"] - found["ours tiny"]
        theirs = found[f"buildah {name}"] - found["buildah tiny"]
        sizes = [_largest(desk.folder / f"{who} {name}") for who in ("ours", "buildah")]
        rows.append([
            name, f"{mine * 1e3:.0f}", f"{theirs * 1e3:.0f}",
            limit(f"compat layer {name} / buildah", mine / theirs, 1 / 3),
            f"{sizes[0] / 1e6:.1f}", f"{sizes[1] / 1e6:.1f}",
            limit(f"compat size {name} / buildah", sizes[0] / sizes[1], 1.05),
        ])  # fmt: skip
    table(["compat layer", "wasmpack, ms", "buildah, ms", "time ratio", "wasmpack, MB",
           "buildah, MB", "size ratio"], rows)  # fmt: skip


def _largest(layout: Path) -> int:
    return max(path.stat().st_size for path in (layout / "blobs" / "sha256").iterdir())


def memory(desk: Desk) -> None:
    """The most that any process of a command had."""
    rows = []
    for size, count in SIZES.items():
        module = desk.folder / size / "plugin.wasm"
        repository = f"{desk.host}/{desk.fresh('memory')}"
        os.environ["WASMPACK_STORE"] = str(desk.empty("memory"))
        commands = {
            "build": [WASMPACK, "build", module, "-t", f"{repository}:v1", "--no-git"],
            "push": [WASMPACK, "push", f"{repository}:v1"],
            "inspect --remote": [WASMPACK, "inspect", "image", "--remote", f"{repository}:v1"],
            "copy": [WASMPACK, "copy", f"docker://{repository}:v1", f"{repository}/2:v1"],
            "pull": [WASMPACK, "pull", f"{repository}:v1"],
            "oras-py push": [PYTHON, "-c", ORAS, desk.host, f"{repository}/oras:v1", module],
        }
        peaks = {}
        for name, command in commands.items():
            if name == "pull":
                os.environ["WASMPACK_STORE"] = str(desk.empty("memory"))
            done = watched(*command)
            assert done.code == 0, done.err
            peaks[name] = done.megabytes
        for name in ("push", "pull", "copy"):
            limit(f"{name} {size}: MiB / 70", peaks[name] / 70, 1)
        most = count / (1 << 20) + 90
        limit(f"build {size}: MiB / (module + 90)", peaks["build"] / most, 1)
        if size == "200 MB":
            limit("inspect --remote: MiB / 70", peaks["inspect --remote"] / 70, 1)
        rows.append([size, *(str(peak) for peak in peaks.values())])
    table(["peak memory, MiB", *commands], rows)


def plot(found: dict[str, dict[str, dict[str, float]]], path: Path) -> None:
    """Both verbs, by size, both axes logarithmic."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "wasmpack", "svg.fonttype": "none"}
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.6), sharey=True)
    for axis, (verb, rows) in zip(axes, found.items(), strict=True):
        megabytes = [SIZES[size] / 1e6 for size in rows]
        for name in next(iter(rows.values())):
            bare = name.startswith("bare")
            times = [rows[size][name] * 1e3 for size in rows]
            axis.loglog(megabytes, times, "--" if bare else "o-", label=name,
                        color=_COLOURS.get(name, "grey"))  # fmt: skip
        axis.set(title=verb, xlabel="MB")
        axis.legend()
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("ms, whole process")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=7)
    shared = Path("/dev/shm")
    default = shared if shared.is_dir() else Path(tempfile.gettempdir())
    parser.add_argument("--directory", type=Path, default=default)
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    missing = [name for name in ("skopeo", "buildah") if shutil.which(name) is None]
    if missing:
        print(f"not installed: {', '.join(missing)}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(dir=given.directory) as name:
        folder = Path(name)
        os.environ |= {"WASMPACK_STORE": str(folder / "store"), "TMPDIR": name}
        for size, count in SIZES.items():
            (folder / size).mkdir()
            payload(folder / size / "plugin.wasm", count)
        with start_registry("open", folder) as registry:
            desk = Desk(registry.host, folder)
            cores = os.cpu_count()
            print(
                f"Python {platform.python_version()}, {platform.machine()}, {cores} cores, medians "
                f"of {given.runs} runs\n"
            )
            small_plugin(desk, given.runs)
            found = ways(desk, given.runs)
            show_ways(found)
            layers(desk, given.runs)
            memory(desk)
            LIMITS.extend(measured(registry.host, folder))
    if given.plot:
        plot(found, given.plot)
    over = [row for row in LIMITS if row[1] > row[2]]
    for what, ratio, most in over:
        print(f"over its limit: {what}: {ratio:.2f} > {most:.2f}", file=sys.stderr)
    print(json.dumps({"limits": len(LIMITS), "over": len(over)}), file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
