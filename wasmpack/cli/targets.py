"""``wasmpack targets``."""

import click

from wasmpack.cli.options import current_console, format_option

_NAME = 17
"""Width of the longest name."""


@click.command(epilog="Example: wasmpack targets --format json")
@format_option
def targets(shape: str) -> None:
    """List the releases wasmpack can judge for, and what each takes.

    Those marked 'default' are judged when no --target is given.
    """
    from wasmpack.targets import all_targets

    console = current_console()
    rows = all_targets()
    if shape == "json":
        console.json({"schemaVersion": 1, "targets": [row.as_json() for row in rows]})
        return
    console.result(console.out_style(f"{'TARGET':<{_NAME}} {'':<7}  {'HOST':<10}  IMAGES", "bold"))
    for row in rows:
        mark = "default" if row.default else ""
        console.result(f"{row.name:<{_NAME}} {mark:<7}  {row.host}  {row.image_summary}".rstrip())
