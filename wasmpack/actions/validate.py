"""Would this target load it? Modules and runtime configurations."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from wasmpack.dry_run.sandbox import IsolatedRunner
from wasmpack.errors import BadArtifact
from wasmpack.findings import Problem, Report, Severity, judge, judge_alone
from wasmpack.module_rules.check import ModuleFacts, Runner, StartUp, examine, module_problems
from wasmpack.runtime_config import abi_problems, config_problems, parse_runtime_config
from wasmpack.targets import Target, choose


def validate_module(
    data: bytes,
    subject: str,
    *,
    targets: Sequence[str] = (),
    start_up: StartUp | None = None,
    strict: bool = False,
    runtime_config: bytes | None = None,
    packed: Callable[[Target], Sequence[Problem]] | None = None,
    envoy: bool = False,
    runner: Callable[[], Runner] = IsolatedRunner,
) -> Report:
    """Judge a module's bytes, with the runtime configuration it will be packed with.

    :param targets: names, or ``all``; none means the default targets
    :param packed: what a target's fetcher says of the image that the module will be packed in
    :param envoy: ask the Envoy of this machine too
    :param runner: where the module is started
    :raises WrongUsage: an unknown target
    :raises NotFound: ``envoy``, and there is none
    """
    facts = examine(data, with_root_id(start_up, runtime_config), runner=runner)
    more = config_findings(runtime_config, facts)
    problems = {
        target.name: [
            *module_problems(facts, target.host, target.own_functions),
            *(packed(target) if packed else ()),
            *more,
        ]
        for target in choose(targets)
    }
    if envoy:
        from wasmpack.actions.final_word import ask_for_final_word

        ask_for_final_word(problems, data, facts)
    return judge(
        subject, "module", problems, strict_targets=bool(targets), strict=strict,
        complete=facts.start_up.dry_run,
    )  # fmt: skip


def validate_config(raw: bytes, subject: str, *, strict: bool = False) -> Report:
    """Judge a ``runtime-config.json``; no mesh reads the file, so there are no targets."""
    return judge_alone(subject, "config", config_problems(raw, subject), strict=strict)


def with_root_id(start_up: StartUp | None, runtime_config: bytes | None) -> StartUp:
    """The root id that was given, or the first that the runtime configuration names."""
    given = start_up or StartUp()
    if given.root_id or runtime_config is None:
        return given
    with contextlib.suppress(BadArtifact):
        return replace(given, root_id="".join(parse_runtime_config(runtime_config).root_ids[:1]))
    return given


def config_findings(raw: bytes | None, facts: ModuleFacts) -> list[Problem]:
    if raw is None:
        return []
    found = config_problems(raw)
    if any(problem.severity is Severity.ERROR for problem in found):
        return found
    return [*found, *abi_problems(parse_runtime_config(raw), facts.scan.abi)]
