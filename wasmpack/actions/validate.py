"""Validation of modules and runtime configurations for each target."""

from collections.abc import Callable, Sequence

from wasmpack.actions.checks import Checks
from wasmpack.dry_run.sandbox import Sandbox
from wasmpack.findings import Problem, Report, Severity, judge_alone
from wasmpack.module_rules.check import ModuleFacts, Runner, examine, module_problems
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.runtime_config import abi_problems, config_problems, readable_config
from wasmpack.targets import Target, choose


def validate_module(
    module: PluginModule,
    checks: Checks | None = None,
    runtime_config: bytes | None = None,
    *,
    runner: Callable[[], Runner] = Sandbox,
) -> Report:
    """Validate a module, with the runtime configuration it will be packed with.

    :param runner: where the module is started
    :raises WrongUsage: an unknown target
    :raises NotFound: ``checks.envoy``, and no Envoy found
    """
    checks = checks or Checks()
    facts = examine(module, checks.with_root_id(runtime_config), runner=runner)
    more = config_findings(runtime_config, facts)
    problems = _verdicts(module, facts, choose(checks.targets), more, envoy=checks.envoy)
    return checks.judge(module.name, "module", problems, complete=facts.start_up.dry_run)


def module_verdicts(
    module: PluginModule, checks: Checks, targets: Sequence[Target]
) -> dict[str, list[Problem]]:
    """The problems of a module by itself on each target."""
    facts = examine(module, checks.start_up)
    return _verdicts(module, facts, targets, [], envoy=checks.envoy)


def _verdicts(
    module: PluginModule,
    facts: ModuleFacts,
    targets: Sequence[Target],
    more: Sequence[Problem],
    *,
    envoy: bool,
) -> dict[str, list[Problem]]:
    problems = {target.name: [*module_problems(facts, target), *more] for target in targets}
    if envoy:
        from wasmpack.actions.envoy_opinion import Asked, add_envoy_opinions

        add_envoy_opinions(problems, [Asked(module, facts)])
    return problems


def validate_config(raw: bytes, subject: str, *, strict: bool = False) -> Report:
    """Validate a ``runtime-config.json``; no mesh reads the file, so it has no targets.

    >>> report = wasmpack.validate_config(b'{"type": "envoy"}', "runtime-config.json")
    >>> report.findings[0].code
    'CFG003'
    """
    return judge_alone(subject, "config", config_problems(raw, subject), strict=strict)


def config_findings(raw: bytes | None, facts: ModuleFacts) -> list[Problem]:
    """Findings on a runtime configuration, by itself and against the module."""
    if raw is None:
        return []
    found = config_problems(raw)
    config = readable_config(raw)
    if config is None or any(problem.severity is Severity.ERROR for problem in found):
        return found
    return [*found, *abi_problems(config, facts.scan.abi)]
