"""Results of a command on one subject or on several: as text, or as one object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasmpack.cli.console import Console, Shown

if TYPE_CHECKING:
    from wasmpack.actions.several import Failure
    from wasmpack.text import Style

Lines = Callable[["Style"], Iterable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result on one subject."""

    value: Shown
    lines: Lines
    """The same for people."""
    code: int = 0
    """Exit code of a command that has this result alone."""

    def show(self, console: Console) -> int:
        """Print it alone; return its exit code."""
        console.show(self.value, self.lines(console.out_style))
        return self.code


def show_results(
    results: Iterator[Result | Failure],
    count: int,
    console: Console,
    *,
    judged: bool = False,
    apart: bool = True,
    summary: str = "",
) -> int:
    """Print each result, and a summary if there are several; return the worst exit code.

    :param count: how many there are
    :param judged: the results are verdicts
    :param apart: an empty line goes between them
    :param summary: past participle for a summary of those that succeeded, on stderr
    :raises WasmpackError: there is one subject, and this is its failure
    """
    if count > 1:
        several = Several(results, console, judged=judged, apart=apart)
        console.show(several, several.lines())
        if summary:
            console.status(several.tally(summary))
        return max(several.codes)
    alone = next(results)
    if not isinstance(alone, Result):
        raise alone.error
    return alone.show(console)


class Several:
    """The results, made as they are asked for."""

    def __init__(
        self, results: Iterator[Result | Failure], console: Console, *, judged: bool, apart: bool
    ) -> None:
        self._results = results
        self._console = console
        self._judged = judged
        self._between = [""] if apart else []
        self._accepted = self._failed = 0
        self.codes: list[int] = []
        """Exit codes of those that were shown."""

    def lines(self) -> Iterator[str]:
        """The results, and a summary of verdicts."""
        between: list[str] = []
        for result in self._each():
            if isinstance(result, Result):
                yield from between
                yield from result.lines(self._console.out_style)
                between = self._between
        if self._judged:
            yield from (*between, self._summary())

    def values(self) -> list[Shown]:
        """The value of each result, or the reason of its failure."""
        return [r.value if isinstance(r, Result) else r for r in self._each()]

    def as_json(self) -> object:
        """The contract's shape of several results."""
        values = self.values()
        verdict = {"verdict": "reject" if any(self.codes) else "accept"} if self._judged else {}
        return {"schemaVersion": 1, **verdict, "results": [value.as_json() for value in values]}

    def _each(self) -> Iterator[Result | Failure]:
        for result in self._results:
            if isinstance(result, Result):
                self.codes.append(result.code)
                self._accepted += not result.code
            else:
                self.codes.append(result.error.exit_code)
                self._failed += 1
                from wasmpack.cli.report import show_rejection

                show_rejection(result.error, self._console)
                self._console.error(result.error.message, result.error.hint)
            yield result

    def tally(self, done: str) -> str:
        """How many succeeded, and how many did not."""
        failed = f", {self._failed} failed" if self._failed else ""
        return f"{len(self.codes)} images: {self._accepted} {done}{failed}"

    def _summary(self) -> str:
        rejected = len(self.codes) - self._accepted - self._failed
        more = f", {self._failed} not validated" if self._failed else ""
        return f"{len(self.codes)} subjects: {self._accepted} accepted, {rejected} rejected{more}"
