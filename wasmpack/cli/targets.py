"""``wasmpack targets``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wasmpack.cli.command import command
from wasmpack.cli.console import Console, Facts, format_option
from wasmpack.text import table

if TYPE_CHECKING:
    from wasmpack.targets import Target
    from wasmpack.text import Style

_HEAD = ("TARGET", "", "SHIPS", "HOST", "WASI ", "IMAGES")


@command(examples=["wasmpack targets --format json"])
@format_option
def targets(console: Console) -> None:
    """List the releases wasmpack can validate for.

    Those marked * are validated for when no --target is given. SHIPS is whose code it is, HOST the
    date of the newest change of the proxy's WebAssembly host, WASI how many of its functions are
    provided. How each fact is known is part of --format json. A patch release (istio-1.27.3) is
    validated by its own rules.
    """
    from wasmpack.proxy_abi.abi import wasi_functions
    from wasmpack.targets import IBM_NOTE, all_targets

    rows = [(row, len(wasi_functions(row.host))) for row in all_targets()]
    found = [{**row.as_json(), "wasiFunctions": wasi} for row, wasi in rows]
    console.show(Facts(targets=found, notes=[IBM_NOTE]), _lines(rows, console.out_style))
    for row, _ in rows:
        if row.remark:
            console.remark(f"note: {row.name}: {row.remark}: that of {row.ships} is taken")
    console.remark(f"note: {IBM_NOTE}")


def _lines(rows: list[tuple[Target, int]], style: Style) -> Iterator[str]:
    cells = [
        (
            row.name,
            "*" if row.default else " ",
            row.ships,
            row.host,
            f"{wasi:>4} ",
            row.image_summary,
        )
        for row, wasi in rows
    ]
    return table(cells, style, head=_HEAD, gap=" ")
