"""Images and modules through standard input and output."""

import json
import subprocess
from pathlib import Path

import pytest
from conftest import Cli
from support.plugins import PLUGINS

MODULE = PLUGINS / "header-append-c.wasm"


@pytest.fixture
def layout(cli: Cli) -> str:
    assert cli("build", MODULE, "--no-git", "--no-validate", "-o", "oci:lay:v1").code == 0
    return "oci:lay:v1"


def run(command: str, *arguments: str, cwd: Path, stdin: bytes = b"") -> tuple[bytes, bytes]:
    done = subprocess.run(
        [command, *arguments], cwd=cwd, input=stdin, capture_output=True, timeout=60, check=True
    )
    return done.stdout, done.stderr


def test_extract_writes_the_module_to_standard_output(
    layout: str, wasmpack_command: str, tmp_path: Path
) -> None:
    out, err = run(wasmpack_command, "extract", layout, "-o", "-", cwd=tmp_path)
    assert (out, err) == (MODULE.read_bytes(), b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lay"]
    out, err = run(wasmpack_command, "extract", layout, "-o", "-", "--format", "json", cwd=tmp_path)
    assert out == MODULE.read_bytes()
    assert json.loads(err)["files"] == ["-"]


@pytest.mark.parametrize("source", ["oci-archive:-", "oci-archive:-:v1", "oci-archive:/dev/stdin"])
def test_an_archive_goes_out_and_in(
    layout: str, wasmpack_command: str, tmp_path: Path, source: str
) -> None:
    archive, _ = run(wasmpack_command, "copy", layout, "oci-archive:-:v1", cwd=tmp_path)
    run(wasmpack_command, "extract", source, "-o", "out", cwd=tmp_path, stdin=archive)
    assert (tmp_path / "out" / "plugin.wasm").read_bytes() == MODULE.read_bytes()
