"""The documents say what the code does."""

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from itertools import product
from pathlib import Path

import click
import pytest

import wasmpack
from wasmpack.actions.explain import all_rules
from wasmpack.cli.root import COMMANDS, cli

pytestmark = pytest.mark.dependencies

CHECKOUT = Path(__file__).parents[2]
SOURCE = Path(wasmpack.__file__).parent


def leaves(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found
            yield from leaves(f"{path} {name}", found)
    else:
        yield path, command


LEAVES = dict(leaves("wasmpack", cli))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_commands_leads_to_commands(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name
    assert COMMANDS[name].summary.endswith(".")


@pytest.mark.parametrize("path", LEAVES)
def test_every_command_has_help_and_an_example(path: str) -> None:
    command = LEAVES[path]
    assert (command.help or "").strip()
    assert (command.epilog or "").startswith(f"Example: {path} ") or (
        command.epilog == f"Example: {path}"
    )
    assert f"## `{path}`" in (CHECKOUT / "docs" / "cli.md").read_text()


@pytest.mark.parametrize("path", LEAVES)
def test_every_option_has_help(path: str) -> None:
    for parameter in LEAVES[path].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


def test_every_rule_is_documented_once_and_no_other() -> None:
    text = (CHECKOUT / "docs" / "findings.md").read_text()
    documented = re.findall(r"^\| ([A-Z]{3}\d{3}) \|", text, re.M)
    assert documented == [rule.code for rule in all_rules()]


def test_every_exit_code_is_documented() -> None:
    from wasmpack import errors

    text = (CHECKOUT / "docs" / "json.md").read_text()
    codes = {kind.exit_code for kind in errors.WasmpackError.__subclasses__()} | {0, 1, 130}
    assert all(f"| {code} |" in text for code in codes)


DOCUMENTS = sorted([*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md")])


def test_links_lead_somewhere() -> None:
    for document in DOCUMENTS:
        for link in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            if "://" not in link:
                assert (document.parent / link).exists(), f"{document.name}: {link}"


FILES = [
    file.relative_to(CHECKOUT).as_posix()
    for room in ("wasmpack", "tests", "docs", "benchmarks", "templates")
    for file in (CHECKOUT / room).rglob("*.*")
]
NAMED = re.compile(r"`([a-z_*/{},]+\.(?:py|json|yaml|template\.md))`")
OF_USERS = {"config.json", "auth.json", "index.json", "manifest.yaml", "plugin.yaml"}
"""Files that belong to images or users."""


def spelt_out(path: str) -> Iterator[str]:
    """The path with each choice of its braces, as a shell would do it."""
    parts = [part.split(",") for part in re.split(r"[{}]", path)]
    return map("".join, product(*parts))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_documents_name_are_there(document: Path) -> None:
    """By their whole path or its end, as a reader would look for them."""
    if document.name == "CHANGELOG.md":  # tells of what is gone
        return
    for named in NAMED.findall(document.read_text()):
        for path in spelt_out(named.lstrip("/")):
            known = any(fnmatch(f"/{file}", f"*/{path}") for file in FILES)
            assert known or path in OF_USERS, f"{document.name}: {path}"


def test_the_version_is_in_the_changelog() -> None:
    assert "## [Unreleased]" in (CHECKOUT / "CHANGELOG.md").read_text()
