"""Every command the README shows is run, against a real registry."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Cli
from support.plugins import CONFIGURATION, PLUGINS
from support.registries import RunningRegistry

CHECKOUT = Path(__file__).parents[2]
README = (CHECKOUT / "README.md").read_text()
SHOWN = re.findall(r"^\$ wasmpack (.*)$", README, re.M)
GO_REFUSED = "validate module filter.wasm --target istio-1.24"


@pytest.fixture
def desk(tmp_path: Path, go_plugin: Path, open_registry: RunningRegistry, cli: Cli) -> Path:
    """The files and images that the README speaks of."""
    (tmp_path / "filter.wasm").write_bytes((PLUGINS / "header-append-c.wasm").read_bytes())
    (tmp_path / "go").mkdir()
    (tmp_path / "go" / "filter.wasm").write_bytes(go_plugin.read_bytes())
    (tmp_path / "runtime-config.json").write_text('{"type": "envoy_proxy"}')
    (tmp_path / "config.json").write_text(CONFIGURATION)
    other = f"{open_registry.host}/somebody/else:v2"
    assert cli("build", "filter.wasm", "-t", other, "--push", "--variant", "docker").code == 0
    return tmp_path


def test_commands_of_the_readme(desk: Path, open_registry: RunningRegistry, cli: Cli) -> None:
    assert len(SHOWN) >= 9
    for line in SHOWN:
        words = shlex.split(line.replace("quay.io", open_registry.host))
        refused = line == GO_REFUSED
        done = cli(*words, cwd=desk / "go" if refused else desk)
        assert done.code == (3 if refused else 0), (line, done.err)
        if refused:
            shown = README.partition(f"$ wasmpack {GO_REFUSED}\n")[2].partition("```")[0]
            for part in shown.strip().split("\n\n"):
                assert part in done.out


def test_the_digest_in_the_readme_is_the_real_one(desk: Path, cli: Cli) -> None:
    printed = re.findall(r"^quay\.io/me/plugin:v1@(sha256:[0-9a-f]{64})$", README, re.M)
    built = cli("build", "filter.wasm", "-t", "x", "--no-git").out.strip()
    assert [built.partition("@")[2]] == printed


def test_python_of_the_readme(desk: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    done = subprocess.run([sys.executable, "-c", code], cwd=desk, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("sha256:")


def test_example_of_the_runtime_configuration(desk: Path, cli: Cli) -> None:
    text = (CHECKOUT / "docs" / "runtime-config.md").read_text()
    (example,) = re.findall(r"```json\n(.*?)```", text, re.S)
    (desk / "example.json").write_text(example)
    assert cli("validate", "config", "example.json").code == 0
    assert json.loads(example)["type"] == "envoy_proxy"
