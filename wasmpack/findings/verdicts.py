"""Each target's problems, merged into one report."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from wasmpack.findings.report import Finding, Report, TargetVerdict, Verdict
from wasmpack.findings.rules import Problem, Severity
from wasmpack.redaction import bounded

MOST_FINDINGS = 1000
"""Findings of one report that are listed, the most severe first."""
_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def judge(
    subject: str,
    kind: str,
    problems: Mapping[str, Iterable[Problem]],
    *,
    strict_targets: bool,
    strict: bool = False,
    complete: bool = True,
    ships: Callable[[str], str] = lambda _: "",
) -> Report:
    """Merge each target's problems into one report.

    :param problems: target name -> the problems that it has, in order of importance
    :param strict_targets: the user named the targets, so that one rejection is enough. Otherwise
        the verdict is ``reject`` only if all reject, and an error of only some of them is shown
        as a warning that names them.
    :param strict: any warning rejects
    :param complete: nothing was left out or could not be read
    :param ships: the product whose code a target ships, if another's
    """
    seen = {target: list(found) for target, found in problems.items()}
    rows = tuple(
        TargetVerdict(target=target, verdict=_target_verdict(found, strict), ships=ships(target))
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
    """One finding per distinct problem, with the targets that have it if they are ``named``.

    An error of only some targets is softened to a warning, unless all reject and no error is
    shared: then each is needed to explain the verdict.
    """
    makers: dict[Problem, list[str]] = {}
    for target, found in seen.items():
        for problem in dict.fromkeys(found):
            makers.setdefault(problem, []).append(target)
    merged = [
        Finding(
            rule=problem.rule,
            severity=problem.severity,
            where=problem.where,
            message=problem.message,
            hint=bounded(str(problem.hint)),
            targets=tuple(targets) if named else (),
        )
        for problem, targets in makers.items()
    ]
    shared = any(f.severity is Severity.ERROR and len(f.targets) == len(seen) for f in merged)
    spared = any(_target_verdict(found, strict=False) is Verdict.ACCEPT for found in seen.values())
    if soften and (shared or spared):
        merged = [_softened(finding, len(seen)) for finding in merged]
    return _most_severe(sorted(merged, key=lambda finding: _RANK[finding.severity]))


def _most_severe(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """As many as a report lists, and the number of the rest."""
    listed = tuple(findings[:MOST_FINDINGS])
    if len(findings) == len(listed):
        return listed
    message = f"{len(findings) - len(listed)} more findings, as severe as this or less"
    return (*listed, replace(findings[MOST_FINDINGS], where="others", message=message, hint=""))


def _softened(finding: Finding, asked: int) -> Finding:
    if finding.severity is Severity.ERROR and len(finding.targets) < asked:
        return replace(finding, severity=Severity.WARNING)
    return finding
