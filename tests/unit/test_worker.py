"""The worker's side of a dry run: lines of JSON in, lines of JSON out."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from support.plugins import wat

from wasmpack.dry_run.result import RunRequest

SERVE = "from wasmpack.dry_run import worker; worker.{entry}({parent})"


def answers(entry: str, *parts: dict[str, object] | bytes) -> list[bytes]:
    """What it writes; unlike in a dry run, with ``site``, so that coverage.py sees it."""
    lines = [
        part if isinstance(part, bytes) else json.dumps(part).encode() + b"\n" for part in parts
    ]
    code = SERVE.format(entry=entry, parent=os.getpid())
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, input=b"".join(lines), capture_output=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.splitlines()


def head(data: bytes, *, compiled: bool = True) -> dict[str, object]:
    return {"size": len(data), "cpu": 60.0, "compile": compiled, "cache": ""}


REQUEST = {"requests": [RunRequest(abi_version="0.2.1").as_json()], "seconds": 10.0}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "compiled", "keys"),
    [
        (wat(), False, ["validity"]),
        (wat(), True, ["validity", "compiled", "at", "run"]),
        (wat()[:-7], True, ["validity"]),
    ],
    ids=["validity alone", "a run", "invalid"],
)
def test_a_module_is_validated_compiled_and_run(
    data: bytes, compiled: bool, keys: list[str]
) -> None:
    found = answers("run", head(data, compiled=compiled), data, REQUEST)
    assert list(dict.fromkeys(next(iter(json.loads(line))) for line in found)) == keys


@pytest.mark.slow
def test_nobody_asks() -> None:
    assert answers("run") == []


@pytest.mark.slow
def test_text_is_compiled() -> None:
    text = b"(module)"
    size, binary = answers("assemble", {"size": len(text), "name": "x.wat", "cpu": 60.0}, text)
    assert json.loads(size) == {"size": 8}
    assert binary == b"\0asm\1\0\0\0"
    (refused,) = answers("assemble", {"size": 1, "name": "x.wat", "cpu": 60.0}, b"(")
    assert json.loads(refused)["refused"].startswith("x.wat: ")
