"""The options of ``wasmpack`` itself, which every command takes too: ``wasmpack build … -v``."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import click

from wasmpack.cli.console import current_run


def options_of(root: click.Command) -> list[click.Option]:
    """Copies of its options, for commands: hidden in their help, applied before all others."""
    own = [p for p in root.params if isinstance(p, click.Option) and not p.is_eager]
    return [_copy(option) for option in own]


def _copy(option: click.Option) -> click.Option:
    found = copy.copy(option)
    found.hidden = found.is_eager = True
    found.expose_value = False
    found.envvar = None
    found.default = False if option.is_flag else 0 if option.count else None
    found.callback = _apply
    return found


def _apply(_ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Change the console of this run, if the option was given."""
    if not value:
        return
    run = current_run()
    changes: dict[str, Any] = {str(param.name): value}
    if param.name == "verbose":
        changes = {"verbose": run.console.verbose + value}
    if param.name == "no_progress":
        changes = {"progress": False}
    run.console = replace(run.console, **changes)
