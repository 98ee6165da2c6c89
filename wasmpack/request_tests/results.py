"""Outcomes of tests: as JSON, and as JUnit's XML."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from wasmpack.envoy import LogLine

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no form for (section 2.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An expectation that does not hold."""

    what: str
    """The part: ``response header x-wat``."""
    expected: str
    got: str

    def as_json(self) -> dict[str, object]:
        """The JSON form."""
        return {"what": self.what, "expected": self.expected, "got": self.got}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one test."""

    file: str
    name: str
    where: str = ""
    """File and line."""
    failures: tuple[Failure, ...] = ()
    """None: it passed."""
    log: tuple[LogLine, ...] = ()
    """Lines of its plugins."""
    seconds: float = field(default=0.0, compare=False)

    @property
    def passed(self) -> bool:
        """Every expectation holds."""
        return not self.failures

    def as_json(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "file": self.file,
            "name": self.name,
            "where": self.where,
            "outcome": "passed" if self.passed else "failed",
            "seconds": round(self.seconds, 3),
            "failures": [failure.as_json() for failure in self.failures],
            "log": [line.as_json() for line in self.log],
        }


def as_json(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """The contract's shape of all outcomes."""
    failed = sum(not one.passed for one in outcomes)
    return {
        "schemaVersion": 1,
        "passed": len(outcomes) - failed,
        "failed": failed,
        "tests": [one.as_json() for one in outcomes],
    }


def junit(outcomes: Iterable[Outcome]) -> str:
    """The XML that CI systems read: a suite for each file."""
    from xml.etree import ElementTree as Xml

    by_file: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_file.setdefault(outcome.file, []).append(outcome)
    root = Xml.Element("testsuites")
    for file, rows in by_file.items():
        suite = Xml.SubElement(root, "testsuite", _counted(file, rows))
        for row in rows:
            _add_case(Xml.SubElement(suite, "testcase", _named(row)), row)
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _counted(file: str, rows: Sequence[Outcome]) -> dict[str, str]:
    failed = sum(not row.passed for row in rows)
    seconds = sum(row.seconds for row in rows)
    return {
        "name": _xml(file),
        "tests": str(len(rows)),
        "failures": str(failed),
        "errors": "0",
        "skipped": "0",
        "time": f"{seconds:.3f}",
    }


def _named(row: Outcome) -> dict[str, str]:
    return {"classname": _xml(row.file), "name": _xml(row.name), "time": f"{row.seconds:.3f}"}


def _add_case(case: Any, row: Outcome) -> None:
    from xml.etree import ElementTree as Xml

    if not row.passed:
        first = row.failures[0]
        made = Xml.SubElement(case, "failure", {"message": _xml(f"{first.what}: {first.got}")})
        made.text = _xml(
            "\n".join(f"{f.what}: expected {f.expected}, got {f.got}" for f in row.failures)
        )
    if row.log:
        out = Xml.SubElement(case, "system-out")
        out.text = _xml("\n".join(f"{line.level} {line.context}: {line.text}" for line in row.log))


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
