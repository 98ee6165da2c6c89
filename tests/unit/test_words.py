"""The English of the package and its documents: phrases that a native speaker would not write.

Each phrase is listed once, with what to write instead. ``LEFT`` counts those that are still in a
room of the package: lower a number when you fix some, never raise one.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PACKAGE = CHECKOUT / "wasmpack"

INSTEAD = {
    r"(?<!there\s)(?:is|are|was|were) no(?= \w)(?! (?:longer|more|less|better)\b)": "is not a",
    r"(?:that|which) (?:is|are) none": "not one, invalid",
    r"anew": "again",
    r"mend(?:s|ed|ing)?": "fix, repair",
    r"without a word": "silently",
    r"stands? (?:twice|there|here|in it)": "is duplicated, is",
    r"all the same": "anyway",
    r"at hand": "available",
    r"of (?:its|their) own": "its own, separate",
    r"(?:by|from|of) anybody": "any, untrusted",
    r"for want of": "without",
    r"beside": "next to",
}
"""Regular expressions over whole words; one space is any white space, and a comment's new line."""
OPENINGS = {
    r"(?:What|Whether|Where|Who|Whose)": "a noun phrase or an imperative: Findings of, Return",
    r"Of (?:an?|the|all|each|several|some|one)": "the subject first",
}
"""How a docstring does not begin."""

LEFT: dict[str, int] = {}
"""Phrases left in rooms that were not swept yet; elsewhere there are none."""


def compiled(phrase: str, start: str) -> re.Pattern[str]:
    return re.compile(start + phrase.replace(" ", r"[\s#]+") + r"\b", re.IGNORECASE)


PHRASES = {compiled(phrase, r"\b"): better for phrase, better in INSTEAD.items()}
BEGINNINGS = {compiled(phrase, r"\A\s*"): better for phrase, better in OPENINGS.items()}


def phrases(text: str) -> Iterator[tuple[int, str]]:
    """The line of each phrase, and what is wrong with it."""
    for pattern, better in PHRASES.items():
        for found in pattern.finditer(text):
            yield text.count("\n", 0, found.start()) + 1, f"{found[0]!r}; rather: {better}"


def openings(text: str) -> Iterator[tuple[int, str]]:
    """The same for docstrings of Python source, those of fields included."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            for pattern, better in BEGINNINGS.items():
                if found := pattern.match(str(node.value.value)):
                    yield node.lineno, f"docstring begins with {found[0]!r}; rather: {better}"


def hits(path: Path) -> list[str]:
    text = path.read_text()
    found = [*phrases(text), *(openings(text) if path.suffix == ".py" else ())]
    return [f"{path.relative_to(CHECKOUT)}:{line}: {what}" for line, what in sorted(found)]


def rooms() -> dict[str, list[Path]]:
    """Files to read by room; data and schemas as well, since users see their texts."""
    found: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in {".py", ".json", ".yaml"}:
            found.setdefault(path.relative_to(PACKAGE).parts[0].removesuffix(".py"), []).append(
                path
            )
    return found


ROOMS = rooms()
GENERATED = {"api.md", "cli.md", "findings.md", "targets.md"}
"""Their texts are those of the package."""
DOCUMENTS = [
    *sorted(CHECKOUT.glob("*.md")),
    *sorted(p for p in (CHECKOUT / "docs").rglob("*.md") if p.name not in GENERATED),
    *sorted(p for p in (CHECKOUT / "templates").rglob("*") if p.is_file()),
    CHECKOUT / "tests" / "golden" / "README.md",
]


@pytest.mark.parametrize("room", ROOMS)
def test_phrases_in_the_package(room: str) -> None:
    found = [hit for path in ROOMS[room] for hit in hits(path)]
    assert len(found) <= LEFT.get(room, 0), "\n".join(found)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_phrases_in_the_documents(path: Path) -> None:
    assert hits(path) == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("'x' is no digest", 1),
        ("this is\n    # no digest", 1),
        ("there is no digest", 0),
        ("it is no longer there", 0),
        ("an address that is none", 1),
        ("write it anew", 1),
        ("mend the JSON; recommended, amend", 1),
        ("a process of its\n    own", 1),
        ("besides", 0),
        ("images by anybody", 1),
    ],
)
def test_phrases_are_seen(text: str, count: int) -> None:
    assert len(list(phrases(text))) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('"""What is here."""', 1),
        ('def f():\n    """Whether it is."""', 1),
        ('class C:\n    x: int\n    """Of an index the child."""', 1),
        ('"""Findings of a module: what it lacks, where, and whether that matters."""', 0),
        ('x = "What now?"', 0),
    ],
)
def test_openings_are_seen(text: str, count: int) -> None:
    assert len(list(openings(text))) == count
