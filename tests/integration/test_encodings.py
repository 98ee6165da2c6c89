"""Names and text in any encoding, read and shown: never an internal error, never raw bytes."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from agreement import images
from conftest import Cli
from support.layouts import put
from support.plugins import PLUGINS

from wasmpack.oci import media_types as mt

C = PLUGINS / "header-append-c.wasm"
BUILD = ("build", C, "--no-git", "--no-validate")


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(command: str, *arguments: str, encoding: str) -> bytes:
    """What a command prints where standard output has this encoding; it must succeed."""
    done = subprocess.run(
        [command, *arguments], env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
@pytest.mark.parametrize("shape", ["text", "json"])
def test_any_encoding_of_standard_output(
    encoding: str, shape: str, cli: Cli, wasmpack_command: str
) -> None:
    key = "org.opencontainers.image.authors"
    assert cli(*BUILD, "-a", f"{key}=Zoë ☃", "-o", "oci:u:v1").code == 0
    arguments = ("inspect", "image", "oci:u:v1", "--format", shape)
    out = shown(wasmpack_command, *arguments, encoding=encoding)
    if shape == "json":
        assert json.loads(out)["annotations"] == {key: "Zoë ☃"}
    elif encoding != "ascii":  # click writes UTF-8 there
        text = out.decode(encoding)
        assert "Zoë ☃" in text or "Zoë \\u2603" in text


@pytest.mark.parametrize("shape", ["text", "json"])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_names_that_are_not_utf8(encoding: str, shape: str, wasmpack_command: str) -> None:
    name = os.fsdecode(b"caf\xe9")
    Path(f"{name}.wasm").write_bytes(C.read_bytes())
    build = ["build", f"{name}.wasm", "--no-git", "--no-validate"]
    for arguments in (
        ["build", f"{name}.wasm", "--no-git", "-t", "x:v1"],
        [*build, "-o", f"oci:{name}:v1",
         "--metadata-file", f"{name}.json", "--digest-file", f"{name}.txt"],
        [*build, "-o", f"oci-archive:{name}.tar:v1"],
        ["copy", f"oci:{name}:v1", f"oci:{name}2:v1"],
        ["inspect", "module", f"{name}.wasm"],
        ["validate", "module", f"{name}.wasm", "--no-dry-run"],
        ["validate", "image", f"oci-archive:{name}.tar:v1", "--no-dry-run"],
        ["extract", f"oci:{name}:v1", "-o", f"{name}3"],
    ):  # fmt: skip
        out = shown(wasmpack_command, *arguments, "--format", shape, encoding=encoding)
        if shape == "json":
            json.loads(out)
            assert b'"\\udc' not in out, "half a character"
    assert Path(f"{name}3/plugin.wasm").read_bytes() == C.read_bytes()
    assert Path(f"{name}.txt").read_text().startswith("sha256:")
    assert json.loads(Path(f"{name}.json").read_text())["reference"] == "oci:caf\\udce9:v1"


@pytest.mark.parametrize(
    "arguments",
    [
        ("build", C, "-t", "x:v1", "--root-id"), ("validate", "module", C, "--root-id"),
        ("build", C, "-t"), ("build", C, "-t", "x:v1", "-a"), ("tags",), ("login", "x.io", "-u"),
        ("render", "wasmplugin", "quay.io/a/b:1", "--no-image", "--plugin-name"),
        ("render", "wasmplugin", "quay.io/a/b:1", "--no-image", "--plugin-config"),
    ],
    ids=lambda arguments: " ".join(map(str, arguments[:1] + arguments[-1:])),
)  # fmt: skip
def test_text_that_is_not_utf8(arguments: tuple[str, ...], cli: Cli) -> None:
    done = cli(*arguments, os.fsdecode(b'{"k=": "caf\xe9"}'))
    assert done.code == 2, done.err
    assert "internal error" not in done.err
    assert "bug" not in done.err


def test_what_others_say_does_not_steer_the_terminal(cli: Cli, tmp_path: Path) -> None:
    """Names in an image are shown on standard error with control characters written out."""
    layer = images.packed(("a\x1b[31mb.wasm", C.read_bytes()))
    place = put(images.Case("steers", "", [(mt.OCI_LAYER_TAR_GZIP, layer)], ""), tmp_path / "evil")
    done = cli("repack", place, "oci:re:v1", "--no-validate")
    assert done.code == 0, done.err
    assert "\x1b" not in done.err
    assert "a\\x1b[31mb.wasm" in done.err
