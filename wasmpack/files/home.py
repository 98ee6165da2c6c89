"""The user's home directory, which containers with an arbitrary uid do not have."""

import os
from pathlib import Path

from wasmpack.errors import WrongUsage


def home_directory() -> Path | None:
    """``$HOME``, else what the system has for the user; None without either."""
    try:
        return Path.home()
    except RuntimeError:  # no HOME, and no entry in the passwd database
        return None


def below_home(variable: str, *parts: str) -> Path | None:
    """The directory of an XDG variable, else this one below the home directory, if there is one."""
    named = os.environ.get(variable)
    if named:
        return Path(named)
    home = home_directory()
    return home.joinpath(*parts) if home else None


def expanded(text: str) -> Path:
    """A path as the user wrote it, with ``~`` as the shell has it.

    :raises WrongUsage: no such user
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise WrongUsage(f"{text}: {error}") from error
