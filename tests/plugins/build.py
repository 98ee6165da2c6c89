"""Compile the test plugins: each from its source folder to one .wasm beside this file.

    python tests/plugins/build.py [c] [assemblyscript] [go] [--check]

Without a name all of them are built. ``--check`` builds into a temporary folder instead and
compares with the files that are there, exits 1 and names those that differ; without a name it
checks the files that are committed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent

# Every exported function is named in the source by an attribute, so no list of exports is needed
# here. A filter needs little stack; the default would cost memory in every Envoy worker.
C_FLAGS = [
    "-target",
    "wasm32-freestanding",
    "-std=c17",
    "-Os",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-ffreestanding",
    "-nostdlib",
    "-Wl,--no-entry",
    "-Wl,--strip-all",
    "-Wl,-z,stack-size=16384",
]
# c-shared makes a reactor, which exports _initialize; the rest is for the same bytes everywhere.
GO_FLAGS = ["-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w"]
NPM_CI = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]


class BuildError(Exception):
    """A plugin could not be built; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One plugin: where its source is, what it becomes and how.

    ``compile`` takes a private copy of the source folder and the file to write. An output that is
    not committed is built where it is needed.
    """

    source: Path
    output: Path
    committed: bool
    compile: Callable[[Path, Path], None]


def compile_c(source: Path, output: Path) -> None:
    """Compile with the C compiler of the PyPI package ``ziglang``."""
    caches = {
        "ZIG_GLOBAL_CACHE_DIR": str(source / "cache"),
        "ZIG_LOCAL_CACHE_DIR": str(source / "cache"),
    }
    compiler = [sys.executable, "-m", "ziglang", "cc"]
    run([*compiler, *C_FLAGS, "-o", str(output), "header_append.c"], cwd=source, extra_env=caches)


def compile_go(source: Path, output: Path) -> None:
    """Compile with Go; the settings keep it from fetching modules or another toolchain."""
    settings = {
        "GOOS": "wasip1",
        "GOARCH": "wasm",
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
        "GOENV": "off",
        "GOWORK": "off",
        "HOME": str(source / "home"),
        "GOCACHE": str(source / "cache"),
    }
    command = [find_tool("go"), "build", *GO_FLAGS, "-o", str(output), "."]
    run(command, cwd=source, extra_env=settings)


def compile_assemblyscript(source: Path, output: Path) -> None:
    """Compile with the AssemblyScript release that ``package-lock.json`` pins."""
    npm = find_tool("npm")
    run([npm, *NPM_CI], cwd=source)
    run([npm, "run", "--silent", "build", "--", "--outFile", str(output)], cwd=source)


PLUGINS: Mapping[str, Plugin] = {
    "c": Plugin(
        source=HERE / "src" / "c",
        output=HERE / "header-append-c.wasm",
        committed=True,
        compile=compile_c,
    ),
    "assemblyscript": Plugin(
        source=HERE / "src" / "assemblyscript",
        output=HERE / "header-append-as.wasm",
        committed=True,
        compile=compile_assemblyscript,
    ),
    "go": Plugin(
        source=HERE / "src" / "go",
        output=HERE / "header-append-go.wasm",
        committed=False,
        compile=compile_go,
    ),
}


def find_tool(name: str) -> str:
    """The path of a program, next to this Python or on PATH."""
    beside_python = str(Path(sys.executable).parent)
    path = shutil.which(name, path=beside_python) or shutil.which(name)
    if path is None:
        raise BuildError(f"{name} not found: looked in {beside_python} and on PATH")
    return path


def run(command: list[str], *, cwd: Path, extra_env: Mapping[str, str] | None = None) -> None:
    """Run a build tool; what it prints goes to stderr."""
    environment = {**os.environ, **(extra_env or {})}
    result = subprocess.run(command, cwd=cwd, env=environment, stdout=sys.stderr, check=False)
    if result.returncode != 0:
        raise BuildError(f"{' '.join(command)}: exit status {result.returncode}")


def compile_plugin(plugin: Plugin) -> bytes:
    """The compiled module, made in a copy of the source folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="plugin-build-") as scratch:
        source = Path(scratch, "src")
        shutil.copytree(plugin.source, source, ignore=shutil.ignore_patterns("node_modules"))
        output = Path(scratch, plugin.output.name)
        plugin.compile(source, output)
        return output.read_bytes()


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file in one step, so that no reader sees half a module."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as new:
        new.write(data)
    Path(new.name).chmod(0o644)
    Path(new.name).replace(path)


def find_difference(plugin: Plugin) -> str | None:
    """What keeps the file that is there from being a fresh build, or None."""
    if not plugin.output.exists():
        return f"{plugin.output.name}: missing"
    if plugin.output.read_bytes() != compile_plugin(plugin):
        return f"{plugin.output.name}: differs from a fresh build"
    return None


def build(plugins: Sequence[Plugin]) -> int:
    """Write the output of each plugin; answers the exit status."""
    for plugin in plugins:
        write_atomically(plugin.output, compile_plugin(plugin))
    return 0


def check(plugins: Sequence[Plugin]) -> int:
    """Print what differs from a fresh build; answers the exit status."""
    differences = [text for text in map(find_difference, plugins) if text is not None]
    for difference in differences:
        print(difference)
    return 1 if differences else 0


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Compile the test plugins.")
    names = ", ".join(PLUGINS)
    parser.add_argument("plugins", nargs="*", metavar="plugin", help=f"{names}; default: all")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args()
    for name in arguments.plugins:
        if name not in PLUGINS:
            parser.error(f"no plugin {name!r}; there are {names}")
    return arguments


def choose_plugins(names: Sequence[str], *, committed_only: bool) -> list[Plugin]:
    """The plugins of these names; without a name all, or all whose output is committed."""
    if names:
        return [PLUGINS[name] for name in names]
    return [plugin for plugin in PLUGINS.values() if plugin.committed or not committed_only]


def main() -> int:
    """Build or check the plugins named on the command line; answers the exit status."""
    arguments = parse_arguments()
    plugins = choose_plugins(arguments.plugins, committed_only=arguments.check)
    try:
        return check(plugins) if arguments.check else build(plugins)
    except BuildError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
