"""The real Envoy's verdict beside ours: where they differ, both are shown."""

from wasmpack.envoy import EnvoyVerdict, ask_envoy
from wasmpack.findings import Problem, Severity
from wasmpack.module_rules.check import ModuleFacts, module_problems
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.targets import all_targets


def ask_for_final_word(
    problems: dict[str, list[Problem]], module: PluginModule, facts: ModuleFacts
) -> None:
    """Run the Envoy at hand and add what it says to its release's problems.

    :param problems: target -> problems; the Envoy's release is added if it was not asked for
    :raises NotFound: no Envoy on this machine
    """
    given = facts.start_up
    verdict = ask_envoy(
        module.data, configuration=given.plugin_config, root_id=given.root_id, seconds=given.seconds
    )
    target = "envoy-" + ".".join(verdict.version.split(".")[:2])
    if target not in problems:
        hosts = {known.name: known.host for known in all_targets()}
        newest = max(host for name, host in hosts.items() if name.startswith("envoy-"))
        problems[target] = module_problems(facts, hosts.get(target, newest))
    ours = any(problem.severity is Severity.ERROR for problem in problems[target])
    problems[target].append(_said(verdict, refused_by_us=ours, tried=facts.start_up.dry_run))


def _said(verdict: EnvoyVerdict, *, refused_by_us: bool, tried: bool) -> Problem:
    who = f"Envoy {verdict.version}"
    words = "; ".join(verdict.words)[:600] or "no words of its own"
    if verdict.accepts and refused_by_us:
        code, severity = "ENV002", Severity.WARNING
        message = f"{who} accepts it in validate mode, and the rules above do not"
    elif verdict.accepts:
        code, severity, message = "ENV003", Severity.INFO, f"{who} accepts it too"
    else:
        how = "crashes on it" if verdict.crashed else "refuses it"
        code = "ENV003" if refused_by_us else "ENV001"
        severity = Severity.INFO if refused_by_us else Severity.ERROR
        agree = "too" if refused_by_us else "although no rule of ours does"
        message = f"{who} {how} {agree}: {words}"
    return Problem(
        code=code,
        severity=severity,
        where=who,
        message=message,
        hint=_HINTS[code]
        if tried or code != "ENV001"
        else "believe Envoy; without --no-dry-run wasmpack may find the reason too",
    )


_HINTS = {
    "ENV001": "believe Envoy; this is a gap in wasmpack's rules, please report it",
    "ENV002": "validate mode sends no request: what crashes with the first one, it does not see",
    "ENV003": "",
}
