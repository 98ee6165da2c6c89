"""Reports as JUnit XML: a suite for each subject, a test case for each target.

There is no standard; this is the part that Jenkins, GitLab and GitHub's readers have in common.
Characters that XML cannot hold (XML 1.0 2.2) are escaped as on a terminal.
"""

from collections.abc import Iterable, Iterator
from xml.etree import ElementTree as Xml

from wasmpack.findings.places import Outcome, Unread
from wasmpack.findings.report import Finding, Report, Verdict
from wasmpack.redaction import plain_text

_ALONE = "validation"
"""The test case of a subject without targets."""


def junit_lines(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """The whole document."""
    root = Xml.Element("testsuites", name="wasmpack")
    for outcome in outcomes:
        root.append(_unread(outcome) if isinstance(outcome, Unread) else _suite(outcome))
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    Xml.indent(root)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield Xml.tostring(root, encoding="unicode")


def _suite(report: Report) -> Xml.Element:
    rows = [(row.target, row.verdict) for row in report.targets] or [(_ALONE, report.verdict)]
    failures = sum(verdict is Verdict.REJECT for _, verdict in rows)
    suite = _suite_of(report.subject, tests=len(rows), failures=failures, errors=0)
    for name, verdict in rows:
        case = Xml.SubElement(suite, "testcase", name=name, classname=plain_text(report.subject))
        found = [f for f in report.findings if name in f.targets or not f.targets]
        shown = "\n\n".join(map(_of_finding, found))
        if verdict is Verdict.REJECT:
            codes = ", ".join(dict.fromkeys(finding.code for finding in found))
            failure = Xml.SubElement(case, "failure", message=f"rejected: {codes}", type="reject")
            failure.text = shown
        elif shown:
            Xml.SubElement(case, "system-out").text = shown
    return suite


def _unread(outcome: Unread) -> Xml.Element:
    suite = _suite_of(outcome.subject, tests=1, failures=0, errors=1)
    case = Xml.SubElement(suite, "testcase", name=_ALONE, classname=plain_text(outcome.subject))
    error = Xml.SubElement(case, "error", message=plain_text(outcome.message), type="unread")
    error.text = plain_text(outcome.hint)
    return suite


def _suite_of(subject: str, **counts: int) -> Xml.Element:
    numbers = {name: str(count) for name, count in counts.items()}
    return Xml.Element("testsuite", {"name": plain_text(subject), **numbers})


def _of_finding(finding: Finding) -> str:
    head = f"{finding.severity.value} {finding.code} {finding.where}"
    hint = finding.hint and f"fix: {finding.hint}"
    return "\n".join(plain_text(part) for part in (head, finding.message, hint) if part)
