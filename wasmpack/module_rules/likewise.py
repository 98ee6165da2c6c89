"""One finding for all imports or exports that have one cause: the author fixes it once."""

from collections.abc import Sequence

EXAMINED = 1000
"""Faults of one kind whose causes are looked for; a module may have a million."""
_NAMED = 10


def likewise(others: Sequence[str], *, at_least: bool = False) -> str:
    """The end of a message about a first fault: the others of its cause.

    :param at_least: there may be more of them

    >>> likewise(["env.a", "env.b"])
    '; likewise env.a, env.b'
    """
    if not others:
        return ""
    rest = len(others) - _NAMED
    more = f" and {'at least ' * at_least}{rest} more" if rest > 0 else ""
    return f"; likewise {', '.join(others[:_NAMED])}{more}"
