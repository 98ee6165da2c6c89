"""Options as fields of dataclasses."""

import importlib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from inspect import get_annotations
from pathlib import Path

import click

from wasmpack import cli
from wasmpack.cli import command
from wasmpack.cli.root import cli as root
from wasmpack.cli.root import inner_commands

MODULES = sorted(path.stem for path in Path(cli.__file__).parent.glob("[a-z]*.py"))


def option_classes() -> Iterator[type]:
    for name in MODULES:
        module = importlib.import_module(f"wasmpack.cli.{name}")
        for value in vars(module).values():
            if is_dataclass(value) and getattr(value, "__module__", "") == module.__name__:
                yield value  # type: ignore[misc]


def params(found: click.Command) -> Iterator[str]:
    yield from (str(param.name) for param in found.params)
    for inner in inner_commands(found).values():
        yield from params(inner)


def all_params() -> set[str]:
    context = click.Context(root)
    commands = [root.get_command(context, name) for name in root.list_commands(context)]
    return {name for found in commands if found for name in params(found)}


CLASSES = [
    kind
    for kind in option_classes()
    if any(command._MAKE in field.metadata for field in fields(kind))  # type: ignore[arg-type]
]


def test_each_field_is_an_option_of_a_command() -> None:
    """``only=`` leaves out what it does not name, and nothing tells."""
    known = all_params()
    for kind in CLASSES:
        own = get_annotations(kind)
        made = {f.name for f in fields(kind) if command._MAKE in f.metadata and f.name in own}  # type: ignore[arg-type]
        assert made <= known, kind.__name__
