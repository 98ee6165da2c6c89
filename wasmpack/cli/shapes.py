"""Reports in the formats of other tools: what ``validate --format`` offers beyond text and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from wasmpack.cli.console import Console, Shown, format_choice
from wasmpack.cli.results import Several
from wasmpack.findings import Report
from wasmpack.oci.canonical import indented_json

if TYPE_CHECKING:
    from wasmpack.findings.places import Outcome


class _ReportConsole(Console):
    """A console where results are reports in some format."""

    __slots__ = ()

    def remark(self, text: str) -> None:
        """Leave it out."""

    def _lines(self, value: Shown, _lines: Iterable[str]) -> Iterable[str]:
        return self.formatted(_outcomes(value))

    def formatted(self, outcomes: list[Outcome]) -> Iterable[str]:
        """The reports in this format."""
        raise NotImplementedError


class JUnitConsole(_ReportConsole):
    """A console where results are JUnit XML."""

    __slots__ = ()

    def formatted(self, outcomes: list[Outcome]) -> Iterable[str]:
        from wasmpack.findings.junit import junit_lines

        return junit_lines(outcomes)


class SarifConsole(_ReportConsole):
    """A console where results are SARIF."""

    __slots__ = ()

    def formatted(self, outcomes: list[Outcome]) -> Iterator[str]:
        from wasmpack.findings.sarif import sarif_log

        yield indented_json(sarif_log(outcomes))


class GitHubConsole(_ReportConsole):
    """A console where results are annotations, and no other line can be a command."""

    __slots__ = ()

    def status(self, text: str) -> None:
        """Report progress without giving the runner a command."""
        from wasmpack.findings.github import harmless

        Console.status(self, harmless(text))

    def formatted(self, outcomes: list[Outcome]) -> Iterable[str]:
        from wasmpack.findings.github import github_lines

        return github_lines(outcomes)


def _outcomes(value: Shown) -> list[Outcome]:
    """The reports in a result, and the reasons why there is none."""
    from wasmpack.actions.several import Failure
    from wasmpack.findings.places import Unread

    found: list[Outcome] = []
    for one in value.values() if isinstance(value, Several) else [value]:
        if isinstance(one, Report):
            found.append(one)
        elif isinstance(one, Failure):
            error = one.error
            found.append(Unread(subject=one.subject, message=error.message, hint=error.hint))
    return found


_KINDS = {"junit": JUnitConsole, "sarif": SarifConsole, "github": GitHubConsole}
report_format_option = format_choice(
    "text", {name: partial(Console.turned_into, kind=kind) for name, kind in _KINDS.items()}
)
"""``--format`` of a command whose results are reports."""
