"""Tables of text."""

import pytest

from wasmpack.findings.report import table


def marked(text: str, colour: str) -> str:
    return f"<{colour}>{text}</>"


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
    assert list(table(rows, marked, **how)) == lines  # type: ignore[arg-type]
