"""The project file: what it can set, what it cannot, and where it is looked for."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from conftest import Cli
from support.faults.raw import RawServer, answer
from support.plugins import PLUGINS

from wasmpack.cli.project import SETTINGS, read_project
from wasmpack.errors import WrongUsage
from wasmpack.schemas import load_schema

pytestmark = pytest.mark.dependencies

MODULE = PLUGINS / "header-append-c.wasm"
WRONG = {
    "a check": ("no-validate = true", "cannot set 'no-validate'"),
    "TLS": ("insecure = true", "cannot set 'insecure'"),
    "credentials": ('registry-config = "x"', "cannot set 'registry-config'"),
    "a budget": ("dry-run-timeout = 9000", "cannot set 'dry-run-timeout'"),
    "an output": ('output = "oci:x"', "cannot set 'output'"),
    "strictness": ("strict = false", "cannot set 'strict'"),
    "a variable": ("env = {A = 'b'}", "cannot set 'env'"),
    "a table": ("[tls]\nca-file = 'x'", "cannot set 'tls'"),
    "the other file's header": ("[tool.wasmpack]\ntag = 'v1'", "belongs in pyproject.toml"),
    "a typing error": ('target = ["istio-1.29"]', "cannot set 'target'"),
    "controls": ('"\\u001b[31m" = 1', "cannot set"),
    "targets: a string": ('targets = "istio-1.29"', "expected a list"),
    "targets: empty": ("targets = []", "expected a list"),
    "targets: numbers": ("targets = [1]", "expected a string"),
    "targets: unknown": ('targets = ["istio-9"]', "istio-9"),
    "annotations: a list": ("annotations = []", "expected a table"),
    "annotations: a number": ("annotations = {a = 1}", "expected a string"),
    "annotations: a key": ('annotations = {"a=b" = "c"}', "invalid key"),
    "a path out": ('plugin-config = "../secret"', "out of the repository"),
    "an absolute path": ('vm-config = "/etc/passwd"', "out of the repository"),
    "a link out": ('plugin-config = "link"', "out of the repository"),
    "a path with NUL": ('plugin-config = "a\\u0000b"', "expected a string"),
    "a registry": ('registry = "me"', "expected a registry"),
    "a registry with a tag": ('registry = "quay.io/me:v1"', "registry"),
    "a registry with a login": ('registry = "u:p@quay.io"', "registry"),
    "a tag": ('tag = "a b"', "invalid tag"),
    "no TOML": ("targets = [", "not TOML"),
    "deep": (f"tag = {'[' * 100_000}", "not TOML"),
    "not UTF-8": ("tag = '\udcff'", "not TOML"),
}
NO_SCHEMA = {
    *("a path out", "an absolute path", "a link out", "a path with NUL", "targets: unknown"),
    *("a registry", "a registry with a tag", "a registry with a login"),
    *("no TOML", "deep", "not UTF-8"),
}
"""What the schema does not say."""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / ".git").mkdir(parents=True)
    (root / "link").symlink_to("/etc/passwd")
    (root / "config.json").write_text('{"x-a": "b"}')
    (tmp_path / "secret").touch()
    return root


def write(root: Path, text: str, name: str = "wasmpack.toml") -> Path:
    (root / name).write_bytes(text.encode(errors="surrogateescape"))
    return root / name


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_a_project_file_cannot(text: str, message: str, repository: Path) -> None:
    with pytest.raises(WrongUsage) as caught:
        read_project(write(repository, text), repository)
    assert message in caught.value.message
    assert "wasmpack.toml" in caught.value.message


@pytest.mark.parametrize("name", [name for name in WRONG if name not in NO_SCHEMA])
def test_editors_see_the_same(name: str) -> None:
    checked = jsonschema.Draft202012Validator(load_schema("project"))
    assert not checked.is_valid(tomllib.loads(WRONG[name][0]))


def test_editors_know_the_same_keys() -> None:
    assert tuple(load_schema("project")["properties"]) == SETTINGS


def test_too_large_and_a_link_out_are_refused(repository: Path, tmp_path: Path) -> None:
    large = write(repository, "#" * (1 << 20) + "\n")
    with pytest.raises(WrongUsage, match="more than"):
        read_project(large, repository)
    large.unlink()
    large.symlink_to(write(tmp_path, "tag = 'v1'", "elsewhere.toml"))
    with pytest.raises(WrongUsage, match="out of the repository"):
        read_project(large, repository)


ALL = """
targets = ["istio-1.29", "ossm-2.6"]
plugin-config = "config.json"
registry = "quay.io/me"
tag = "v7"
[annotations]
"org.opencontainers.image.vendor" = "Me"
"""


def test_it_is_found_upwards_and_named(repository: Path, cli: Cli) -> None:
    write(repository, ALL)
    below = repository / "a" / "b"
    below.mkdir(parents=True)
    built = cli("build", MODULE, "-t", "plugin", "--format", "json", cwd=below)
    assert built.code == 0, built.err
    assert "using ../../wasmpack.toml: targets, annotations, plugin-config" in built.err
    assert json.loads(built.out)["reference"] == "quay.io/me/plugin:v7"
    shown = json.loads(cli("inspect", "plugin-is-not-a-noun", cwd=below).out or "{}")
    assert shown == {}
    seen = json.loads(cli("inspect", "image", "plugin", "--format", "json", cwd=below).out)
    assert seen["annotations"]["org.opencontainers.image.vendor"] == "Me"
    assert [row["target"] for row in seen["targets"]] == ["istio-1.29", "ossm-2.6"]
    resource = cli("render", "wasmplugin", "plugin", "--format", "json", cwd=below).out
    spec = json.loads(resource)["spec"]
    assert spec["url"] == "oci://quay.io/me/plugin:v7"
    assert spec["pluginConfig"] == {"x-a": "b"}
    assert "using" not in cli("digest", "plugin", "-q", cwd=below).err


@pytest.mark.parametrize(
    "removed",
    ["plugin:v7", "plugin", "docker://plugin", "quay.io/me/plugin:v7", "*:v7", "sha256:",
     "docker://sha256:"],
)  # fmt: skip
def test_images_are_removed_by_the_names_they_were_built_under(
    removed: str, repository: Path, cli: Cli
) -> None:
    write(repository, 'registry = "quay.io/me"')
    built = cli("build", MODULE, "-t", "plugin:v7", "--format", "json", cwd=repository)
    digest = json.loads(built.out)["digest"]
    done = cli("remove", removed.replace("sha256:", digest), cwd=repository)
    assert (done.code, done.out) == (0, f"quay.io/me/plugin:v7@{digest}\n")


@pytest.mark.parametrize(
    ("command", "asked"),
    {
        "tags plugin": "tags/list",
        "tags docker://plugin": "tags/list",
        "delete plugin:v1 --yes": "manifests/v1",
        "mirror docker://plugin 127.0.0.1:1/new": "manifests/latest",
        "run plugin:v1": "manifests/v1",
    }.items(),
)
def test_the_projects_repository_is_asked_for(
    command: str, asked: str, repository: Path, cli: Cli
) -> None:
    """A layout of the same name does not matter, since a name is meant."""
    with RawServer(lambda *_: iter([answer("404 Not Found")])) as server:
        write(repository, f'registry = "{server.host}/me"')
        (repository / "plugin").mkdir()
        (repository / "plugin" / "oci-layout").touch()
        done = cli(*command.split(), cwd=repository)
    assert done.code == 4, done.err
    assert f" /v2/me/plugin/{asked}" in server.seen[-1], server.seen


def test_the_list_shows_names_as_they_are_typed_here(repository: Path, cli: Cli) -> None:
    assert cli("build", MODULE, "-t", "plugin:v1", cwd=repository).code == 0
    assert cli("list", cwd=repository).out.count("docker.io") == 0
    write(repository, 'registry = "quay.io/me"')
    assert cli("build", MODULE, "-t", "plugin:v7", cwd=repository).code == 0
    rows = json.loads(cli("list", "--format", "json", cwd=repository).out)["images"]
    names = [row["reference"] for row in rows]
    assert names == ["docker.io/library/plugin:v1", "quay.io/me/plugin:v7"]
    for name in names:
        done = cli("remove", name, cwd=repository)
        assert (done.code, done.out.split("@")[0]) == (0, name)


def test_run_finds_the_image_that_was_built(repository: Path, cli: Cli) -> None:
    write(repository, 'registry = "quay.io/me"')
    assert cli("build", MODULE, "-t", "plugin:v1", cwd=repository).code == 0
    done = cli("run", "plugin:v1", "--envoy-path", "no-envoy", cwd=repository)
    assert (done.code, "no-envoy: no such file" in done.err) == (4, True), done.err


def test_command_line_and_variables_win(repository: Path, cli: Cli) -> None:
    write(repository, ALL)
    words = ("validate", "module", MODULE, "--format", "json")
    by_variable = cli(*words, env={"WASMPACK_TARGET": "envoy-1.40"}, cwd=repository)
    given = cli(*words, "--target", "istio-1.31", "--no-dry-run", cwd=repository)
    for done, target in ((by_variable, "envoy-1.40"), (given, "istio-1.31")):
        assert [row["target"] for row in json.loads(done.out)["targets"]] == [target]
    named = cli("build", MODULE, "-t", "ghcr.io/you/x:v1", "-a", "a=b", cwd=repository)
    assert named.out.startswith("ghcr.io/you/x:v1@")


@pytest.mark.parametrize(
    ("place", "name", "text", "found"),
    [
        (".", "wasmpack.toml", ALL, True),
        (".", "pyproject.toml", "[tool.wasmpack]\ntargets = ['istio-1.29']", True),
        (".", "pyproject.toml", "[tool.other]\nx = 1", False),
        (".", "pyproject.toml", "nonsense [", False),
        ("..", "wasmpack.toml", ALL, False),
    ],
    ids=[
        "its own",
        "pyproject",
        "another's pyproject",
        "broken pyproject",
        "out of the repository",
    ],
)
def test_where_it_is_looked_for(
    place: str, name: str, text: str, found: bool, repository: Path, cli: Cli
) -> None:
    write(repository / place, text, name)
    done = cli("validate", "module", MODULE, "--target", "istio-1.30", cwd=repository)
    assert ("using" in done.err) is found
    assert done.code in {0, 3}
    shown = json.loads(cli("config", "--format", "json", cwd=repository).out)
    assert (shown["file"] is not None) is found


def test_without_a_repository_the_directory_alone_is_looked_at(tmp_path: Path, cli: Cli) -> None:
    write(tmp_path, ALL)
    (tmp_path / "below").mkdir()
    assert json.loads(cli("config", "--format", "json", cwd=tmp_path / "below").out)["file"] is None
    assert json.loads(cli("config", "--format", "json", cwd=tmp_path).out)["file"]


def test_a_wrong_file_ends_the_command_but_not_its_help(repository: Path, cli: Cli) -> None:
    write(repository, "insecure = true")
    done = cli("validate", MODULE, cwd=repository)
    assert done.code == 2
    assert "cannot set 'insecure'" in done.err
    for words in (("validate", "--help"), ("help", "validate"), ("version",)):
        assert cli(*words, cwd=repository).code == 0


def test_a_resource_keeps_its_own_configuration(repository: Path, cli: Cli) -> None:
    """The project's would be refused by this plugin; given on the command line, it wins."""
    write(repository, 'plugin-config = "config.json"')
    (repository / "config.json").write_text("[]")
    assert cli("build", MODULE, "-t", "quay.io/me/p:v1", "--no-validate", cwd=repository).code == 0
    (repository / "plugin.yaml").write_text(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\n"
        "metadata: {name: p}\nspec: {url: 'oci://quay.io/me/p:v1', pluginConfig: {x-a: b}}\n"
    )
    for words in (("validate", "plugin.yaml"), ("validate", "wasmplugin", "plugin.yaml")):
        options = (*words, "--target", "istio-1.31")
        assert cli(*options, cwd=repository).code == 0
        assert cli(*options, "--plugin-config", "[]", cwd=repository).code == 3
    assert cli("validate", "module", MODULE, cwd=repository).code == 3


def test_config_says_what_holds_and_why(repository: Path, cli: Cli) -> None:
    write(repository, ALL)
    env = {"WASMPACK_TARGET": "envoy-1.40", "WASMPACK_PASSWORD": "hunter2", "WASMPACK_RETRIES": "1"}
    shown = cli("config", "--format", "json", env=env, cwd=repository)
    rows = {row["key"]: (row["value"], row["source"]) for row in json.loads(shown.out)["settings"]}
    assert rows["targets"] == ("envoy-1.40", "WASMPACK_TARGET")
    assert rows["tag"] == ("v7", "wasmpack.toml")
    assert rows["retries"] == ("1", "WASMPACK_RETRIES")
    assert rows["vm-config"] == (None, "default")
    assert "hunter2" not in shown.out + cli("config", env=env, cwd=repository).out
