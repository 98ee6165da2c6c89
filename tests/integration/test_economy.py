"""What a command enters and hashes: the house stays small, and no byte is hashed twice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.plugins import PLUGINS

MODULE = PLUGINS / "header-append-c.wasm"
MOST_FILES = 38
COUNTED = """
import hashlib, json, sys, threading
from pathlib import Path
entered, hashed = set(), 0
module = Path(sys.argv[1]).read_bytes()
pieces = [module[at : at + 64] for at in range(0, len(module) - 64, 4096)]
marks = [piece for piece in pieces if module.count(piece) == 1]
real = hashlib.sha256

class Counting:
    def __init__(self, data=b"", **_more):
        self._real = real()
        self.update(data)
    def update(self, data):
        global hashed
        raw = bytes(data)
        hashed += sum(mark in raw for mark in marks)
        self._real.update(raw)
    def __getattr__(self, name):
        return getattr(self._real, name)

hashlib.sha256 = Counting
hashlib_new = hashlib.new
hashlib.new = lambda name, data=b"", **more: (
    Counting(data) if name == "sha256" else hashlib_new(name, data, **more))

def enter(frame, event, _argument):
    code = frame.f_code
    if event == "call" and code.co_flags & 1 and "/wasmpack/" in code.co_filename:
        entered.add(code.co_filename.rpartition("/wasmpack/")[2])

sys.setprofile(enter)
threading.setprofile(enter)
from wasmpack.cli.main import run
status = run(sys.argv[2:])
sys.setprofile(None)
print(json.dumps([status, sorted(entered), hashed / len(marks)]), file=sys.stderr)
"""
"""The module is looked for in what is hashed, by marks of 64 bytes, one in 4096."""


def counted(module: Path, *command: str) -> tuple[set[str], float]:
    """Files of the package in which a function ran, and how often the module was hashed."""
    words = [sys.executable, "-c", COUNTED, str(module), *command]
    done = subprocess.run(words, capture_output=True, text=True)
    status, entered, times = json.loads(done.stderr.splitlines()[-1])
    assert status == 0, done.stderr
    return set(entered), times


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An image that this store has accepted."""
    monkeypatch.setenv("WASMPACK_STORE", str(tmp_path / "store"))
    name = "quay.io/me/plugin:v1"
    counted(MODULE, "build", str(MODULE), "-t", name)
    return name


def test_inspecting_enters_few_files(stored: str) -> None:
    entered, _ = counted(MODULE, "inspect", "image", stored)
    assert len(entered) <= MOST_FILES, sorted(entered)


@pytest.mark.parametrize(
    "command",
    [
        ["build", "{module}", "-o", "oci:{there}/built:v1"],
        ["validate", "module", "{module}"],
        ["validate", "image", "{stored}", "--target", "istio-1.29"],
        ["inspect", "image", "{stored}"],
        ["inspect", "image", "{stored}", "--target", "istio-1.29"],
        ["inspect", "module", "{module}"],
        ["extract", "{stored}", "-o", "{there}/out"],
    ],
    ids=" ".join,
)
def test_a_module_is_hashed_once(
    command: list[str], stored: str, go_plugin: Path, tmp_path: Path
) -> None:
    """The Go plugin is large enough for the cache of compiled code, which goes by the digest."""
    large = "quay.io/me/large:v1"
    counted(go_plugin, "build", str(go_plugin), "-t", large)
    for module, name in ((MODULE, stored), (go_plugin, large)):
        there = tmp_path / module.stem
        words = [w.format(module=module, stored=name, there=there) for w in command]
        _, times = counted(module, *words)
        assert times <= 1


@pytest.mark.parametrize("variant", ["compat", "docker"])
def test_each_representation_is_hashed_once(variant: str, tmp_path: Path) -> None:
    """The tar holds the module as it is; the module itself is known by its digest as well."""
    place = f"oci:{tmp_path}/image:v1"
    _, times = counted(MODULE, "build", str(MODULE), "--variant", variant, "-o", place)
    assert times <= 2
