"""Rules, the problems and hints made of them, and reports as JSON."""

import json

import pytest

from wasmpack.cli.root import COMMANDS
from wasmpack.fetchers.refusal import REPACK
from wasmpack.findings import Blank, Command, Hint, Report, Rule, Severity, judge, judge_alone

RULE = Rule(code="XYZ001", title="t", severity=Severity.WARNING, fix="f")
OTHER = Rule(code="XYZ001", title="t", severity=Severity.WARNING, fix="f")


def test_a_problem_has_its_rule_and_the_rule_s_severity() -> None:
    problem = RULE.problem("here", "this is bad")
    assert (problem.rule, problem.code, problem.severity) == (RULE, "XYZ001", Severity.WARNING)
    assert not problem.hint


def test_a_rule_can_be_softened_at_one_place() -> None:
    assert RULE.problem("here", "m", severity=Severity.INFO).severity is Severity.INFO


def test_rules_are_compared_by_identity() -> None:
    assert RULE != OTHER
    assert RULE.problem("here", "m") != OTHER.problem("here", "m")
    assert RULE.problem("here", "m", "h") == RULE.problem("here", "m", Hint("h"))


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (Hint("build it again"), "build it again"),
        (Hint(command=REPACK), "wasmpack repack x:v1 DESTINATION"),
        (Hint("first: ", REPACK), "first: wasmpack repack x:v1 DESTINATION"),
        (Hint(command=REPACK, after=" helps"), "wasmpack repack x:v1 DESTINATION helps"),
        (Hint(command=Command("validate image")), "wasmpack validate image"),
        (Hint("the word IMAGE is text here"), "the word IMAGE is text here"),
    ],
    ids=["text", "command", "before", "after", "no arguments", "no command"],
)
def test_the_image_is_filled_into_the_command_alone(hint: Hint, text: str) -> None:
    assert str(hint.about("x:v1")) == text


def test_an_image_called_like_a_blank_is_filled_in_once() -> None:
    command = Command("copy", (Blank.IMAGE, Blank.DESTINATION)).about("DESTINATION")
    assert str(command.about("x")) == "wasmpack copy DESTINATION DESTINATION"


def test_commands_in_hints_exist() -> None:
    assert REPACK.name in COMMANDS


def test_a_report_survives_json_with_its_rules() -> None:
    hint = Hint(command=REPACK)
    report = judge("s", "image", {"a": [RULE.problem("w", "m", hint)]}, strict_targets=True)
    again = Report.from_json(json.loads(json.dumps(report.as_json())), {"XYZ001": RULE}.__getitem__)
    assert again == report
    assert again.findings[0].rule is RULE
    assert again.findings[0].hint == "wasmpack repack IMAGE DESTINATION"


def test_a_report_with_a_code_that_is_not_known_is_not_read() -> None:
    report = judge_alone("s", "config", [RULE.problem("w", "m")])
    with pytest.raises(KeyError):
        Report.from_json(report.as_json(), {"XYZ002": RULE}.__getitem__)


def test_no_text_of_a_problem_is_longer_than_a_message() -> None:
    long = "x" * 5000
    for hint in (long, Hint(before=long), Hint(command=REPACK, after=long)):
        problem = RULE.problem(long, long, hint)
        assert max(map(len, (problem.where, problem.message))) <= 4001
        assert len(str(problem.hint)) < 4100


@pytest.mark.slow
@pytest.mark.parametrize("number", [1000, 1001, 3000])
def test_a_report_lists_the_most_severe_findings(number: int) -> None:
    problems = [RULE.problem(f"at {at}", "m") for at in range(number - 1)]
    problems.append(RULE.problem("last", "m", severity=Severity.ERROR))
    report = judge("s", "module", {"a": problems, "b": problems}, strict_targets=True)
    assert (report.verdict.value, report.findings[0].where) == ("reject", "last")
    rest = [finding.message for finding in report.findings[1000:]]
    more = f"{number - 1000} more findings, as severe as this or less"
    assert rest == ([more] if number > 1000 else [])
    assert report.findings[-1].severity is Severity.WARNING
