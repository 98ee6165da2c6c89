"""Header fields of registries, each read in one pass, however they are made up.

>>> next_link('</v2/x/tags/list?last=b>; rel="next"')
'/v2/x/tags/list?last=b'
>>> warning_texts('299 - "this tag goes away"')
['this tag goes away']
>>> content_range("bytes 5-9/10")
(5, 10)
"""

import re
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

LONGEST_HEADER = 4096
"""Characters of a field for people or for a login that are looked at."""
_QUOTED = r'"((?:[^"\\]++|\\.)*+)"?'
"""A quoted-string (RFC 9110 5.6.4); one that is not closed ends with the field."""
_PARAMETER = re.compile(rf'([^\s=,;"]++)(?:\s*+=\s*+(?:{_QUOTED}|([^\s,;"]*+)))?', re.DOTALL)
_LINK = re.compile(rf'(?:<([^<>]*+)>?|([^\s<>,;"]++))((?:[^",]++|{_QUOTED})*+)', re.DOTALL)
"""Some registries leave out the angle brackets."""
_WARNING = re.compile(rf"\b299 \S++ {_QUOTED}", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/(?:([0-9]{1,18})|\*)")
_RANGE = re.compile(r"(?:bytes=)?0-([0-9]{1,18})")


def parameters(text: str) -> Iterator[tuple[str, str | None]]:
    """Words, with None, and the ``name="value"`` between them; names in lower case."""
    for found in _PARAMETER.finditer(text):
        name, quoted, plain = found.groups()
        yield name.lower(), plain if quoted is None else _ESCAPED.sub(r"\1", quoted)


def next_link(header: str) -> str:
    """The target of ``rel="next"`` in a ``Link`` (RFC 8288 3); empty if there is none."""
    for target, bare, more, _ in _LINK.findall(header):
        relations = next((value for name, value in parameters(more) if name == "rel"), None)
        if "next" in (relations or "").lower().split():
            return str(target or bare)
    return ""


def warning_texts(header: str) -> list[str]:
    """Texts of ``Warning`` with code 299 (distribution-spec, "Warnings")."""
    return [_ESCAPED.sub(r"\1", text) for text in _WARNING.findall(header)]


def content_range(header: str) -> tuple[int, int | None] | None:
    """First byte and size of the whole, if it is told (RFC 9110 14.4); None if it is unusable."""
    found = _CONTENT_RANGE.fullmatch(header.strip())
    return (int(found[1]), int(found[2]) if found[2] else None) if found else None


def received_bytes(header: str) -> int | None:
    """Bytes that a registry has of an upload (``Range: 0-LAST``); None if it does not say.

    ``0-0`` is what registries say of nothing as well as of one byte.
    """
    found = _RANGE.fullmatch(header.strip())
    return int(found[1]) + 1 if found and found[1] != "0" else None


def retry_after(header: str) -> float:
    """Seconds that a ``Retry-After`` asks for: a number or a date (RFC 9110 10.2.3)."""
    text = header[:LONGEST_HEADER].strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return 0.0
