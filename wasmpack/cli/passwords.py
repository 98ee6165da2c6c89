"""Passwords from standard input and the environment, as PowerShell and editors write them."""

import codecs
import os

from wasmpack.errors import WrongUsage

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def password_from_stdin() -> str:
    """All of standard input.

    :raises WrongUsage: empty, or not text
    """
    from wasmpack.files.inputs import MAX_CONFIGURATION, read_standard_input

    password = _decoded(read_standard_input(MAX_CONFIGURATION), "--password-stdin: standard input")
    if not password:
        raise WrongUsage("--password-stdin: standard input is empty")
    return password


def password_variable(side: str = "") -> str:
    """The variable for both ends of a copy, or for ``from`` or ``to`` alone."""
    return f"WASMPACK_{side.upper()}_PASSWORD" if side else "WASMPACK_PASSWORD"


def password_from_environment(side: str = "") -> str | None:
    """The variable of that side, else the common one; None if it is unset or empty.

    :raises WrongUsage: not text
    """
    for name in dict.fromkeys((password_variable(side), password_variable())):
        if found := _decoded(os.environb.get(name.encode(), b""), name):
            return found
    return None


def _decoded(raw: bytes, source: str) -> str:
    """UTF-8 or UTF-16 by its byte order mark, without one line end, as ``docker login`` has it."""
    try:
        text = raw.decode("utf-16" if raw.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError:
        raise WrongUsage(
            f"{source} is not UTF-8", hint="printf %s PASSWORD | wasmpack … --password-stdin"
        ) from None
    if "\0" in text:
        raise WrongUsage(f"{source} contains NUL characters", hint="expected UTF-8 text")
    return text.removesuffix("\n").removesuffix("\r")
