"""Validation of modules and runtime configurations for each target."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from wasmpack.dry_run.sandbox import Sandbox
from wasmpack.dry_run.start_up import StartUp
from wasmpack.findings import Problem, Report, Severity, judge, judge_alone
from wasmpack.module_rules.check import ModuleFacts, Runner, examine, module_problems
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.runtime_config import abi_problems, config_problems, first_root_id, readable_config
from wasmpack.targets import Target, choose, ships


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """How to validate."""

    targets: Sequence[str] = ()
    """Names, or ``all``; none means the default targets."""
    start_up: StartUp = field(default_factory=StartUp)
    """The inputs of the module's start-up in the dry run."""
    strict: bool = False
    """Warnings reject too."""
    envoy: bool = False
    """Ask the Envoy of this machine too, with one request."""

    def judge(
        self,
        subject: str,
        kind: str,
        problems: Mapping[str, Iterable[Problem]],
        *,
        complete: bool = True,
    ) -> Report:
        """The report over each target's problems under these checks.

        :param complete: nothing was left out or unreadable
        """
        return judge(
            subject,
            kind,
            problems,
            strict_targets=bool(self.targets),
            strict=self.strict,
            complete=complete,
            ships=ships,
        )

    def depend_on_image_alone(self, root_ids: Sequence[str] = ()) -> bool:
        """Nothing but the image decides: the verdict may be kept under its digest.

        :param root_ids: those that are in the image anyway
        """
        given = replace(self.start_up, seconds=None)
        own = [StartUp(root_id=root_id) for root_id in ("", *root_ids[:1])]
        return given in own and not (self.targets or self.strict or self.envoy)

    def with_root_id(self, runtime_config: bytes | None) -> StartUp:
        """The start-up with the root id given, or else the runtime configuration's first."""
        if self.start_up.root_id or runtime_config is None:
            return self.start_up
        return replace(self.start_up, root_id=first_root_id(runtime_config))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageScope:
    """How far the images that resources point at are looked at."""

    read: bool = True
    """Read them, and start their modules."""
    remote: bool = False
    """Ask registries only, whatever the local store holds."""


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
