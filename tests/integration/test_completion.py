"""Completion in real shells, through a pseudo terminal: what Tab makes of what is typed."""

from __future__ import annotations

import os
import pty
import select
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Cli
from support.plugins import wat
from support.programs import need

pytestmark = pytest.mark.slow

REAL = Path(sys.executable).with_name("wasmpack")
DONE = "all is typed"
ON_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)
"""Runs a program with its standard input as the controlling terminal."""
COMPINIT = "autoload -U compinit; compinit -u -D"
STARTS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source <(wasmpack completion bash)"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -U compinit; compinit -u -D; source <(wasmpack completion zsh)",
    ),
    "fish": (["fish", "--no-config", "-i"], "wasmpack completion fish | source"),
}
TYPED = {
    "a command": ("vali\t", ["validate"]),
    "a noun": ("validate mod\t", ["validate", "module"]),
    "an option": ("validate --targ\t", ["validate", "--target"]),
    "a target": ("validate --target gc\t", ["validate", "--target", "gcp"]),
    "a target in capitals": ("validate --target GC\t", ["validate", "--target", "GCP"]),
    "a format": ("validate --format sar\t", ["validate", "--format", "sarif"]),
    "a format, after =": ("validate --format=sar\t", ["validate", "--format=sarif"]),
    "a phase": ("render wasmplugin --phase STA\t", ["render", "wasmplugin", "--phase", "STATS"]),
    "a module by its suffix": ("build sm\t", ["build", "small.wasm"]),
    "a file with a space": ("build my\t", ["build", "my plugin.wasm"]),
    "a file below": ("validate bel\tplugin.y\t", ["validate", "below/plugin.yaml"]),
    "an image": ("push quay.io/me/pl\t", ["push", "quay.io/me/plugin:v1"]),
    "an image's tag": ("push quay.io/me/plugin:\t", ["push", "quay.io/me/plugin:v1"]),
    "a place": ("copy x oci-arch\tsaved.t\t", ["copy", "x", "oci-archive:saved.tar"]),
    "a code": ("explain abi00\t", None),
    "after an option": ("validate --strict sma\t", ["validate", "--strict", "small.wasm"]),
}  # fmt: skip
"""What is typed, and the arguments that a command gets; None if there are several words."""


@pytest.fixture
def desk(tmp_path: Path, cli: Cli) -> Path:
    """A directory with files, an image, and a ``wasmpack`` that prints its arguments."""
    desk = tmp_path / "desk"
    (desk / "below").mkdir(parents=True)
    for name in ("small.wasm", "my plugin.wasm"):
        (desk / name).write_bytes(wat())
    for name in ("small.txt", "my notes.txt", "below/plugin.yaml", "below/plugin.txt", "saved.tar"):
        (desk / name).touch()
    assert cli("build", "small.wasm", "-t", "quay.io/me/plugin:v1", cwd=desk).code == 0
    program = tmp_path / "bin" / "wasmpack"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n"
        f'case $1 in __complete|completion) exec {shlex.quote(str(REAL))} "$@" ;; esac\n'
        'printf "<%s>" "$@" >> typed; echo >> typed\n'
    )
    program.chmod(0o755)
    return desk


class Shell:
    """An interactive shell at the other end of a pseudo terminal."""

    def __init__(self, name: str, desk: Path) -> None:
        words, self._start = STARTS[name]
        self._ours, theirs = pty.openpty()
        environment = {
            **os.environ,
            "PATH": f"{desk.parent / 'bin'}:{os.environ['PATH']}",
            "TERM": "dumb" if name == "fish" else "xterm",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", ON_TERMINAL, *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=desk,
            env=environment,
            start_new_session=True,
        )
        os.close(theirs)
        self._typed = desk / "typed"

    def __enter__(self) -> Shell:
        try:
            self.run(self._start)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def run(self, line: str) -> list[str]:
        """Type a line, and a command that tells that it is done; what the first one got."""
        self._typed.unlink(missing_ok=True)
        for part in line.split("\t"):
            self._type(part)
            if part is not line.rsplit("\t", maxsplit=1)[-1]:
                self._type("\t")
        self._type(f"\nwasmpack '{DONE}'\n")
        deadline = time.monotonic() + 60
        while DONE not in (text := self._read_typed()):
            assert time.monotonic() < deadline, text
            self._drain()
        return text.splitlines()[:-1]

    def _type(self, text: str) -> None:
        os.write(self._ours, text.encode())
        self._drain()

    def _drain(self) -> None:
        """Read what the shell prints, until it has been silent for a moment."""
        while select.select([self._ours], [], [], 0.2)[0]:
            os.read(self._ours, 1 << 16)

    def _read_typed(self) -> str:
        return self._typed.read_text() if self._typed.exists() else ""


@pytest.mark.parametrize("name", STARTS)
def test_tab_in_a_real_shell(name: str, desk: Path) -> None:
    need(name)
    with Shell(name, desk) as shell:
        found = {what: shell.run(f"wasmpack {typed}") for what, (typed, _) in TYPED.items()}
    for what, (_, words) in TYPED.items():
        if words is not None:
            assert found[what] == ["".join(f"<{word}>" for word in words)], what


@pytest.mark.parametrize("name", STARTS)
def test_how_to_install_it_is_said(name: str, cli: Cli) -> None:
    assert f"wasmpack completion {name}" in cli("completion", "--help").out
