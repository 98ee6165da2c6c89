"""The real Envoy's verdict next to ours: where they differ, both are shown.

It loads the module and serves the dry run's request; that one's outcome is compared as well.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from wasmpack.dry_run.result import Outcome, Served
from wasmpack.envoy import Ended, EnvoyVerdict, ask_envoy
from wasmpack.findings import Problem, Rule, Severity
from wasmpack.module_rules.check import ModuleFacts, module_problems
from wasmpack.module_rules.first_request import TICK
from wasmpack.module_rules.plugin_type import is_network
from wasmpack.module_rules.start_up import INPUT_REFUSED
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.targets import Target, all_targets

_SHOWN = 4
"""Most targets to name."""
_LONGEST = 600
"""Characters of Envoy's messages that are quoted."""
ENVOY_REFUSES = Rule(
    code="ENV001",
    title="with `--envoy`: the real Envoy refuses or crashes, and no rule of ours does",
    consumer="the Envoy named, with its own message",
    example="Envoy 1.40.0 refuses it although no rule of ours does",
    fix="trust Envoy, and report the gap",
)
ENVOY_ACCEPTS = Rule(
    code="ENV002",
    title="with `--envoy`: the real Envoy loads it and survives a plain request, and a rule of "
    "ours does not accept it",
    severity=Severity.WARNING,
    consumer="the Envoy named",
    example="Envoy 1.40.0 loads it, but the rules above do not accept it",
    fix="see the rule: one request does not show everything",
)
ENVOY_AGREES = Rule(
    code="ENV003",
    title="with `--envoy`: the real Envoy and the rules agree",
    severity=Severity.INFO,
    consumer="the Envoy named",
    example="Envoy 1.40.0 accepts it too",
    fix="none needed",
)
ENVOY_ENDS_OTHERWISE = Rule(
    code="ENV004",
    title="with `--envoy`: a plain request, or connection, does not end as in the dry run",
    severity=Severity.WARNING,
    cause="its status, a trap or a pause that never ends differs; the message names both outcomes",
    consumer="the Envoy named",
    example="Envoy 1.40.0 loads it too, but a plain request is answered with 503;\n"
    "in the dry run it is answered with 200",
    fix="trust Envoy, and report the gap; a plugin that depends on time or chance may differ too",
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
    if given.network is None and facts.module is not None:
        given = replace(given, network=is_network(facts.module))
    verdict = ask_envoy(module.data, given)
    target = "envoy-" + ".".join(verdict.version.split(".")[:2])
    known = {each.name: each for each in all_targets() if each.consumer == "envoy"}
    newest = max(known.values(), key=lambda each: each.host)
    nearest = known.get(target, newest)
    judged = module_problems(facts, nearest)
    ours = any(p.severity is Severity.ERROR for p in judged)
    foreseen = any(p.rule in INPUT_REFUSED for p in judged)
    tried = _tried(facts, nearest)
    if verdict.ended and tried and not _agree(tried, verdict.ended):
        said = _otherwise(f"Envoy {verdict.version}", tried, verdict.ended)
    else:
        compared = tried is not None
        said = _said(
            verdict, refused_by_us=ours, foreseen=foreseen, compared=compared, tried=given.dry_run
        )
    if seen_by:
        more = f" and {len(seen_by) - _SHOWN} more" if len(seen_by) > _SHOWN else ""
        whose = f"{', '.join(seen_by[:_SHOWN])}{more}"
        said = replace(said, message=f"the module that {whose} would load: {said.message}")
    return target, judged, said


def _said(
    verdict: EnvoyVerdict, *, refused_by_us: bool, foreseen: bool, tried: bool, compared: bool
) -> Problem:
    """Envoy's verdict, where the request does not end otherwise than in the dry run.

    :param foreseen: a rule of ours warns of it, since the plugin may need other input
    :param tried: the dry run was not turned off
    :param compared: it came to the end of the request
    """
    who = f"Envoy {verdict.version}"
    words = "; ".join(verdict.words)[:_LONGEST] or "no message"
    how = "crashes on it" if verdict.crashed else "refuses it"
    if verdict.at_request:
        how = "crashes with a first request" if verdict.crashed else "does not end a first request"
    served = f"; {_in_envoy(verdict.ended)}" if verdict.ended else ""
    if verdict.accepts and refused_by_us:
        said = f"{who} loads it, but the rules above do not accept it{served}"
        return ENVOY_ACCEPTS.problem(
            who, said, "see the rule: one request does not show everything"
        )
    if verdict.accepts:
        also = ", as in the dry run" if compared and served else ""
        return ENVOY_AGREES.problem(who, f"{who} accepts it too{served}{also}")
    if refused_by_us:
        return ENVOY_AGREES.problem(who, f"{who} {how} too: {words}")
    if foreseen:
        return ENVOY_AGREES.problem(who, f"{who}, given no more input, {how} too: {words}")
    hint = "trust Envoy; this is a gap in wasmpack's rules, please report it"
    if not tried:
        hint = "trust Envoy; without --no-dry-run wasmpack may find the reason too"
    return ENVOY_REFUSES.problem(who, f"{who} {how} although no rule of ours does: {words}", hint)


def _tried(facts: ModuleFacts, target: Target) -> Served | None:
    """The outcome of the dry run's request; None if it was not tried to its end."""
    run = facts.run_of(target)
    if run is None or run.failed:
        return None
    step = run.served.failed
    return run.served if step is None or step.outcome is Outcome.TRAP else None


def _agree(tried: Served, ended: Ended) -> bool:
    """True if both ended alike; a timer may be due in Envoy before the request, or much later."""
    ticked = tried.failed is not None and tried.failed.name == TICK
    if ticked and ended.failed:
        return True
    same = (tried.status, bool(tried.held)) == (ended.status, ended.held)
    return same and (ticked or bool(tried.failed) == bool(ended.failed))


def _otherwise(who: str, tried: Served, ended: Ended) -> Problem:
    failed = [f"{tried.failed.name} traps"] if tried.failed else []
    here = _outcome(tried.status, failed, held=bool(tried.held), network=tried.network)
    return ENVOY_ENDS_OTHERWISE.problem(
        who,
        f"{who} loads it too, but {_in_envoy(ended)}; in the dry run it {here}",
        "trust Envoy; this is a gap in wasmpack's dry run, please report it, unless the plugin "
        "depends on time or chance",
    )


def _in_envoy(ended: Ended) -> str:
    what = "a connection" if ended.network else "a plain GET request"
    how = _outcome(ended.status, ended.failed, held=ended.held, network=ended.network)
    return f"{what} {how}"


def _outcome(status: int | None, failed: Sequence[str], *, held: bool, network: bool) -> str:
    """The same words for both, since they are compared."""
    if held:
        how = "is held"
    elif network:
        how = "is closed early" if status is None else "gets its bytes back"
    else:
        how = "gets no complete response" if status is None else f"is answered with {status}"
    return f"{how} ({'; '.join(failed)[:_LONGEST]})" if failed else how
