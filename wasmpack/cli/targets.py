"""``wasmpack targets``."""

import click

from wasmpack.cli.options import current_console, format_option

_NAME = 17
"""Width of the longest name."""


@click.command(epilog="Example: wasmpack targets --format json")
@format_option
def targets(shape: str) -> None:
    """List the releases wasmpack can judge for, and what each takes.

    Those marked 'default' are judged when no --target is given. HOST is the date of the newest
    change of the proxy's WebAssembly host, WASI how many of its functions are provided. How each
    fact is known is part of --format json.
    """
    from wasmpack.module.abi import wasi_functions
    from wasmpack.targets import IBM_NOTE, all_targets

    console = current_console()
    rows = [(row, len(wasi_functions(row.host))) for row in all_targets()]
    if shape == "json":
        found = [{**row.as_json(), "wasiFunctions": wasi} for row, wasi in rows]
        console.json({"schemaVersion": 1, "targets": found, "notes": [IBM_NOTE]})
        return
    head = f"{'TARGET':<{_NAME}} {'':<7}  {'HOST':<10}  WASI  IMAGES"
    console.result(console.out_style(head, "bold"))
    for row, wasi in rows:
        mark = "default" if row.default else ""
        line = f"{row.name:<{_NAME}} {mark:<7}  {row.host}  {wasi:>4}  {row.image_summary}"
        console.result(line.rstrip())
    console.status(f"note: {IBM_NOTE}")
