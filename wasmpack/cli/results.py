"""Results on several subjects of one command: shown as they come, or as one object in JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasmpack.cli.console import Console, Shown

if TYPE_CHECKING:
    from wasmpack.actions.subjects import Failure
    from wasmpack.findings.report import Style

REJECTED = 3
"""Exit code of a command that found that something cannot work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result on one subject."""

    value: Shown
    lines: Callable[[Style], Iterable[str]]
    """The same for people."""
    code: int = 0
    """Exit code of a command that has this result alone."""


def show_results(
    results: Iterator[Result | Failure], count: int, console: Console, *, judged: bool = False
) -> int:
    """Print each result, and a summary if there are several; return the worst exit code.

    :param count: how many there are
    :param judged: they are verdicts
    :raises WasmpackError: there is one subject, and this is its failure
    """
    if count > 1:
        several = _Several(results, console, judged=judged)
        console.show(several, several.lines())
        return max(several.codes)
    alone = next(results)
    if not isinstance(alone, Result):
        raise alone.error
    console.show(alone.value, alone.lines(console.out_style))
    return alone.code


class _Several:
    """The results, made as they are asked for."""

    def __init__(
        self, results: Iterator[Result | Failure], console: Console, *, judged: bool
    ) -> None:
        self._results = results
        self._console = console
        self._judged = judged
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
                between = [""]
        if self._judged:
            yield from (*between, self._summary())

    def as_json(self) -> object:
        """The contract's shape of several results."""
        values = [r.value if isinstance(r, Result) else r for r in self._each()]
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
                self._console.error(result.error.message, result.error.hint)
            yield result

    def _summary(self) -> str:
        rejected = len(self.codes) - self._accepted - self._failed
        more = f", {self._failed} not validated" if self._failed else ""
        return f"{len(self.codes)} subjects: {self._accepted} accepted, {rejected} rejected{more}"
