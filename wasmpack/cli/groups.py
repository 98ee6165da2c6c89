"""Options as fields of a dataclass: a command gets them as one argument, typed, with methods.

>>> from dataclasses import dataclass
>>> @dataclass(frozen=True, slots=True, kw_only=True)
... class Cut:
...     at: tuple[int, ...] = option("Place to cut (repeatable).")
...     dry_run: bool = option("Cut nothing.", "-n")
>>> @click.command()
... @grouped("cut", Cut)
... def mow(cut: Cut) -> None:
...     print(cut)
>>> mow.main(["--at", "4", "-n"], "mow", standalone_mode=False)
Cut(at=(4,), dry_run=True)
"""

import functools
from collections.abc import Callable
from dataclasses import field, fields
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import click

F = TypeVar("F", bound=Callable[..., Any])
FILE = click.Path(path_type=Path, dir_okay=False)
SIDES = {"from": "source", "to": "destination"}
"""Starts of options that are for one end of a copy."""
_MAKE = "make"
"""In a field's metadata: makes click's decorator from the field's name and annotation."""


def option(text: str, *names: str, **more: Any) -> Any:
    """A field that is an option.

    :param text: its help
    :param names: short names, and a long one that is not the field's
    :param more: arguments of :func:`click.option` that the annotation does not say
    """

    def make(name: str, annotation: Any, side: str) -> Callable[[F], F]:
        long = () if any(given[:2] == "--" for given in names) else (long_name(name),)
        how = {"show_default": "default" in more, **_meaning(annotation), **more}
        if not side:
            return click.option(name, *names, *long, help=text, **how)
        how |= {"default": None, "show_default": False}
        own, short = f"{side}_{name}", f"As {long_name(name)}, for the {SIDES[side]} alone."
        return click.option(own, long_name(own), help=short, **how)

    return field(default=more.get("default"), metadata={_MAKE: make})


def argument(**more: Any) -> Any:
    """A field that is an argument."""

    def make(name: str, _annotation: Any, _side: str) -> Callable[[F], F]:
        return click.argument(name, **more)

    return field(default=None, metadata={_MAKE: make})


def grouped(
    name: str,
    kind: type[Any],
    make: Callable[[Any], object] = lambda given: given,
    *,
    only: str = "",
    side: str = "",
) -> Callable[[F], F]:
    """Options that a command gets as one argument.

    :param name: of the argument
    :param kind: a dataclass of options, in the order of ``--help``
    :param make: turns such a value into what the command gets
    :param only: the fields that are options of this command, in this order; "" means all
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
            known[key].metadata[_MAKE](key, types[key], side)(gather)
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
