"""The text of the commands: each case is a script, and next to it lies what it prints.

``make bless`` writes what is printed now; a reviewer reads what changed in the diff. README.md next
to this file says how a case is written.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import pytest
from support.desk import CONFIG, MODULES, make_desk
from support.faults.raw import RawServer
from support.faults.tidy import tidy
from support.in_process import in_this_process

from wasmpack.cli.main import run
from wasmpack.images.variants import artifact_image
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.version import VERSION

pytestmark = pytest.mark.dependencies

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("*/*.sh"))
BLESS = os.environ.get("WASMPACK_BLESS") == "1"
IMAGE = artifact_image(PluginModule(MODULES["small.wasm"]), CONFIG, {})
"""What ``wasmpack build small.wasm`` makes."""
TIMES = re.compile(r"\bin \d+\.\d\d s\b")
"""What differs from run to run."""
TERMINAL = {"COLUMNS": "80", "NO_COLOR": "1"}


def commands(script: Path) -> Iterator[list[str]]:
    """The command lines of a script, without the comments; each begins with ``wasmpack``."""
    for line in script.read_text().splitlines():
        program, *arguments = shlex.split(line, comments=True) or [""]
        if program:
            assert program == "wasmpack", f"{script.name}: {line}"
            yield arguments


def screen(script: Path) -> dict[str, str]:
    """The terminal of a case: ``screens/60-colour.sh`` has 60 columns and colour."""
    if script.parent.name != "screens":
        return TERMINAL
    columns, _, colour = script.stem.partition("-")
    return {"COLUMNS": columns, "NO_COLOR": "", "FORCE_COLOR": colour and "1"}


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the files and images that every case finds."""
    made = make_desk(HERE / "desk", tmp_path_factory.mktemp("golden") / "desk")
    with pytest.MonkeyPatch.context() as patch, in_this_process():
        patch.chdir(made)
        patch.setenv("WASMPACK_STORE", "store")
        for arguments in commands(made / "setup.sh"):
            assert run(["--quiet", *arguments]) == 0, arguments
    return made


@pytest.fixture(scope="session")
def registries() -> Iterator[dict[str, str]]:
    """One that has ``a/b:v1``, and one that takes what is pushed; neither needs Docker."""
    with RawServer(tidy(IMAGE, {})) as full, RawServer(tidy(IMAGE, {}, empty=True)) as empty:
        yield {"$REGISTRY": full.host, "$EMPTY": empty.host}


@pytest.fixture
def empty() -> Iterator[TextIO]:
    """A standard input from which nothing comes; pytest's own is no file."""
    with Path(os.devnull).open() as stream:
        yield stream


def linked_blob(source: str, target: str) -> None:
    """Copy a file; a blob is only linked, since nothing writes to one that is there."""
    (os.link if "/blobs/" in source else shutil.copy)(source, target)


def state(folder: Path) -> dict[str, tuple[int, ...]]:
    """What shows that something in it was written, made or deleted; locks hold nothing."""
    found = {}
    for path in (path for path in folder.rglob("*") if not path.name.endswith("lock")):
        kept = path.lstat()
        found[str(path)] = (kept.st_mode, kept.st_ino, kept.st_size, kept.st_mtime_ns)
    return found


class Desks:
    """Copies of the desk, one after the other: a case that leaves its own as it was hands it on."""

    def __init__(self, desk: Path, folder: Path) -> None:
        self._desk = desk
        self._folder = folder
        self._copies = 0
        self._state: dict[str, tuple[int, ...]] = {}

    def one(self) -> Path:
        here = self._folder / str(self._copies) / "desk"
        if not self._copies or state(here) != self._state:
            self._copies += 1
            here = self._folder / str(self._copies) / "desk"
            shutil.copytree(self._desk, here, symlinks=True, copy_function=linked_blob)
            self._state = state(here)
        return here


@pytest.fixture(scope="session")
def desks(desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Desks:
    return Desks(desk, tmp_path_factory.mktemp("desks"))


@pytest.fixture
def printed(
    desks: Desks,
    registries: dict[str, str],
    empty: TextIO,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> Callable[[Path], str]:
    """Run a script at the desk; what a terminal of 80 columns shows."""
    here = desks.one()
    monkeypatch.chdir(here)
    monkeypatch.setenv("WASMPACK_STORE", str(here / "store"))
    monkeypatch.setattr("sys.stdin", empty)
    varying = {str(here): "$DESK", str(here.parent): "$TMP", str(tmp_path): "$TMP"}
    varying |= {host: name for name, host in registries.items()}

    def one(arguments: list[str]) -> str:
        words = [filled(word, registries) for word in arguments]
        with in_this_process():
            code = run(words)
        out, err = (stream.decode() for stream in capsysbinary.readouterr())
        parts = [f"$ wasmpack {shlex.join(arguments)}\n", out]
        parts += ["[stderr]\n", err] if err else []
        parts += [f"[exit {code}]\n"] if code else []
        return TIMES.sub("in N s", filled("".join(parts), varying)).replace(
            f'ersion": "{VERSION}"', 'ersion": "$VERSION"'
        )

    def script(path: Path) -> str:
        for name, value in screen(path).items():
            monkeypatch.setenv(name, value)
        before = state(here)
        text = "\n".join(map(one, commands(path)))
        assert path.parent.name != "errors" or state(here) == before, "nothing is written"
        return text

    return script


def filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text


@pytest.mark.parametrize("script", CASES, ids=lambda p: p.relative_to(HERE).as_posix())
def test_what_is_printed(script: Path, printed: Callable[[Path], str]) -> None:
    expected, found = script.with_suffix(".out"), printed(script)
    if BLESS:
        expected.write_text(found)
    assert VERSION not in found.replace("2.1.0", ""), "each release would change it"
    assert found == expected.read_text(), "if the new text is better: make bless"


def test_every_case_has_its_text_and_every_text_its_case() -> None:
    assert [script.with_suffix(".out") for script in CASES] == sorted(HERE.glob("*/*.out"))


WRONG_USES = [
    block
    for text in sorted((HERE / "guesses").glob("*.out"))
    for block in re.split(r"(?m)^(?=\$ wasmpack)", text.read_text())
    if re.search(r"(?m)^\[exit [^3]", block) and "no such file" not in block
]
"""Flags of other tools, swapped arguments, wrong nouns, and the answer that each gets."""


def test_there_are_many_wrong_uses() -> None:
    assert len(WRONG_USES) >= 60


@pytest.mark.parametrize("block", WRONG_USES, ids=lambda block: block.splitlines()[0][2:])
def test_a_wrong_use_leads_to_the_next_command(block: str) -> None:
    assert "\nerror: " in block
    assert "\nhint: " in block
