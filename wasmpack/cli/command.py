"""Commands and their options: how ``--help`` shows them, and how a command gets them.

Help has sections: options in groups, pointers to topics, examples as typed. A command gets options
as fields of a dataclass, in one argument, typed, with methods.

>>> from dataclasses import dataclass
>>> @dataclass(frozen=True, slots=True, kw_only=True)
... class Cut:
...     at: tuple[int, ...] = option("Place to cut (repeatable).", metavar="N")
...     dry_run: bool = option("Cut nothing.", "-n")

>>> @command("mow", examples=["mow --at 4"])
... @grouped("cut", Cut, section=Section.OUTPUT)
... def mow(cut: Cut) -> None:
...     "Cut the lawn."
...     print(cut)
>>> mow.main(["--at", "4", "-n"], "mow", standalone_mode=False)
Cut(at=(4,), dry_run=True)
>>> print(mow.get_help(click.Context(mow, info_name="mow")))
Usage: mow [OPTIONS]
<BLANKLINE>
  Cut the lawn.
<BLANKLINE>
Output:
  --at N         Place to cut (repeatable).
  -n, --dry-run  Cut nothing.
<BLANKLINE>
More:
  wasmpack help options  Options of all commands: -v, -q, --color, …
<BLANKLINE>
Example:
  mow --at 4
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import field, fields
from enum import StrEnum
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import click

F = TypeVar("F", bound=Callable[..., Any])


class Section(StrEnum):
    """A section of a command's options, in the order of the help."""

    OPTIONS = "Options"
    IMAGE = "Image"
    RESOURCE = "Resource"
    CHECKS = "Checks"
    OUTPUT = "Output"
    REGISTRY = "Registry"


TOPIC = "wasmpack help"
ONCE_READ = "wasmpack.once_read"
"""In click's ``meta``: functions to call when all options are read, before the command."""
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

    def __init__(
        self, *args: Any, examples: Sequence[str] = (), of_project: bool = False, **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self.examples = tuple(examples)
        self.of_project = of_project

    def invoke(self, ctx: click.Context) -> Any:
        """Run it, after what was to be done once all options are read."""
        if not isinstance(self, click.Group):
            for action in ctx.meta.pop(ONCE_READ, ()):
                action()
        return super().invoke(ctx)

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

    :param more: ``examples``, ``of_project`` (a project file changes what it prints), and arguments
        of :func:`click.command`
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


FILE = click.Path(path_type=Path, dir_okay=False)
SIDES = {"from": "source", "to": "destination"}
"""Starts of options that are for one end of a copy."""
_MAKE = "make"
"""In a field's metadata: makes click's decorator from the field's name and annotation."""


def option(text: str, *names: str, section: Section | None = None, **more: Any) -> Any:
    """A field that is an option.

    :param text: its help
    :param names: short names, and a long one that is not the field's
    :param section: of the help, if it is not that of the other fields
    :param more: arguments of :func:`click.option` that the annotation does not say
    """

    def make(name: str, annotation: Any, others: Section, side: str) -> Callable[[F], F]:
        long = () if any(given[:2] == "--" for given in names) else (long_name(name),)
        how = {"show_default": "default" in more, **_meaning(annotation), **more}
        how |= {"cls": Option, "section": section or others}
        if not side:
            return click.option(name, *names, *long, help=text, **how)
        how |= {"default": None, "show_default": False}
        own, short = f"{side}_{name}", f"As {long_name(name)}, for the {SIDES[side]} alone."
        return click.option(own, long_name(own), help=short, **how)

    return field(default=more.get("default"), metadata={_MAKE: make})


def argument(**more: Any) -> Any:
    """A field that is an argument."""

    def make(name: str, _annotation: Any, _section: Section, _side: str) -> Callable[[F], F]:
        return click.argument(name, **more)

    return field(default=None, metadata={_MAKE: make})


def grouped(
    name: str,
    kind: type[Any],
    make: Callable[[Any], object] = lambda given: given,
    *,
    only: str = "",
    section: Section = Section.OPTIONS,
    side: str = "",
) -> Callable[[F], F]:
    """Options that a command gets as one argument.

    :param name: of the argument
    :param kind: a dataclass of options, in the order of ``--help``
    :param make: turns such a value into what the command gets
    :param only: the fields that are options of this command, in this order; "" means all
    :param section: of the help, for options that name none
    :param side: one of :data:`SIDES`: options that start with it, all without a default
    """
    known, types = {found.name: found for found in fields(kind)}, get_type_hints(kind)
    own = only.split() or list(known)
    others = {
        key: () if _is_tuple(types[key]) else found.default
        for key, found in known.items()
        if key not in own
    }

    def decorate(command: F) -> F:
        @functools.wraps(command)
        def gather(**given: Any) -> Any:
            mine = {key: given.pop(f"{side}_{key}" if side else key) for key in own}
            return command(**{name: make(kind(**others, **mine))}, **given)

        for key in reversed(own):
            known[key].metadata[_MAKE](key, types[key], section, side)(gather)
        return gather  # type: ignore[return-value]

    return decorate


def long_name(name: str) -> str:
    """The option that a field gives: ``no_git`` is ``--no-git``."""
    return f"--{name.replace('_', '-')}"


def _is_tuple(annotation: Any) -> bool:
    return get_origin(annotation) is tuple


def _meaning(annotation: Any) -> dict[str, Any]:
    """Arguments for click from ``bool``, ``X``, ``X | None`` and ``tuple[X, ...]``."""
    if annotation is bool:
        return {"is_flag": True}
    parts = {*(get_args(annotation) or [annotation])} - {NoneType, Ellipsis}
    kind = parts.pop() if len(parts) == 1 else str  # our own unions define a click type
    return {"type": FILE if kind is Path else kind, "multiple": _is_tuple(annotation)}
