"""``wasmpack explain``."""

import click

from wasmpack.cli.command import command
from wasmpack.cli.console import Console, Facts, format_option


@command(examples=["wasmpack explain ABI005"])
@click.argument("code")
@format_option
def explain(code: str, console: Console) -> None:
    """Explain the finding CODE: cause, consumer, example and fix."""
    from wasmpack.actions.explain import explanation, find_rule

    rule = find_rule(code)
    console.show(Facts(**rule.as_json()), explanation(rule, console.out_style))
