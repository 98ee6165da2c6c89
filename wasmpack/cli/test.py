"""``wasmpack test``."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wasmpack.cli.command import argument, command, grouped, option
from wasmpack.cli.console import Console, Facts, current_console
from wasmpack.cli.options import registry_options
from wasmpack.errors import WrongUsage
from wasmpack.stores.session import Session

if TYPE_CHECKING:
    from wasmpack.request_tests.results import Outcome

_FAILED, _NONE_CHOSEN = 1, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class TestOptions:
    """Which tests run, and how."""

    files: tuple[str, ...] = argument(metavar="FILE|DIR...", nargs=-1)
    keywords: tuple[str, ...] = option(
        "Run tests whose file or name contains this (repeatable).",
        "-k",
        "--keyword",
        metavar="WORD",
    )
    stop_at_first: bool = option("Stop after the first failure.", "-x", "--exitfirst")
    jobs: int | None = option(
        "Run so many files at a time. [default: one per core]",
        "-j",
        type=click.IntRange(1, 64),
        metavar="N",
    )
    remote: bool = option("Read images from registries only, not from the local store.")
    envoy_path: Path | None = option("Run this Envoy. [default: wasmpack[envoy], or the PATH]")
    shape: str = option(
        "Set the shape of the result.",
        "--format",
        type=click.Choice(["text", "json", "junit"]),
        default="text",
    )
    schema: bool = option("Print the JSON Schema of test files, for editors.")

    def run(self, session: Session) -> list[Outcome]:
        """Run them; a file that is wrong ends it before any test runs."""
        from wasmpack.actions import request_tests as action

        if not self.files:
            raise WrongUsage("no test file given", hint="wasmpack test DIR")
        options = action.TestOptions(
            keywords=self.keywords,
            stop_at_first=self.stop_at_first,
            jobs=1 if self.stop_at_first else self.jobs or os.cpu_count() or 1,
            remote=self.remote,
            envoy=self.envoy_path,
        )
        files = action.read_tests(self.files, options)
        return list(action.run_tests(files, options, session))


@command(examples=["wasmpack test tests/ -k header"])
@grouped("given", TestOptions)
@registry_options
def test(given: TestOptions, session: Session) -> int:
    """Run request tests of plugins in a real Envoy.

    FILE is a YAML file of tests, DIR is searched for *.wasmtest.yaml: the requests to send through
    a plugin, and what is expected of the request at the upstream, the response, the log and the
    metrics. A crash of Envoy fails the test. Exit code 1 if a test fails, 3 if a file is wrong.
    """
    console = current_console()
    if given.schema:
        from wasmpack.schemas import load_schema

        schema = dict(load_schema("request-test"))
        console.with_json().show(_Raw(value=schema), ())
        return 0
    outcomes = given.run(session)
    _SHAPES[given.shape](outcomes, console)
    if not outcomes:
        console.status("no test was chosen")
        return _NONE_CHOSEN
    return 0 if all(one.passed for one in outcomes) else _FAILED


class _Raw(Facts):
    """A value that is shown as it is."""

    def as_json(self) -> object:
        return self._facts["value"]


def _as_text(outcomes: list[Outcome], console: Console) -> None:
    from wasmpack.cli.outcome_text import outcome_lines

    for line in outcome_lines(outcomes, console.out_style):
        console.result(line)


def _as_json(outcomes: list[Outcome], console: Console) -> None:
    from wasmpack.request_tests.results import as_json

    console.with_json().show(_Raw(value=as_json(outcomes)), ())


def _as_junit(outcomes: list[Outcome], console: Console) -> None:
    from wasmpack.request_tests.results import junit

    console.result(junit(outcomes))


_SHAPES: dict[str, Callable[[list[Any], Console], None]] = {
    "text": _as_text,
    "json": _as_json,
    "junit": _as_junit,
}
