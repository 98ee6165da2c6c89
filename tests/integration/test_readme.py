"""Every command the README shows is run, against a real registry."""

import base64
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from agreement import images as i
from conftest import Cli
from support.layouts import old_image, pushed
from support.plugins import CONFIGURATION, PLUGINS
from support.registries import RunningRegistry

CHECKOUT = Path(__file__).parents[2]
README = (CHECKOUT / "README.md").read_text()
DOCUMENTS = {
    name: (CHECKOUT / name).read_text()
    for name in ("README.md", "docs/wasmplugin.md", "docs/migration.md")
}
SHOWN = {name: re.findall(r"^\$ wasmpack (.*)$", text, re.M) for name, text in DOCUMENTS.items()}
GO_REFUSED = "validate module filter.wasm --target istio-1.24"


@pytest.fixture
def desk(tmp_path: Path, go_plugin: Path, open_registry: RunningRegistry, cli: Cli) -> Path:
    """The files and images that the README speaks of."""
    (tmp_path / "filter.wasm").write_bytes((PLUGINS / "header-append-c.wasm").read_bytes())
    (tmp_path / "go").mkdir()
    (tmp_path / "go" / "filter.wasm").write_bytes(go_plugin.read_bytes())
    (tmp_path / "runtime-config.json").write_text('{"type": "envoy_proxy"}')
    (tmp_path / "config.json").write_text(CONFIGURATION)
    (shown,) = re.findall(r"^```yaml\n(plugin: .*?)```$", README, re.M | re.S)
    (tmp_path / "filter.wasmtest.yaml").write_text(shown)
    host = open_registry.host
    assert cli("build", "filter.wasm", "-t", f"{host}/somebody/else:v2", "--push", "--variant",
               "docker").code == 0  # fmt: skip
    assert cli("build", "filter.wasm", "-t", f"{host}/me/plugin:v1", "--push").code == 0
    old = pushed(f"{host}/somebody/old-filter:2.1", [(i.GZ, old_image())], tmp_path / "old")
    (tmp_path / "extensions.yaml").write_text(
        "apiVersion: maistra.io/v1\nkind: ServiceMeshExtension\nmetadata: {name: header}\n"
        f"spec: {{image: '{old}', phase: PreAuthZ, config: {CONFIGURATION}}}\n"
    )
    (tmp_path / "home" / ".docker").mkdir(parents=True)
    auth = base64.b64encode(b"me:word").decode()
    (tmp_path / "home" / ".docker" / "config.json").write_text(
        json.dumps({"auths": {host: {"auth": auth}}})
    )
    return tmp_path


@pytest.mark.parametrize("name", SHOWN)
def test_commands_of_the_documents(
    name: str, desk: Path, open_registry: RunningRegistry, cli: Cli
) -> None:
    assert len(SHOWN[name]) >= 3
    for line in SHOWN[name]:
        words, _, output = line.replace("quay.io", open_registry.host).partition(" > ")
        refused = line == GO_REFUSED
        done = cli(*shlex.split(words), cwd=desk / "go" if refused else desk)
        assert done.code == (3 if refused else 0), (line, done.err)
        if output:
            (desk / output).write_text(done.out)
        if refused:
            shown = README.partition(f"$ wasmpack {GO_REFUSED}\n")[2].partition("```")[0]
            for part in shown.strip().split("\n\n"):
                assert part in done.out


REGISTRIES = (CHECKOUT / "docs" / "registries.md").read_text()


def test_recipes_of_registries(
    desk: Path, htpasswd_registry: RunningRegistry, cli: Cli, tmp_path: Path
) -> None:
    """Each as it is written, but for the registry's name, the user and the authority."""
    registry = htpasswd_registry
    lines = re.findall(r"^\$ wasmpack (.*)$", REGISTRIES, re.M)
    assert len(lines) == 16
    assert cli("build", "filter.wasm", "-t", "plugin:v1").code == 0
    hosts = re.compile(r"(?<=[ /])(?:localhost:5000|[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?=[/ ])")
    for line in lines:
        command, _, source = line.partition(" < ")
        words = shlex.split(hosts.sub(registry.host, command).replace(" --ca-file ca.pem", ""))
        if "-u" in words:
            words[words.index("-u") + 1] = str(registry.username)
            assert source == "token.txt"
        done = cli(*words, stdin=str(registry.password).encode())
        assert done.code == 0, (line, done.err)


def test_values_and_template_of_the_documents(desk: Path, cli: Cli) -> None:
    values, template = re.findall(r"```yaml\n(.*?)```", DOCUMENTS["docs/wasmplugin.md"], re.S)
    (desk / "values.yaml").write_text(values)
    (desk / "template.yaml").write_text(template)
    done = cli("render", "wasmplugin", "quay.io/me/plugin:v1", "--no-image", "--values",
               "values.yaml", "--template", "template.yaml")  # fmt: skip
    assert done.code == 0, done.err
    assert "failStrategy: FAIL_OPEN  # our rule" in done.out
    assert "image: quay.io/me/plugin:v1" in done.out
    assert "name: header-append-image" in done.out


def test_the_digest_in_the_readme_is_the_real_one(desk: Path, cli: Cli) -> None:
    printed = re.findall(r"^quay\.io/me/plugin:v1@(sha256:[0-9a-f]{64})$", README, re.M)
    built = cli("build", "filter.wasm", "-t", "x", "--no-git").out.strip()
    assert [built.partition("@")[2]] == printed


def test_python_of_the_readme(desk: Path, open_registry: RunningRegistry) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len(code.strip().splitlines()) <= 8, "a whole job"
    code = code.replace("quay.io", open_registry.host)
    done = subprocess.run([sys.executable, "-c", code], cwd=desk, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("sha256:")


def test_example_of_the_runtime_configuration(desk: Path, cli: Cli) -> None:
    text = (CHECKOUT / "docs" / "runtime-config.md").read_text()
    (example,) = re.findall(r"```json\n(.*?)```", text, re.S)
    (desk / "example.json").write_text(example)
    assert cli("validate", "config", "example.json").code == 0
    assert json.loads(example)["type"] == "envoy_proxy"
