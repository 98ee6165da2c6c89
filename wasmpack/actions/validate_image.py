"""Validation of an image for each target: its fetcher replayed, then the module it finds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from wasmpack.actions.checks import Checks
from wasmpack.actions.image_rules import (
    cut_module,
    disagreement,
    name_problems,
    realm_problems,
    unreadable,
)
from wasmpack.actions.validate import config_findings
from wasmpack.dry_run.sandbox import Sandbox
from wasmpack.errors import BadArtifact, DigestMismatch
from wasmpack.fetchers.fetch import Fetched, fetch
from wasmpack.fetchers.refusal import REPACK
from wasmpack.findings import Hint, Problem, Report, Severity
from wasmpack.images.image import Contents, Image
from wasmpack.images.parts import UNREADABLE
from wasmpack.module_rules.check import ModuleFacts, Runner, examine, module_problems
from wasmpack.oci.manifest import Manifest
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.targets import Fetcher, ImageRules, Target, choose, default_targets


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The input of an image that was just built, which the report is about."""

    module: PluginModule
    runtime_config: bytes | None
    """The user's file, if any."""


def validate_image(
    image: Image,
    checks: Checks | None = None,
    *,
    built_of: Source | None = None,
    runner: Callable[[], Runner] = Sandbox,
) -> Report:
    """Validate an image as each target's fetcher and proxy would.

    :param runner: where the module is started
    :raises NotFound: no such image
    """
    checks = checks or Checks()
    problems, complete = image_problems(
        image, choose(checks.targets), checks, built_of=built_of, runner=runner
    )
    subject, kind = (built_of.module.name, "module") if built_of else (image.reference, "image")
    return checks.judge(subject, kind, problems, complete=complete)


def image_problems(
    image: Image,
    targets: Sequence[Target],
    checks: Checks,
    *,
    built_of: Source | None = None,
    runner: Callable[[], Runner] = Sandbox,
) -> tuple[dict[str, list[Problem]], bool]:
    """Problems of an image by target, and whether all of it was read.

    :raises NotFound: no such image
    """
    complete = False
    try:
        check = _ImageChecks(image, checks, built_of, runner)
        problems = {target.name: check.problems(target) for target in targets}
        if checks.envoy:
            check.ask_envoy(problems)
        complete = check.complete
    except (BadArtifact, DigestMismatch) as error:
        problems = {target.name: [unreadable(error)] for target in targets}
    named = {
        name: [problem.about(image.reference) for problem in found]
        for name, found in problems.items()
    }
    return named, complete


class _ImageChecks:
    """One image; modules are examined once per distinct outcome of the fetchers."""

    def __init__(
        self, image: Image, checks: Checks, built_of: Source | None, runner: Callable[[], Runner]
    ) -> None:
        self._image = image
        self._checks = checks
        self._built_of = built_of
        self._runner = runner
        self._modules: list[PluginModule] = []
        self._seen_by: dict[PluginModule, list[str]] = {}
        """The modules that targets load, with the names of those targets."""
        self._fetch = cache(self._fetch_by)
        self._facts = cache(self._examine)
        self._no_module = cache(self._search)
        self._doubts = cache(self._doubts_of_all)
        self._top = image.top
        self._manifest: Manifest | None = None
        self.complete = checks.start_up.dry_run
        """Nothing was left out or unreadable so far."""
        try:
            self._manifest = image.manifest
        except UNREADABLE:
            self.complete = False

    def problems(self, target: Target) -> list[Problem]:
        """All problems for this target."""
        try:
            fetched = self._fetch(target.image or _newest_rules())
            found = [self._advised(problem) for problem in fetched.problems]
            if fetched.module is not None:
                found += self._of_module(fetched.module, target)
        except UNREADABLE as error:
            self.complete = False
            return [unreadable(error)]
        if (target.image or _newest_rules()).reader is not Fetcher.GCP:
            found += name_problems(self._image)
        if target.realm_guard:
            found += realm_problems(self._image.challenge)
        return [*found, *self._doubts()]

    def _of_module(self, data: bytes, target: Target) -> list[Problem]:
        whole, rules = self._contents().module, target.image or _newest_rules()
        if whole is not None and rules.content_limit == len(data) < whole.size:
            return [cut_module(whole.size, len(data))]
        module = self._module(data)
        self._seen_by.setdefault(module, []).append(target.name)
        facts = self._facts(module)
        return module_problems(facts, target)

    def _module(self, data: bytes) -> PluginModule:
        """The module with these bytes; a known one if possible."""
        known = [self._contents().module, *self._modules]
        if self._built_of is not None:
            known.insert(0, self._built_of.module)
        for module in known:
            if module is not None and module.data == data:
                return module
        self._modules.append(PluginModule(data))
        return self._modules[-1]

    def _advised(self, problem: Problem) -> Problem:
        """The problem without advice to repack if there is no module to pack."""
        advice = problem.hint.command
        if advice is None or advice.name != REPACK.name or not self._no_module():
            return problem
        return replace(problem, hint=Hint(self._no_module()))

    def _search(self) -> str:
        """The advice where no module is found; empty if there is one."""
        nothing = "no layer of this image can be read as a WebAssembly module: build it again"
        try:
            return "" if self._image.search()[1].modules else nothing
        except UNREADABLE as error:
            self.complete = False
            return error.hint or nothing

    def ask_envoy(self, problems: dict[str, list[Problem]]) -> None:
        """Add the verdict of this machine's Envoy on each module that a target loads."""
        from wasmpack.actions.envoy_opinion import Asked, add_envoy_opinions

        seen_by = dict(self._seen_by)
        contained = self._contents().module
        if contained is not None and not seen_by:
            seen_by[self._module(contained.data)] = []
        several = len(seen_by) > 1
        modules = [
            Asked(module, self._facts(module), names if several else ())
            for module, names in seen_by.items()
        ]
        add_envoy_opinions(problems, modules)

    def _doubts_of_all(self) -> list[Problem]:
        """Problems for the author that no mesh checks, the same for all targets."""
        found = [] if self._manifest is None else disagreement(self._manifest)
        contents = self._contents()
        if contents.module is None:
            return found
        facts = self._facts(self._module(contents.module.data))
        problems = config_findings(self._runtime_config(), facts)
        if self._built_of is not None:
            return found + problems
        return found + [replace(problem, severity=Severity.WARNING) for problem in problems]

    def _fetch_by(self, rules: ImageRules) -> Fetched:
        image = self._image
        return fetch(self._top, image.get, image.layers, rules, pinned=image.pinned)

    def _contents(self) -> Contents:
        """The contents, as far as they can be read."""
        try:
            if self._manifest is not None:
                return self._image.contents
        except UNREADABLE:
            self.complete = False
        return Contents(module=None, runtime_config=None, layer=None)

    def _examine(self, module: PluginModule) -> ModuleFacts:
        start_up = self._checks.with_root_id(self._runtime_config())
        return examine(module, start_up, runner=self._runner)

    def _runtime_config(self) -> bytes | None:
        """The file to check; after a build only the user's, since ours needs no check."""
        if self._built_of is not None:
            return self._built_of.runtime_config
        return self._contents().runtime_config


def _newest_rules() -> ImageRules:
    """The rules for a consumer that is given a file, which some fetcher has to extract."""
    newest = [found.image for found in default_targets() if found.consumer == "istio"][-1]
    assert newest is not None
    return newest
