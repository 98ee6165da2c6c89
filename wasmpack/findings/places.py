"""Places of findings in files, for tools that show them there.

>>> place_in_file("a b.yaml:3 spec.url")
FilePlace(file='a b.yaml', line=3)
>>> place_in_file("import env.proxy_foo") is None
True
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote

from wasmpack.findings.report import Finding, Report

_PLACE = re.compile(r"(?P<file>.*?):(?P<line>[0-9]{1,9})(?=[ :]|$)", re.DOTALL)
_OF_FILES = {"module", "config", "wasmplugin"}
"""Kinds of subjects that are files; others are images."""


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A line of a file."""

    file: str
    line: int = 0
    """From 1; 0 if it is not known."""

    @property
    def uri(self) -> str:
        """A relative reference, or a ``file:`` URI (RFC 3986, RFC 8089)."""
        path = quote(self.file.encode(errors="surrogateescape"))
        return f"file://{path}" if PurePosixPath(self.file).is_absolute() else path


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A subject without a report: it could not be read."""

    subject: str
    message: str
    hint: str


Outcome = Report | Unread


def place_in_file(where: str) -> FilePlace | None:
    """Read ``file:line field``, as documents name their places; None for any other place."""
    found = _PLACE.match(where)
    return found and FilePlace(found["file"], int(found["line"]))


def place_of(finding: Finding, report: Report) -> FilePlace | None:
    """The file that a finding is about, and the line if it is text; None for an image."""
    if report.kind not in _OF_FILES:
        return None
    found = place_in_file(finding.where) if report.kind == "wasmplugin" else None
    return found or FilePlace(report.subject)
