"""The real Envoy's verdict next to ours: where they differ, both are shown."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from wasmpack.envoy import EnvoyVerdict, ask_envoy
from wasmpack.findings import Problem, Rule, Severity
from wasmpack.module_rules.check import ModuleFacts, module_problems
from wasmpack.module_rules.start_up import INPUT_REFUSED
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.targets import all_targets

_SHOWN = 4
"""Most targets to name."""
ENVOY_REFUSES = Rule(
    code="ENV001",
    title="with `--envoy`: the real Envoy refuses or crashes, and no rule of ours does",
    consumer="the Envoy named, with its own message",
    example="Envoy 1.40.0 refuses it although no rule of ours does",
    fix="trust Envoy, and report the gap",
)
ENVOY_ACCEPTS = Rule(
    code="ENV002",
    title="with `--envoy`: the real Envoy loads it, and a rule of ours does not accept it",
    severity=Severity.WARNING,
    consumer="the Envoy named",
    example="Envoy 1.40.0 loads it, but the rules above do not accept it",
    fix="see the rule: no request is sent, so crashes in the first one are not seen",
)
ENVOY_AGREES = Rule(
    code="ENV003",
    title="with `--envoy`: the real Envoy and the rules agree",
    severity=Severity.INFO,
    consumer="the Envoy named",
    example="Envoy 1.40.0 accepts it too",
    fix="none needed",
)


class Asked(NamedTuple):
    """A module to run in Envoy."""

    module: PluginModule
    facts: ModuleFacts
    seen_by: Sequence[str] = ()
    """The targets that load this module, if others load another one."""


def add_envoy_opinions(problems: dict[str, list[Problem]], modules: Sequence[Asked]) -> None:
    """Run the available Envoy on each module and add its verdicts to its release's problems.

    :param problems: target -> problems; the Envoy's release is added if it was not asked for
    :raises NotFound: Envoy is not installed
    """
    requested = frozenset(problems)
    for asked in modules:
        target, judged, said = _opinion(asked)
        if target not in requested:
            problems.setdefault(target, []).extend(judged)
        problems[target].append(said)


def _opinion(asked: Asked) -> tuple[str, list[Problem], Problem]:
    """The Envoy's release, the findings of our rules for it, and Envoy's verdict."""
    module, facts, seen_by = asked
    given = facts.start_up
    verdict = ask_envoy(module.data, given)
    target = "envoy-" + ".".join(verdict.version.split(".")[:2])
    known = {each.name: each for each in all_targets() if each.consumer == "envoy"}
    newest = max(known.values(), key=lambda each: each.host)
    judged = module_problems(facts, known.get(target, newest))
    ours = any(p.severity is Severity.ERROR for p in judged)
    foreseen = any(p.rule in INPUT_REFUSED for p in judged)
    said = _said(verdict, refused_by_us=ours, foreseen=foreseen, tried=given.dry_run)
    if seen_by:
        more = f" and {len(seen_by) - _SHOWN} more" if len(seen_by) > _SHOWN else ""
        whose = f"{', '.join(seen_by[:_SHOWN])}{more}"
        said = replace(said, message=f"the module that {whose} would load: {said.message}")
    return target, judged, said


def _said(verdict: EnvoyVerdict, *, refused_by_us: bool, foreseen: bool, tried: bool) -> Problem:
    """:param foreseen: a rule of ours warns of it, since the plugin may need other input."""
    who = f"Envoy {verdict.version}"
    words = "; ".join(verdict.words)[:600] or "no message"
    how = "crashes on it" if verdict.crashed else "refuses it"
    if verdict.accepts and refused_by_us:
        said = f"{who} loads it, but the rules above do not accept it"
        hint = "no request was sent, so crashes in the first one were not seen"
        return ENVOY_ACCEPTS.problem(who, said, hint)
    if verdict.accepts:
        return ENVOY_AGREES.problem(who, f"{who} accepts it too")
    if refused_by_us:
        return ENVOY_AGREES.problem(who, f"{who} {how} too: {words}")
    if foreseen:
        return ENVOY_AGREES.problem(who, f"{who}, given no more input, {how} too: {words}")
    hint = "trust Envoy; this is a gap in wasmpack's rules, please report it"
    if not tried:
        hint = "trust Envoy; without --no-dry-run wasmpack may find the reason too"
    return ENVOY_REFUSES.problem(who, f"{who} {how} although no rule of ours does: {words}", hint)
