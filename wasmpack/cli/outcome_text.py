"""Outcomes of tests, as pytest prints them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from wasmpack.cli.run_text import log_lines
from wasmpack.redaction import plain_text

if TYPE_CHECKING:
    from wasmpack.request_tests.results import Outcome
    from wasmpack.text import Style

_WIDTH = 80


def outcome_lines(outcomes: Sequence[Outcome], style: Style) -> Iterator[str]:
    """A line for each file, the failures, and a summary."""
    for file, rows in groupby(outcomes, key=lambda one: one.file):
        marks = "".join(style(".", "green") if row.passed else style("F", "red") for row in rows)
        yield f"{plain_text(file)} {marks}"
    failed = [one for one in outcomes if not one.passed]
    if failed:
        yield ""
        yield " FAILURES ".center(_WIDTH, "=")
    for one in failed:
        yield from _failure(one, style)
    if failed:
        yield " short test summary ".center(_WIDTH, "=")
    for one in failed:
        yield style(f"FAILED {plain_text(f'{one.file}::{one.name}')}", "red")
    passed = len(outcomes) - len(failed)
    parts = [f"{len(failed)} failed"] if failed else []
    parts += [f"{passed} passed"] if passed else []
    yield style(f" {', '.join(parts) or 'no tests ran'} ".center(_WIDTH, "="), "bold")


def _failure(one: Outcome, style: Style) -> Iterator[str]:
    """Expected and got under one another, and the log."""
    yield style(f" {plain_text(one.name)} ".center(_WIDTH, "_"), "bold")
    yield plain_text(one.where)
    for failure in one.failures:
        yield style(f"E  {plain_text(failure.what)}", "red")
        for label, text in (("expected", failure.expected), ("got", failure.got)):
            first, *more = text.rstrip("\n").split("\n")
            yield style(f"E    {label:<9} {plain_text(first)}", "red")
            yield from (style(f"E    {'':<9} {plain_text(line)}", "red") for line in more)
    if one.log:
        yield " log ".center(_WIDTH, "-")
        yield from log_lines(one.log, style)
