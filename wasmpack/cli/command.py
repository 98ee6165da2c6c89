"""Commands whose help has sections: options in groups, pointers to topics, examples as typed.

>>> @command("mow", examples=["mow --at 4"])
... @click.option("--at", cls=Option, section=Section.OUTPUT, metavar="N", help="Cut at N.")
... def mow(at: str | None) -> None:
...     "Cut the lawn."
>>> print(mow.get_help(click.Context(mow, info_name="mow")))
Usage: mow [OPTIONS]
<BLANKLINE>
  Cut the lawn.
<BLANKLINE>
Output:
  --at N  Cut at N.
<BLANKLINE>
More:
  wasmpack help options  Options of all commands: -v, -q, --color, …
<BLANKLINE>
Example:
  mow --at 4
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import click


class Section(StrEnum):
    """A section of a command's options, in the order of the help."""

    OPTIONS = "Options"
    IMAGE = "Image"
    RESOURCE = "Resource"
    CHECKS = "Checks"
    OUTPUT = "Output"
    REGISTRY = "Registry"


TOPIC = "wasmpack help"
_POINTERS = {Section.REGISTRY: ("registry", "How registries are reached: -u, --ca-file, …")}
"""Sections that are one line in the help of a command: their topic, and what it has."""
_EVERYWHERE = ("options", "Options of all commands: -v, -q, --color, …")


class Option(click.Option):
    """An option that belongs to a section."""

    def __init__(self, *names: Any, section: Section = Section.OPTIONS, **more: Any) -> None:
        super().__init__(*names, **more)
        self.section = section

    def get_help_extra(self, ctx: click.Context) -> Any:
        """Without the range, which an error states to those who need it."""
        extra = super().get_help_extra(ctx)
        extra.pop("range", None)
        return extra

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """With one space before a default, as in the texts that state theirs."""
        row = super().get_help_record(ctx)
        return row and (row[0], row[1].replace("  [", " ["))


class _Sections(click.Command):
    """Help with sections; any command can have it."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        self.examples = tuple(examples)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections = sections_of(self, ctx)
        for section, rows in sections.items():
            if section not in _POINTERS:
                write_section(formatter, section, rows)
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)
        topics = [topic for section, topic in _POINTERS.items() if section in sections]
        rows = [(f"{TOPIC} {name}", text) for name, text in [*topics, _EVERYWHERE]]
        write_section(formatter, "More", rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples as they are typed, however long."""
        if self.examples:
            with formatter.section("Examples" if len(self.examples) > 1 else "Example"):
                for line in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


class Command(_Sections):
    """A command whose help has sections."""


class Group(_Sections, click.Group):
    """A group whose help has sections, as that of its commands."""

    command_class = Command


def command(name: str | None = None, **more: Any) -> Callable[[Callable[..., Any]], Command]:
    """Decorate a function as a command.

    :param more: ``examples``, and arguments of :func:`click.command`
    """
    return click.command(name, cls=Command, **more)


def sections_of(command: click.Command, ctx: click.Context) -> dict[Section, list[tuple[str, str]]]:
    """Options and their help, in the order of the sections; ``--help`` is left out."""
    found: dict[Section, list[tuple[str, str]]] = {section: [] for section in Section}
    for param in command.params:
        row = param.get_help_record(ctx) if isinstance(param, click.Option) else None
        if row is not None:
            section = param.section if isinstance(param, Option) else Section.OPTIONS
            found[section].append(row)
    return {section: rows for section, rows in found.items() if rows}


def write_section(
    formatter: click.HelpFormatter, title: str, rows: Sequence[tuple[str, str]]
) -> None:
    """Rows in two columns below a title."""
    with formatter.section(title):
        formatter.write_dl(rows)
