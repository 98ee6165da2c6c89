"""Reports as workflow commands, which GitHub shows as annotations of a pull request.

(docs.github.com, "Workflow commands for GitHub Actions")
"""

from collections.abc import Iterable, Iterator

from wasmpack.findings.places import FilePlace, Outcome, Unread, place_of
from wasmpack.findings.report import Finding, Report
from wasmpack.findings.rules import Severity
from wasmpack.redaction import plain_text

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_IN_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTIES = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def github_lines(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """One command for each finding, and a line of the log for each subject."""
    for outcome in outcomes:
        if isinstance(outcome, Unread):
            yield _command("error", {"title": outcome.subject}, outcome.message, outcome.hint)
            continue
        for finding in outcome.findings:
            yield _annotation(finding, outcome)
        yield harmless(f"wasmpack: {plain_text(outcome.subject)}: {outcome.verdict.value}")


def harmless(line: str) -> str:
    """A line of a log that is not a command, whatever names in it others chose."""
    return line.replace("##[", "## [").replace("::", ": :")


def _annotation(finding: Finding, report: Report) -> str:
    place = place_of(finding, report) or FilePlace("")
    properties = {
        "file": place.file,
        "line": str(place.line or ""),
        "title": f"{finding.code} {finding.where}",
    }
    only = "" if len(finding.targets) == len(report.targets) else ", ".join(finding.targets)
    hint = finding.hint and f"fix: {finding.hint}"
    parts = (finding.message, hint, only and f"only: {only}", finding.rule.url)
    return _command(_COMMANDS[finding.severity], properties, *parts)


def _command(name: str, properties: dict[str, str], *lines: str) -> str:
    known = {key: plain_text(text) for key, text in properties.items() if text}
    given = ",".join(f"{key}={text.translate(_IN_PROPERTIES)}" for key, text in known.items())
    data = "\n".join(plain_text(line) for line in lines if line)
    return f"::{name} {given}::{data.translate(_IN_DATA)}"
