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
from wasmpack.cli.command import Command
from wasmpack.cli.first_screen import SECTIONS
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


def test_the_first_screen_has_each_command_once() -> None:
    shown = [name for names in SECTIONS.values() for name in names.split()]
    assert sorted(shown) == sorted(COMMANDS)


@pytest.mark.parametrize("path", LEAVES)
def test_every_command_has_help_and_an_example(path: str) -> None:
    command = LEAVES[path]
    assert (command.help or "").strip()
    assert isinstance(command, Command), "see cli/command.py"
    assert command.examples
    assert all(f"{example} ".startswith(f"{path} ") for example in command.examples)
    assert f"## `{path}`" in (CHECKOUT / "docs" / "cli.md").read_text()


@pytest.mark.parametrize("path", LEAVES)
def test_help_begins_with_a_short_sentence(path: str) -> None:
    assert short_sentence((LEAVES[path].help or "").split("\n\n")[0])


@pytest.mark.parametrize("path", LEAVES)
def test_every_option_has_short_help_and_says_the_form_of_its_value(path: str) -> None:
    context = click.Context(LEAVES[path])
    for option in LEAVES[path].params:
        if isinstance(option, click.Option) and not option.hidden:
            assert short_sentence((option.help or "").partition(" [default")[0]), option.name
            if not option.is_flag and not option.count:
                assert option.make_metavar(context) not in TYPES, option.name


TYPES = {"TEXT", "INTEGER", "FLOAT", "INTEGER RANGE", "FLOAT RANGE"}
"""Words of click, which say nothing of the form of a value."""


def short_sentence(text: str) -> bool:
    """Of one line, with a period; it begins with a verb, which nothing here can see."""
    return text.endswith(".") and len(text) < 60 and "\n" not in text and text[0].isupper()


def test_every_rule_is_documented_once_and_no_other() -> None:
    text = (CHECKOUT / "docs" / "findings.md").read_text()
    documented = re.findall(r"^\| <a id=\"[A-Z]{3}\d{3}\"></a>([A-Z]{3}\d{3}) \|", text, re.M)
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
