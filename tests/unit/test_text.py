"""Tables and paragraphs of text."""

import os
import re
import shutil
import sys

import pytest

from wasmpack.text import WIDTH, Style, columns, table, wrapped

COLOURS = {"1": "bold", "36": "cyan"}


def marked(text: str) -> str:
    """Colours as a reader sees them."""
    return re.sub("\x1b\\[([0-9]+)m", lambda m: f"<{COLOURS.get(m[1], '/')}>", text)


@pytest.mark.parametrize(
    ("rows", "how", "lines"),
    [
        pytest.param([], {}, [], id="nothing"),
        pytest.param([("a", "b"), ("ccc", "d")], {}, ["a    b", "ccc  d"], id="aligned"),
        pytest.param([("a", "")], {}, ["a"], id="no spaces at the end"),
        pytest.param([("long", "b"), ("c", "d")], {"widest": 1}, ["long  b", "c  d"], id="widest"),
        pytest.param(
            [("a", "b")], {"head": ("ONE", "TWO")}, ["<bold>ONE  TWO</>", "a    b"], id="head"
        ),
        pytest.param(
            [("a", "b")], {"colours": ["cyan"], "indent": " "}, [" <cyan>a</>  b"], id="colours"
        ),
        pytest.param([("a", "b")], {"gap": " | "}, ["a | b"], id="gap"),
    ],
)
def test_tables(rows: list[tuple[str, ...]], how: dict[str, object], lines: list[str]) -> None:
    found = table(rows, Style(coloured=True), **how)  # type: ignore[arg-type]
    assert [marked(line) for line in found] == lines


ROWS = [("short", "accept", "(Istio)"), ("quay.io/some/one/with/a/long:name", "reject", "x")]


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (80, [f"{'short':<33}  accept  (Istio)", f"{ROWS[1][0]}  reject  x"]),
        (44, [f"{'short':<33}  accept", "    (Istio)", f"{ROWS[1][0]}  reject  x"]),
        (20, [f"{'short':<32}", "    accept  (Istio)", ROWS[1][0], "    reject  x"]),
    ],
)
@pytest.mark.parametrize("coloured", [False, True])
def test_a_row_that_is_too_wide_goes_on_below(width: int, lines: list[str], coloured: bool) -> None:
    style = Style(coloured=coloured, width=width, narrow=True)
    found = table(ROWS, style, colours=["bold", "cyan"])
    plain = [re.sub("\x1b\\[[0-9]+m", "", line) for line in found]
    assert [line.rstrip() for line in plain] == [line.rstrip() for line in lines]


def test_a_paragraph_is_as_wide_as_the_terminal() -> None:
    text = "word " * 50
    for width in (60, 80, 120):
        lines = wrapped(text, Style(width=width), "fix: ")
        assert width - 5 <= max(map(len, lines)) <= width
        assert all(line.startswith("       word") for line in lines[1:])


@pytest.mark.parametrize("variable", ["132", "0", "-1", "wide", "", None])
@pytest.mark.parametrize("terminal", [100, 0, None])
def test_the_width_is_what_the_standard_library_finds(
    variable: str | None, terminal: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if variable is not None:
        monkeypatch.setenv("COLUMNS", variable)

    def size(_descriptor: int) -> os.terminal_size:
        if terminal is None:
            raise OSError
        return os.terminal_size((terminal, 24))

    monkeypatch.setattr(os, "get_terminal_size", size)
    monkeypatch.setattr(sys, "__stdout__", sys.stderr)
    assert columns() == shutil.get_terminal_size((WIDTH, 0)).columns


def test_a_process_without_standard_output_has_a_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "__stdout__", None)
    assert columns() == WIDTH
