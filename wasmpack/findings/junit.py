"""JUnit XML, for continuous integration.

There is no standard; this is the part that Jenkins, GitLab and GitHub's readers have in common.
Characters that XML cannot hold (XML 1.0 2.2) are escaped as on a terminal.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as Xml

from wasmpack.findings.places import Outcome, Unread
from wasmpack.findings.report import Finding, Report, Verdict
from wasmpack.redaction import plain_text

_ALONE = "validation"
"""The test case of a subject without targets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A test case, in the suite of that name; lines of text, not yet escaped."""

    suite: str
    name: str
    fault: str = ""
    """``failure`` or ``error``; empty if it passed."""
    kind: str = ""
    message: str = ""
    lines: Sequence[str] = ()
    """Those that describe the fault."""
    output: Sequence[str] = ()
    seconds: float | None = None


def junit_document(cases: Iterable[Case]) -> Iterator[str]:
    """The lines of a document, with suites in the order of their first cases."""
    root = Xml.Element("testsuites", name="wasmpack")
    suites: dict[str, list[Case]] = {}
    for case in cases:
        suites.setdefault(case.suite, []).append(case)
    for name, rows in suites.items():
        suite = Xml.SubElement(root, "testsuite", {"name": plain_text(name), **_counted(rows)})
        for row in rows:
            _add(suite, row)
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    Xml.indent(root)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield Xml.tostring(root, encoding="unicode")


def _counted(rows: Sequence[Case]) -> dict[str, str]:
    faults = [row.fault for row in rows]
    found = {
        "tests": str(len(rows)),
        "failures": str(faults.count("failure")),
        "errors": str(faults.count("error")),
    }
    times = [row.seconds for row in rows if row.seconds is not None]
    return found | ({"time": f"{sum(times):.3f}"} if times else {})


def _add(suite: Xml.Element, row: Case) -> None:
    time = {} if row.seconds is None else {"time": f"{row.seconds:.3f}"}
    named = {"name": plain_text(row.name), "classname": plain_text(row.suite)}
    case = Xml.SubElement(suite, "testcase", named | time)
    if row.fault:
        kind = {"type": row.kind} if row.kind else {}
        fault = Xml.SubElement(case, row.fault, {"message": plain_text(row.message)} | kind)
        fault.text = _text(row.lines)
    if row.output:
        Xml.SubElement(case, "system-out").text = _text(row.output)


def _text(lines: Sequence[str]) -> str:
    return "\n".join(map(plain_text, lines))


def junit_lines(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Reports as a document: a suite for each subject, a case for each target."""
    return junit_document(case for outcome in outcomes for case in _cases(outcome))


def _cases(outcome: Outcome) -> Iterator[Case]:
    if isinstance(outcome, Unread):
        yield Case(
            suite=outcome.subject,
            name=_ALONE,
            fault="error",
            kind="unread",
            message=outcome.message,
            lines=[outcome.hint] if outcome.hint else (),
        )
        return
    verdicts = [(row.target, row.verdict) for row in outcome.targets]
    for name, verdict in verdicts or [(_ALONE, outcome.verdict)]:
        yield _case(outcome, name, verdict)


def _case(report: Report, name: str, verdict: Verdict) -> Case:
    found = [f for f in report.findings if name in f.targets or not f.targets]
    shown = [line for finding in found for line in ("", *_of_finding(finding))][1:]
    if verdict is not Verdict.REJECT:
        return Case(suite=report.subject, name=name, output=shown)
    codes = ", ".join(dict.fromkeys(finding.code for finding in found))
    return Case(
        suite=report.subject,
        name=name,
        fault="failure",
        kind="reject",
        message=f"rejected: {codes}",
        lines=shown,
    )


def _of_finding(finding: Finding) -> Iterator[str]:
    yield f"{finding.severity.value} {finding.code} {finding.where}"
    yield finding.message
    if finding.hint:
        yield f"fix: {finding.hint}"
