"""``wasmpack targets``."""

import click

from wasmpack.cli.options import current_console, format_option

_NAME = 17
"""Width of the longest name."""
_SHIPS = 13
"""Width of "Istio 1.28.10"."""


@click.command(epilog="Example: wasmpack targets --format json")
@format_option
def targets(shape: str) -> None:
    """List the releases wasmpack can judge for, and what each takes.

    Those marked * are judged when no --target is given. SHIPS is whose code it is, HOST the date of
    the newest change of the proxy's WebAssembly host, WASI how many of its functions are provided.
    How each fact is known is part of --format json. A patch release (istio-1.27.3) is judged by
    its own rules.
    """
    from wasmpack.proxy_abi.abi import wasi_functions
    from wasmpack.targets import IBM_NOTE, all_targets

    console = current_console()
    rows = [(row, len(wasi_functions(row.host))) for row in all_targets()]
    if shape == "json":
        found = [{**row.as_json(), "wasiFunctions": wasi} for row, wasi in rows]
        console.json({"schemaVersion": 1, "targets": found, "notes": [IBM_NOTE]})
        return
    head = f"{'TARGET':<{_NAME}}   {'SHIPS':<{_SHIPS}} {'HOST':<10} WASI  IMAGES"
    console.result(console.out_style(head, "bold"))
    for row, wasi in rows:
        mark = "*" if row.default else " "
        line = f"{row.name:<{_NAME}} {mark} {row.ships:<{_SHIPS}} {row.host} {wasi:>4}  "
        console.result((line + row.image_summary).rstrip())
    for row, _ in rows:
        if row.remark:
            console.status(f"note: {row.name}: {row.remark}: that of {row.ships} is taken")
    console.status(f"note: {IBM_NOTE}")
