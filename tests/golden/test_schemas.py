"""Every JSON that a command prints is what ``wasmpack/schemas/output.schema.json`` says.

The same for SARIF and JUnit, by schemas of what we use of them; for the standard's, see
``test_sarif.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import click
import jsonschema
import pytest
from support.in_process import in_this_process
from support.output_schema import COMMANDS, SCHEMA, check_output

from wasmpack.cli.main import run
from wasmpack.cli.root import cli
from wasmpack.version import VERSION

pytestmark = pytest.mark.dependencies

HERE = Path(__file__).parent
RUN = re.compile(r"^\$ (wasmpack .*)\n((?:(?!\$ wasmpack |\[stderr\]|\[exit ).*\n)*)", re.MULTILINE)


LARGE = tuple(f"wasmpack {name} --format json" for name in ("config", "targets", "version"))
"""What is long, or new with each release, has no golden text."""


IN_ENVOY = {"run", "test"}
"""Tried in ``test_run.py`` and ``test_request_tests.py``."""


def printed() -> Iterator[tuple[str, object]]:
    """The command and the object of every golden text that is JSON."""
    for file in sorted(HERE.glob("*/*.out")):
        for line, out in RUN.findall(file.read_text()):
            if "json" in line.lower() and out.startswith("{"):
                yield line, json.loads(out)


PRINTED = [*printed()]


def command_of(line: str) -> str:
    words = [word for word in line.split()[1:] if not word.startswith("-")]
    return next(name for size in (2, 1) if (name := " ".join(words[:size])) in COMMANDS)


@pytest.mark.parametrize(("line", "value"), PRINTED, ids=[line for line, _ in PRINTED])
def test_what_is_printed_is_what_the_schema_says(line: str, value: object) -> None:
    check_output(command_of(line), value)


def test_each_command_with_json_has_a_schema_and_is_tried() -> None:
    assert set(COMMANDS) == set(with_json("", cli))
    tried = {command_of(line) for line in [*LARGE, *(line for line, _ in PRINTED)]}
    assert tried | IN_ENVOY == set(COMMANDS)


@pytest.mark.parametrize("line", LARGE)
def test_what_has_no_golden_text(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with in_this_process():
        assert run(line.split()[1:]) == 0
    test_what_is_printed_is_what_the_schema_says(line, json.loads(capsys.readouterr().out))


def with_json(path: str, command: click.Command) -> Iterator[str]:
    """Commands that offer ``--format json``."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found
            yield from with_json(f"{path} {name}".strip(), found)
    formats = [p.type for p in getattr(command, "whole", command).params if "--format" in p.opts]
    if formats:
        assert isinstance(formats[0], click.Choice)
        assert "json" in formats[0].choices
        yield path


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


DATA = HERE.parent / "unit" / "data"


def shaped(name: str) -> list[str]:
    """What was printed in this shape."""
    text = (HERE / "formats" / f"{name}.out").read_text()
    return [out for _, out in RUN.findall(text)]


def conforms(value: object, name: str) -> None:
    schema = json.loads((DATA / f"{name}.schema.json").read_text())
    checked = jsonschema.Draft202012Validator
    checked(schema, format_checker=checked.FORMAT_CHECKER).validate(value)


@pytest.mark.parametrize("text", shaped("sarif"))
def test_sarif_is_sarif(text: str) -> None:
    log = json.loads(text.replace("$VERSION", VERSION))
    conforms(log, "sarif")
    (only,) = log["runs"]
    rules = only["tool"]["driver"]["rules"]
    for result in only["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


@pytest.mark.parametrize("text", shaped("junit"))
def test_junit_is_junit(text: str) -> None:
    root = ElementTree.fromstring(text)
    conforms(as_value(root), "junit")
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        assert int(root.attrib[name]) == len([*root.iter(tag)])
        for suite in root:
            assert int(suite.attrib[name]) == len([*suite.iter(tag)])


def as_value(element: ElementTree.Element) -> object:
    return {
        "tag": element.tag,
        "attributes": dict(element.attrib),
        "children": [as_value(child) for child in element],
        "text": (element.text or "").strip() if len(element) else element.text or "",
    }
