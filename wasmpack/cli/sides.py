"""Registry options for each end of a copy: ``--from-…``, ``--to-…``; the plain ones mean both."""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from wasmpack.cli.command import SIDES, Section, grouped
from wasmpack.cli.options import SessionOptions
from wasmpack.errors import WrongUsage
from wasmpack.stores.session import Session

F = TypeVar("F", bound=Callable[..., Any])


def both_registry_options(command: F) -> F:
    """The options of a command that reaches two registries."""

    @grouped("plain", SessionOptions, section=Section.REGISTRY)
    @grouped("source", SessionOptions, side="from", section=Section.REGISTRY)
    @grouped("destination", SessionOptions, side="to", section=Section.REGISTRY)
    @functools.wraps(command)
    def combined(
        plain: SessionOptions, source: SessionOptions, destination: SessionOptions, **given: Any
    ) -> Any:
        return command(session=_session(plain, source, destination), **given)

    return combined  # type: ignore[return-value]


def _session(plain: SessionOptions, source: SessionOptions, destination: SessionOptions) -> Session:
    """:raises WrongUsage: two passwords from standard input"""
    sides = dict(zip(SIDES, (source, destination), strict=True))
    starts = {"": plain, **{f"{side}-": given for side, given in sides.items()}}
    read = [f"--{start}password-stdin" for start, given in starts.items() if given.password_stdin]
    if len(read) > 1:
        raise WrongUsage(f"{' and '.join(read)} exclude each other")
    session = plain.session()
    ends = [
        session.registry.changed(side=f"{side}-", **given.given(side))
        for side, given in sides.items()
    ]
    return replace(session, registry=ends[0], destination=ends[1])
