"""What a check has to say: findings, and the verdict of each target over them.

>>> report = judge("plugin.wasm", "module", {"envoy-1.40": []}, strict_targets=False)
>>> report.verdict
<Verdict.ACCEPT: 'accept'>

Codes are stable and documented in ``docs/findings.md``. The JSON form of a report is a contract
(``docs/json.md``): keys are only ever added.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import Any, Self, TypeVar

T = TypeVar("T")
_ALIKE = 20
"""Findings of one kind that are listed."""
_COUNTED = 1000
"""Further ones that are counted."""
_LONGEST = 4000
"""Characters of a text in a finding."""


class Severity(StrEnum):
    """How bad: an error makes its target reject, a warning does so under ``--strict``."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Verdict(StrEnum):
    """Would this target load and run it?"""

    ACCEPT = "accept"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One observation, before it is known which targets make it.

    ``where`` names the place (``import env.proxy_foo``, ``section 7 at offset 0x2f``),
    ``message`` the reason, with the consumer's own words where known, ``hint`` what to do.
    """

    code: str
    severity: Severity
    where: str
    message: str
    hint: str = ""


def few(items: Iterable[T], make: Callable[[T], Problem]) -> Iterator[Problem]:
    """The problems of the first items, and one that says how many more there are.

    A module may have a million bad imports; the verdict is the same for one.

    :param make: problems of one code and severity, so that none that is left out could decide
    """
    left = iter(items)
    problem = None
    for item in islice(left, _ALIKE):
        problem = make(item)
        yield problem
    others = sum(1 for _ in islice(left, _COUNTED))
    if problem is not None and others:
        number = str(others) if others < _COUNTED else f"at least {_COUNTED}"
        message = f"{number} more findings like the {_ALIKE} that are listed"
        yield replace(problem, where="others", message=message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A problem together with the targets that make it, in the order they were asked."""

    code: str
    severity: Severity
    where: str
    message: str
    hint: str
    targets: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """The contract's shape of one finding."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "where": self.where,
            "message": self.message,
            "hint": self.hint,
            "targets": list(self.targets),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetVerdict:
    """What one target says of the subject as a whole."""

    target: str
    verdict: Verdict

    def as_json(self) -> dict[str, object]:
        """The contract's shape of one row of the matrix."""
        return {"target": self.target, "verdict": self.verdict.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All findings on one subject (a module, a configuration or an image)."""

    subject: str
    kind: str
    verdict: Verdict
    targets: tuple[TargetVerdict, ...]
    findings: tuple[Finding, ...]
    complete: bool = True
    """Nothing was left out and every byte was read and verified: the next time it says the same."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what :meth:`as_json` wrote.

        :raises KeyError, ValueError, TypeError: it is something else
        """
        return cls(
            subject=value["subject"],
            kind=value["kind"],
            verdict=Verdict(value["verdict"]),
            targets=tuple(
                TargetVerdict(target=row["target"], verdict=Verdict(row["verdict"]))
                for row in value["targets"]
            ),
            findings=tuple(
                Finding(
                    **{
                        **row,
                        "severity": Severity(row["severity"]),
                        "targets": tuple(row["targets"]),
                    }
                )
                for row in value["findings"]
            ),
        )

    def as_json(self) -> dict[str, object]:
        """The contract's shape of ``validate --format json``."""
        return {
            "schemaVersion": 1,
            "subject": self.subject,
            "kind": self.kind,
            "verdict": self.verdict.value,
            "targets": [row.as_json() for row in self.targets],
            "findings": [finding.as_json() for finding in self.findings],
        }


_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def judge(
    subject: str,
    kind: str,
    problems: Mapping[str, Iterable[Problem]],
    *,
    strict_targets: bool,
    strict: bool = False,
    complete: bool = True,
) -> Report:
    """Merge each target's problems into one report.

    :param problems: target name -> the problems that target sees, in order of importance
    :param strict_targets: the targets were named by the user: one that rejects is enough.
        Otherwise the verdict is ``reject`` only if all reject, and an error that only some of
        them make is shown as a warning naming them.
    :param strict: any warning rejects
    :param complete: nothing that it speaks of was left out, or could not be read
    """
    seen = {target: list(found) for target, found in problems.items()}
    rows = tuple(
        TargetVerdict(target=target, verdict=_target_verdict(found, strict))
        for target, found in seen.items()
    )
    rejecting = [row for row in rows if row.verdict is Verdict.REJECT]
    rejected = bool(rejecting) and (strict_targets or len(rejecting) == len(rows))
    findings = _merge(seen, soften=not strict_targets)
    if strict and any(finding.severity is Severity.WARNING for finding in findings):
        rejected = True
    return Report(
        subject=subject,
        kind=kind,
        verdict=Verdict.REJECT if rejected else Verdict.ACCEPT,
        targets=rows,
        findings=findings,
        complete=complete,
    )


def judge_alone(
    subject: str, kind: str, problems: Sequence[Problem], *, strict: bool = False
) -> Report:
    """The report of something that no target reads."""
    return Report(
        subject=subject,
        kind=kind,
        verdict=_target_verdict(problems, strict),
        targets=(),
        findings=_merge({"": problems}, soften=False, named=False),
    )


def _target_verdict(found: Sequence[Problem], strict: bool) -> Verdict:
    fatal = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    return Verdict.REJECT if any(p.severity in fatal for p in found) else Verdict.ACCEPT


def _merge(
    seen: Mapping[str, Sequence[Problem]], *, soften: bool, named: bool = True
) -> tuple[Finding, ...]:
    """One finding per distinct problem, with the targets that make it if they are ``named``.

    An error of some targets only is softened to a warning, unless all reject and no error is
    shared: then each is needed to say why.
    """
    makers: dict[Problem, list[str]] = {}
    for target, found in seen.items():
        for problem in dict.fromkeys(found):
            makers.setdefault(problem, []).append(target)
    merged = [
        Finding(
            code=problem.code,
            severity=problem.severity,
            where=_cut(problem.where),
            message=_cut(problem.message),
            hint=_cut(problem.hint),
            targets=tuple(targets) if named else (),
        )
        for problem, targets in makers.items()
    ]
    shared = any(f.severity is Severity.ERROR and len(f.targets) == len(seen) for f in merged)
    spared = any(_target_verdict(found, strict=False) is Verdict.ACCEPT for found in seen.values())
    if soften and (shared or spared):
        merged = [_softened(finding, len(seen)) for finding in merged]
    return tuple(sorted(merged, key=lambda finding: _RANK[finding.severity]))


def _cut(text: str) -> str:
    """A name out of a hostile file may be as long as the file."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _softened(finding: Finding, asked: int) -> Finding:
    if finding.severity is Severity.ERROR and len(finding.targets) < asked:
        return replace(finding, severity=Severity.WARNING)
    return finding
