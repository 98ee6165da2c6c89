"""Text for a terminal: colour, width, tables, wrapped paragraphs.

>>> print("\\n".join(table([("a", "1"), ("long name", "2")], head=("NAME", "N"))))
NAME       N
a          1
long name  2
>>> wrapped("export a memory of at least one page, or none", Style(width=40), "fix: ")
['  fix: export a memory of at least one', '       page, or none']
"""

import contextlib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WIDTH = 80
"""Columns where there is no terminal."""
WIDEST_COLUMN = 100
"""Characters: most names of images are shorter."""
_NARROWEST = 40
"""Columns below which text is not wrapped any more closely."""
_INDENT = 2
_CONTINUED = 4
"""Spaces before the cells of a row that had to go on the next line."""
_CODES = {
    "bold": 1,
    "dim": 2,
    "red": 31,
    "green": 32,
    "yellow": 33,
    "blue": 34,
    "cyan": 36,
}
"""Parameters of SGR (ECMA-48 8.3.117)."""
_ESCAPE = re.compile("\x1b\\[[0-9;]*m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How text is shown: ``style(text, "red")`` is the text, coloured if the stream supports it."""

    coloured: bool = False
    width: int = WIDTH
    """Columns."""
    narrow: bool = False
    """Rows of tables must fit; in a pipe each stays one line, for those who search in it."""
    detail: bool = False
    """Show each target, and the addresses of pages."""
    everything: bool = False
    """Do not shorten lists."""

    def __call__(self, text: str, colour: str) -> str:
        """Colour the text."""
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self.coloured and text else text


PLAIN = Style()


def columns() -> int:
    """The value of ``COLUMNS``, or the width of the terminal, or :data:`WIDTH` without one.

    As ``shutil.get_terminal_size``, which loads compressors first.
    """
    with contextlib.suppress(KeyError, ValueError):
        if (wanted := int(os.environ["COLUMNS"])) > 0:
            return wanted
    with contextlib.suppress(AttributeError, ValueError, OSError):
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or WIDTH  # type: ignore[union-attr]
    return WIDTH


def wrapped(text: str, style: Style = PLAIN, label: str = "", indent: int = _INDENT) -> list[str]:
    """Break a text at spaces; lines after the first stand below the end of the label."""
    import textwrap

    return textwrap.wrap(
        label + text,
        max(style.width, _NARROWEST),
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + len(label)),
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(
    rows: Sequence[Sequence[str]],
    style: Style = PLAIN,
    *,
    head: Sequence[str] = (),
    colours: Sequence[str] = (),
    gap: str = "  ",
    indent: str = "",
    widest: int = WIDEST_COLUMN,
) -> Iterator[str]:
    """Rows with aligned columns, without spaces at the end.

    A row that is wider than the terminal continues on the next line.

    :param head: titles of the columns, shown bold
    :param colours: of the columns, from the first one
    :param gap: between columns
    :param widest: characters of a column; a longer cell does not widen all the other rows
    """
    cells = [head, *rows] if head else list(rows)
    most = min(widest, _columns(style))
    widths = [
        max((_length(cell) for cell in column if _length(cell) <= most), default=0)
        for column in zip(*cells, strict=True)
    ]
    if head:
        yield indent + style(_joined(head, widths, gap), "bold")
    for row in rows:
        yield from _row(row, widths, style, colours, gap, indent)


def _row(
    row: Sequence[str],
    widths: Sequence[int],
    style: Style,
    colours: Sequence[str],
    gap: str,
    indent: str,
) -> Iterator[str]:
    """The row, in as many lines as it takes."""
    shown = [
        style(cell, colour) if colour else cell
        for cell, colour in zip(row, [*colours, *[""] * len(row)], strict=False)
    ]
    line = indent + _joined(shown, widths, gap)
    cut = len(row)
    while cut > 1 and _length(line) > _columns(style):
        cut -= 1
        line = indent + _joined(shown[:cut], widths, gap)
    yield line.rstrip()
    rest = [cell for cell in shown[cut:] if cell]
    if rest:
        yield indent + " " * _CONTINUED + gap.join(rest)


def _columns(style: Style) -> int:
    return max(style.width, _NARROWEST) if style.narrow else sys.maxsize


def _joined(row: Sequence[str], widths: Sequence[int], gap: str) -> str:
    last = max((number for number, cell in enumerate(row) if cell), default=0)
    padded = [
        cell + " " * (width - _length(cell))
        for cell, width in zip(row[:last], widths, strict=False)
    ]
    return gap.join([*padded, row[last]])


def _length(text: str) -> int:
    """Columns that a text takes, without its colours."""
    return len(_ESCAPE.sub("", text))


def size_text(size: int) -> str:
    """Bytes in the unit that reads best (binary prefixes)."""
    if size < 1024:
        return f"{size} B"
    value = float(size)
    for unit in ("KiB", "MiB", "GiB"):
        value /= 1024
        if value < 1024 or unit == "GiB":
            return f"{value:.1f} {unit}"
    raise AssertionError("unreachable: GiB takes the rest")
