"""Reports as a SARIF log, for code scanning (OASIS SARIF 2.1.0; the sections are its own)."""

import hashlib
from collections.abc import Iterable

from wasmpack.findings.places import Outcome, Unread, place_of
from wasmpack.findings.report import Finding, Report
from wasmpack.findings.rules import Rule, Severity, unmarked
from wasmpack.redaction import plain_text
from wasmpack.version import SITE, VERSION

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def sarif_log(outcomes: Iterable[Outcome]) -> dict[str, object]:
    """The whole log, with one run (3.13)."""
    found = list(outcomes)
    reports = [outcome for outcome in found if isinstance(outcome, Report)]
    rules = list(dict.fromkeys(f.rule for report in reports for f in report.findings))
    driver = {
        "name": "wasmpack",
        "version": VERSION,
        "semanticVersion": VERSION,
        "informationUri": SITE,
        "rules": [_rule(rule) for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation([one for one in found if isinstance(one, Unread)])],
        "results": [
            _result(finding, report, rules) for report in reports for finding in report.findings
        ],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, object]:
    """A reportingDescriptor (3.49)."""
    lines = [rule.cause, rule.consumer and f"consumer: {rule.consumer}", f"fix: {rule.fix}"]
    text = "\n\n".join(filter(None, lines))
    return {
        "id": rule.code,
        "shortDescription": {"text": unmarked(rule.title)},
        "fullDescription": {"text": unmarked(rule.cause or rule.title)},
        "help": {"text": text, "markdown": text},
        "helpUri": rule.url,
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Finding, report: Report, rules: list[Rule]) -> dict[str, object]:
    """A result (3.27)."""
    hint = finding.hint and f"fix: {finding.hint}"
    place = place_of(finding, report)
    where = finding.where.replace(f":{place.line}", "", 1) if place else finding.where
    fixed = (report.subject, finding.code, where, finding.message)
    return {
        "ruleId": finding.code,
        "ruleIndex": rules.index(finding.rule),
        "level": _LEVELS[finding.severity],
        "message": {"text": _joined(finding.message, hint)},
        "locations": [_location(finding, report)],
        "partialFingerprints": {"place/v1": _fingerprint("\n".join(fixed))},
        "properties": {"subject": plain_text(report.subject), "targets": list(finding.targets)},
    }


def _location(finding: Finding, report: Report) -> dict[str, object]:
    """A location (3.28): of an image, only the logical one."""
    logical = [{"fullyQualifiedName": plain_text(finding.where)}]
    place = place_of(finding, report)
    if place is None:
        name = plain_text(f"{report.subject}: {finding.where}")
        return {"logicalLocations": [{"fullyQualifiedName": name}]}
    region = {"region": {"startLine": place.line}} if place.line else {}
    physical = {"artifactLocation": {"uri": place.uri}, **region}
    return {"physicalLocation": physical, "logicalLocations": logical}


def _invocation(unread: list[Unread]) -> dict[str, object]:
    """An invocation (3.20), with what could not be read."""
    notes = [
        {"level": "error", "message": {"text": _joined(one.message, one.hint)}} for one in unread
    ]
    return {"executionSuccessful": not unread, "toolExecutionNotifications": notes}


def _joined(*lines: str) -> str:
    return "\n".join(plain_text(line) for line in lines if line)


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:32]
