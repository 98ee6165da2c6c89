"""``wasmpack explain``."""

import click

from wasmpack.cli.command import command
from wasmpack.cli.console import Console, Facts, format_option


@command(examples=["wasmpack explain ABI005"])
@click.argument("code")
@format_option
def explain(code: str, console: Console) -> None:
    """Explain the finding CODE: cause, consumer and fix."""
    from wasmpack.actions.explain import explain as text
    from wasmpack.actions.explain import find_rule

    console.show(Facts(**find_rule(code).as_json()), text(code).split("\n"))
