"""``wasmpack explain``: every rule is found, and its text fits a terminal."""

from collections import Counter

import pytest

from wasmpack.actions.explain import all_rules, explain, rule_named
from wasmpack.errors import WrongUsage
from wasmpack.findings import Rule, Severity


def test_no_two_rules_have_one_code() -> None:
    assert [code for code, n in Counter(rule.code for rule in all_rules()).items() if n > 1] == []


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_a_rule_says_what_it_is_and_what_to_do(rule: Rule) -> None:
    texts = (rule.title, rule.cause, rule.consumer, rule.fix)
    assert rule.title
    assert rule.fix
    for text in texts:
        assert text == text.strip()
        assert "  " not in text
        assert not text.endswith(".") or text.endswith("function.")
        assert "|" not in text, "it is a cell of a table too"
        assert text.count("`") % 2 == 0


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_an_explanation_has_everything_in_80_columns(rule: Rule) -> None:
    text = explain(rule.code)
    assert text.startswith(f"{rule.severity.value}")
    for line in text.splitlines():
        assert len(line) <= 80 or " " not in line.strip(), line
    for line in rule.example.splitlines():
        assert line in text, "it is to be copied as it stands"
    flat = " ".join(text.split())
    for part in (rule.code, rule.title, rule.otherwise, rule.cause, rule.consumer, rule.fix):
        assert part.replace("**", "") in flat
    assert "**" not in text


def test_codes_are_found_in_any_case() -> None:
    assert explain("mem002") == explain("MEM002")
    assert rule_named("MEM002").severity is Severity.ERROR


@pytest.mark.parametrize(
    ("code", "hint"),
    [("MEM02", "did you mean MEM002?"), ("IMG01", "did you mean IMG001?"),
     ("", "docs/findings.md"), ("\x1b[31m" * 10_000, "docs/findings.md")],
    ids=["short", "close", "empty", "hostile"],
)  # fmt: skip
def test_a_code_that_is_not_known(code: str, hint: str) -> None:
    with pytest.raises(WrongUsage) as caught:
        explain(code)
    assert hint in caught.value.hint
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 200


def test_there_is_no_rule_without_a_code() -> None:
    with pytest.raises(KeyError):
        rule_named("XYZ001")
