"""Results of checks: findings by rules, and the verdict of each target over them.

>>> report = judge("plugin.wasm", "module", {"envoy-1.40": []}, strict_targets=False)
>>> report.verdict
<Verdict.ACCEPT: 'accept'>
"""

from wasmpack.findings.report import Finding, Report, TargetVerdict, Verdict
from wasmpack.findings.rules import Blank, Command, Hint, Problem, Rule, Severity, few, few_of_each
from wasmpack.findings.verdicts import judge, judge_alone

__all__ = [
    "Blank",
    "Command",
    "Finding",
    "Hint",
    "Problem",
    "Report",
    "Rule",
    "Severity",
    "TargetVerdict",
    "Verdict",
    "few",
    "few_of_each",
    "judge",
    "judge_alone",
]
