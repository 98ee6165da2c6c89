"""The word that somebody meant who wrote another one."""

from collections.abc import Iterable

_LONGEST = 80
"""Characters of a word that are compared."""
ALIKE = 0.6
"""Least likeness of two words, from 0 to 1: ``difflib``'s ratio, and its default."""


def nearest(word: str, known: Iterable[str], least: float = ALIKE) -> str:
    """Return the known word that is most like another, in any case; empty if none is.

    >>> nearest("Fail_Strategy", ["failStrategy", "phase"]), nearest("x", ["phase"])
    ('failStrategy', '')
    """
    import difflib

    words = {one.lower(): one for one in known}
    near = difflib.get_close_matches(word[:_LONGEST].lower(), words, 1, least)
    return words[near[0]] if near else ""


def did_you_mean(word: str, known: Iterable[str], otherwise: str, least: float = ALIKE) -> str:
    """Return a hint that asks for the nearest word, or another one without it."""
    near = nearest(word, known, least)
    return f"did you mean {near}?" if near else otherwise
