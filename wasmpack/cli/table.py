"""Tables of text, for a terminal."""

from collections.abc import Iterator, Sequence

from wasmpack.findings.report import Style, unstyled

_WIDEST = 100
"""Characters of a column: most names of images are shorter."""


def table(
    rows: Sequence[Sequence[str]],
    style: Style = unstyled,
    *,
    head: Sequence[str] = (),
    colours: Sequence[str] = (),
    gap: str = "  ",
    indent: str = "",
    widest: int = _WIDEST,
) -> Iterator[str]:
    """Rows with aligned columns, without spaces at the end.

    :param head: titles of the columns, shown bold
    :param colours: of the columns, from the first one
    :param gap: between columns
    :param widest: characters of a column; a longer cell does not widen all the other rows
    """
    cells = [head, *rows] if head else list(rows)
    widths = [
        max((len(cell) for cell in column if len(cell) <= widest), default=0)
        for column in zip(*cells, strict=True)
    ]
    if head:
        yield indent + style(_joined(head, widths, gap), "bold")
    for row in rows:
        yield indent + _joined(row, widths, gap, style, colours)


def _joined(
    row: Sequence[str],
    widths: Sequence[int],
    gap: str,
    style: Style = unstyled,
    colours: Sequence[str] = (),
) -> str:
    last = max((number for number, cell in enumerate(row) if cell), default=0)
    padded = [cell.ljust(width) for cell, width in zip(row[:last], widths, strict=False)]
    shown = [*padded, row[last]]
    return gap.join(
        style(cell, colours[number]) if number < len(colours) and colours[number] else cell
        for number, cell in enumerate(shown)
    )
